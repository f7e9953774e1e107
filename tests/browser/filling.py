"""A service with something to look at: monitors and experiments, some with names made to harm."""

from collections.abc import Callable
from threading import Event
from time import monotonic, time

import httpx
import numpy as np

from kullback.numerics.types import Array

HOUR = 3600.0
LONGEST = "long." + "x" * 58
SCRIPT = "<script>alert(1)</script>"
QUOTES = "\"onmouseover='alert(2)' x=\""
IMAGE = "</td><img src=x onerror=alert(3)>"
BACKWARDS = "\u202e\u05de\u05d5\u05d3\u05dc \u05d7\u05d3\u05e9"  # "new model", from right to left
HOSTILE = (SCRIPT, QUOTES, IMAGE, BACKWARDS)
MONITORS = ("clicks", "drifter", "empty", "hostile", "one-batch", "species", LONGEST)
EXPERIMENTS = ("empty-test", "hostile-test", "layout", "ranker", LONGEST)
_WAIT_SECONDS = 90.0  # checks are looked at once a minute


def fill(client: httpx.Client) -> None:
    """Make everything, and wait until the overview knows of it."""
    generator = np.random.default_rng(7)
    for make in (_monitors, _hostile, _species, _paired, _parallel):
        make(client, generator)
    until(lambda: client.get("/").text.count(">unknown<") == 3 and "better" in client.get("/").text)


def fill_for_show(client: httpx.Client) -> None:
    """Make what is worth a picture, and wait until the overview knows of it."""
    generator = np.random.default_rng(7)
    put(client, "/v1/monitors/clicks", {})
    _day(client, "clicks", generator, rows=500)
    _refer(client, "clicks")
    put(client, "/v1/monitors/purchases", {})
    _day(client, "purchases", generator, rows=200, factor=1.8)
    plan: dict[str, object] = {"arms": ["old", "new"], "design": "paired", "minimum_effect": 0.005}
    put(client, "/v1/experiments/ranker", plan)
    for hour in range(12):
        _compared(client, "ranker", ["old", "new"], hour, generator)
    until(lambda: all(word in client.get("/").text for word in (">ok<", ">critical<", "better")))


def until(is_so: Callable[[], bool]) -> None:
    """Wait for this, or fail."""
    end, pause = monotonic() + _WAIT_SECONDS, Event()
    while not is_so():
        assert monotonic() < end, "it never came to be"
        pause.wait(0.1)


def many(client: httpx.Client, count: int) -> None:
    """So many monitors with a day of rows each, all of whose sparklines are drawn."""
    generator = np.random.default_rng(8)
    for one in range(count):
        put(client, f"/v1/monitors/recommender.of.shop-{one:03}", {})
        _day(client, f"recommender.of.shop-{one:03}", generator, rows=1)
    until(lambda: client.get("/").text.count('class="spark') == count)


