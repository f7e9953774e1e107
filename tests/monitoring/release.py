"""What a release was sent whose database is kept in `data`, and what is asked of it.

`python -m tests.monitoring.release FILE` makes such a database, with the code of the release.
"""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from tests.monitoring.service import NOON, Clock, Document, Service, running

CLICKS, CLASSES = "/v1/monitors/clicks", "/v1/monitors/classes"
EXPERIMENT = "/v1/experiments/ranking"
KEY = {"Idempotency-Key": "part-0-offset-1"}
ONCE: Document = {"y_true": [1, 0], "y_proba": [0.75, 0.5], "timestamp": [NOON, NOON]}
TTL = 2 * 86_400
FILLED = NOON + TTL + 60.0  # when the last of it was sent


def rows(n: int, seed: int) -> Document:
    """Rows with all that may be said of them."""
    random = np.random.default_rng(seed)
    return {
        "y_proba": random.random(n).tolist(),
        "sample_weight": random.choice([0.25, 1.0, 3.0], n).tolist(),
        "timestamp": (NOON + random.choice([0, 70, -3700], n)).tolist(),
        "unit": random.integers(0, 5, n).tolist(),
        "slice": {"country": random.choice(["DE", "FR"], n).tolist()},
    }


async def fill(service: Service) -> None:
    """Send everything: some of it expires on the way."""
    await service.put(CLICKS, slices=["country"], ttl_seconds=TTL)
    await service.put(CLASSES, task="multiclass", labels=["a", "b", "c"])
    whole = rows(40, 1) | {"y_true": [at % 3 % 2 for at in range(40)]}
    await service.post("observations", CLICKS, **whole)
    await service.client.post(f"{CLICKS}/observations", json=ONCE, headers=KEY)
    await service.put(f"{CLICKS}/reference", y_true=[0, 1] * 20, y_proba=[0.25, 0.75] * 20)
    await service.post("predictions", CLICKS, id=["old", "older"], y_proba=[0.5, 0.25])
    await service.post("labels", CLICKS, id=["old", "oldest"], y_true=[1, 0])
    service.clock.now = FILLED
    service.tidy()
    ids = [f"p{at}" for at in range(12)]
    await service.post("predictions", CLICKS, id=ids, **rows(12, 2))
    await service.post("predictions", CLICKS, id=["plain"], y_proba=[0.375])
    await service.post("labels", CLICKS, id=["l0", "l1", *ids[:4]], y_true=[1, 0, 1, 0, 1, 0])
    proba = [[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.0, 1.0, 0.0]]
    await service.post("predictions", CLASSES, id=["x", "y", "z"], y_proba=proba)
    await service.post("labels", CLASSES, id=["x", "w"], y_true=["b", "c"])
    arms = {"a": 0.5, "b": 0.5}
    await service.put(EXPERIMENT, arms=arms, control="a", design="parallel", minimum_effect=0.01)
    arm = ["a", "b"] * 20
    sent = {"arm": arm, "unit": list(range(40)), **{k: whole[k] for k in ("y_true", "y_proba")}}
    await service.post("observations", EXPERIMENT, **sent)


async def read(service: Service) -> Document:
    """All that is said of it."""
    asked: Document = {"from": NOON - 86_400, "to": FILLED + 3600}
    series = {"metric": "log_loss", **asked}
    return {
        "clicks": await service.get(CLICKS),
        "classes": await service.get(CLASSES),
        "report": await service.report(CLICKS, by="country", **asked),
        "points": (await service.get(f"{CLICKS}/series", **series))["points"],
        "classes report": await service.report(CLASSES, **asked),
        "experiment": await service.get(f"{EXPERIMENT}/report"),
    }


async def _make(path: Path) -> None:
    async with running(f"sqlite:///{path}", clock=Clock(NOON)) as service:
        await fill(service)
        answers = await read(service)
    path.with_suffix(".json").write_text(json.dumps(answers, indent=1))


if __name__ == "__main__":
    asyncio.run(_make(Path(sys.argv[1])))