def put(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    """Create or change what stands there."""
    answer = client.put(path, json=body)
    assert answer.is_success, answer.text


def post(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    """Send rows."""
    answer = client.post(f"{path}/observations", json=body)
    assert answer.is_success, answer.text


def _chances(generator: np.random.Generator, count: int) -> tuple[Array, Array]:
    """What is likely, and what happened."""
    chance: Array = 1 / (1 + np.exp(-generator.normal(-1, 1, count)))
    return chance, (generator.random(count) < chance).astype(np.float64)


def _day(
    client: httpx.Client,
    name: str,
    generator: np.random.Generator,
    rows: int,
    factor: float = 1.0,
) -> None:
    """A day of rows, whose predictions are so many times what is right."""
    now = time()
    chance, happened = _chances(generator, 24 * rows)
    moments = now - np.repeat(np.arange(24), rows) * HOUR - generator.random(24 * rows) * HOUR
    body: dict[str, object] = {
        "y_true": happened.tolist(),
        "y_proba": np.minimum(chance * factor, 0.999).tolist(),
        "timestamp": moments.tolist(),
    }
    post(client, f"/v1/monitors/{name}", body)


def _refer(client: httpx.Client, name: str) -> None:
    """Let what came first be what the rest is compared with."""
    past = {"from": time() - 24 * HOUR, "to": time() - 8 * HOUR}
    put(client, f"/v1/monitors/{name}/reference", {**past})


def _monitors(client: httpx.Client, generator: np.random.Generator) -> None:
    for name in ("clicks", "empty", "one-batch", LONGEST):
        put(client, f"/v1/monitors/{name}", {"slices": ["country"]})
    _day(client, "clicks", generator, rows=300)
    _refer(client, "clicks")
    put(client, "/v1/monitors/drifter", {})
    _day(client, "drifter", generator, rows=100)
    put(client, "/v1/monitors/drifter/reference", {"label_distribution": [2, 8]})
    for name in ("one-batch", LONGEST):
        body: dict[str, object] = {"y_true": [1, 0, 1], "y_proba": [0.8, 0.3, 0.6]}
        post(client, f"/v1/monitors/{name}", {**body, "slice": {"country": ["DE", "FR", "DE"]}})


def _hostile(client: httpx.Client, generator: np.random.Generator) -> None:
    names: dict[str, object] = {"owner": QUOTES, "tags": [IMAGE]}
    put(client, "/v1/monitors/hostile", {"slices": ["country", LONGEST], **names})
    chance, happened = _chances(generator, 800)
    body: dict[str, object] = {
        "y_true": happened.tolist(),
        "y_proba": chance.tolist(),
        "timestamp": (time() - generator.random(800) * 6 * HOUR).tolist(),
        "slice": {
            "country": generator.choice(HOSTILE, 800).tolist(),
            LONGEST: generator.choice(["y" * 256, "-1"], 800).tolist(),
        },
    }
    post(client, "/v1/monitors/hostile", body)


def _species(client: httpx.Client, generator: np.random.Generator) -> None:
    labels = ["setosa", SCRIPT, BACKWARDS]
    put(client, "/v1/monitors/species", {"task": "multiclass", "labels": labels})
    rows = generator.dirichlet([1, 2, 3], 600)
    body: dict[str, object] = {
        "y_true": [labels[generator.choice(3, p=row)] for row in rows],
        "y_proba": rows.tolist(),
        "timestamp": (time() - generator.random(600) * 6 * HOUR).tolist(),
    }
    post(client, "/v1/monitors/species", body)


def _paired(client: httpx.Client, generator: np.random.Generator) -> None:
    plans: dict[str, list[str]] = {
        "empty-test": ["a", "b"],
        "hostile-test": [*HOSTILE, "z" * 64],
        "ranker": ["old", "new"],
    }
    for name, arms in plans.items():
        body: dict[str, object] = {"arms": arms, "design": "paired", "minimum_effect": 0.005}
        put(client, f"/v1/experiments/{name}", {**body, "slices": ["country"]})
        if name == "empty-test":
            continue
        for hour in range(12):
            _compared(client, name, arms, hour, generator)


def _compared(
    client: httpx.Client, name: str, arms: list[str], hour: int, generator: np.random.Generator
) -> None:
    """Rows that every arm has scored, the first the worst."""
    chance, happened = _chances(generator, 1000)
    blurs = np.linspace(1.3, 1, len(arms))
    body: dict[str, object] = {
        "y_true": happened.tolist(),
        "y_proba": {
            arm: np.clip(chance * blur, 0, 0.99).tolist()
            for arm, blur in zip(arms, blurs, strict=True)
        },
        "unit": generator.integers(0, 2000, 1000).tolist(),
        "timestamp": [time() - HOUR * (12 - hour)] * 1000,
    }
    if name != "ranker":
        body["slice"] = {"country": generator.choice(HOSTILE, 1000).tolist()}
    post(client, f"/v1/experiments/{name}", body)


def _parallel(client: httpx.Client, generator: np.random.Generator) -> None:
    for name, arms in (("layout", ["plain", "bold"]), (LONGEST, [SCRIPT, "z" * 64])):
        plan: dict[str, object] = {"arms": arms, "design": "parallel", "metric": "base_rate"}
        put(client, f"/v1/experiments/{name}", {**plan, "minimum_effect": 0.02})
        for hour in range(8):
            chance, happened = _chances(generator, 600)
            units = generator.integers(0, 2000, 600)
            body: dict[str, object] = {
                "y_true": happened.tolist(),
                "y_proba": chance.tolist(),
                "arm": [arms[unit % 2] for unit in units],
                "unit": units.tolist(),
                "timestamp": [time() - HOUR * (8 - hour)] * 600,
            }
            post(client, f"/v1/experiments/{name}", body)
