"""A real Prometheus that scrapes real replicas on one database, while rows keep coming."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from time import monotonic, time

import httpx
import numpy as np
import pytest

from kullback.numerics.types import Array
from tests.deploy.files import RULES, promtool

MONITOR = "ctr"
EXPERIMENT = "ranker"
ROWS = 400
UNITS = 1_000
PAST = (
    "monitor:kullback_examples:rate5m",
    "monitor:kullback_log_loss_nats:ratio_rate1h",
    "monitor:kullback_log_loss_nats:standard_error1h",
    "monitor:kullback_predictions:rate5m",
)
_WAIT_SECONDS = 120.0
ABSENT = "prometheus is not installed: RULES AND DASHBOARDS ARE NOT TRIED LIVE (apt: prometheus)"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The query API of a running server."""

    address: str

    def values(
        self, expression: str, at: float | None = None
    ) -> list[tuple[dict[str, str], float]]:
        """The series that an expression gives, now or at some time, with their values."""
        query = {"query": expression} | ({} if at is None else {"time": str(at)})
        asked = httpx.get(f"{self.address}/api/v1/query", params=query)
        answer = asked.json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        found = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return [({}, float(found[1]))]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def history(self, selector: str) -> list[float]:
        """Every value that was scraped of the one series in the last ten minutes."""
        query = {"query": f"{selector}[10m]"}
        answer = httpx.get(f"{self.address}/api/v1/query", params=query).json()
        (series,) = answer["data"]["result"]
        return [float(value) for _, value in series["values"]]

    def value(self, expression: str, at: float | None = None) -> float:
        """The value of the one series that an expression gives."""
        ((_, value),) = self.values(expression, at)
        return value


@dataclass(slots=True)
class Traffic:
    """Rows that come to several replicas, more to the first than to the others."""

    replicas: Sequence[str]
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))
    y: list[Array] = field(default_factory=list)
    p: list[Array] = field(default_factory=list)

    def send(self, turns: int) -> None:
        """Send so many batches; two of three go to the first replica, and are easier to predict."""
        shares = cycle(
            [(self.replicas[0], -2.5), (self.replicas[0], -2.5), (self.replicas[-1], 0.0)]
        )
        for _, (replica, mean) in zip(range(turns), shares, strict=False):
            p = 1 / (1 + np.exp(-self.generator.normal(mean, 1.0, ROWS)))
            y = (self.generator.random(ROWS) < p).astype(np.float64)
            country = self.generator.choice(["DE", "FR"], ROWS)
            body = {
                "y_true": y.tolist(),
                "y_proba": p.tolist(),
                "slice": {"country": country.tolist()},
            }
            answer = httpx.post(f"{replica}/v1/monitors/{MONITOR}/observations", json=body)
            assert answer.status_code == 200, answer.text
            self.y.append(y)
            self.p.append(p)

    def log_loss(self) -> float:
        """The mean of the losses of all rows, by NumPy."""
        y, p = np.concatenate(self.y), np.concatenate(self.p)
        return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Keep sending while the block runs."""
        stop, failed = Event(), list[BaseException]()

        def flow() -> None:
            try:
                while not stop.wait(0.05):
                    self.send(3)
            except BaseException as error:  # noqa: BLE001 - raised again where the block ends
                failed.append(error)

        thread = Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]


def experiment(replica: str) -> None:
    """An experiment of two arms in equal shares, of which the new one predicts better."""
    address = f"{replica}/v1/experiments/{EXPERIMENT}"
    plan = {"arms": ["old", "new"], "minimum_effect": 0.05}
    generator = np.random.default_rng(12)
    unit = generator.integers(0, UNITS, 4 * UNITS)
    logit = generator.normal(-1.0, 1.0, unit.size)
    y = (generator.random(unit.size) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    is_new = unit % 2 == 1
    p = 1 / (1 + np.exp(-np.where(is_new, logit, logit + generator.normal(0.0, 1.0, unit.size))))
    rows = {
        "y_true": y.tolist(),
        "y_proba": p.tolist(),
        "arm": np.where(is_new, "new", "old").tolist(),
        "unit": unit.tolist(),
    }
    for answer in (
        httpx.put(address, json=plan),
        httpx.post(f"{address}/observations", json=rows),
    ):
        assert answer.is_success, answer.text


def until(claim: Callable[[], bool], what: str) -> None:
    """Wait until something holds, for two minutes at the most."""
    end, pause = monotonic() + _WAIT_SECONDS, Event()
    while not claim():
        assert monotonic() < end, f"after {_WAIT_SECONDS:.0f} seconds: not {what}"
        pause.wait(0.2)


@contextmanager
def prometheus(
    targets: Sequence[str], folder: Path, *, is_patient: bool = True
) -> Iterator[Prometheus]:
    """A Prometheus with our rules that scrapes these addresses each second.

    One that is not patient fires at once, where the rules wait for minutes.
    """
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip(ABSENT)
    rules = RULES.read_text()
    if not is_patient:
        rules = re.sub(r"\n +for: \w+", "", rules)
    (folder / "rules.yml").write_text(rules)
    hosts = [target.removeprefix("http://") for target in targets]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "kullback", "static_configs": [{"targets": hosts}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    _give_a_past(folder)
    port = free_port()
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = subprocess.Popen(  # noqa: S603 - the program of this system
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: is_ready(server), "ready")
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _give_a_past(folder: Path) -> None:
    """What rules would have recorded an hour, a day and a week ago, for what looks back."""
    now = int(time())
    lines = []
    for name in PAST:
        lines.append(f"# TYPE {name} gauge")
        for age in (7 * 86_400, 86_400, 3_600):
            moments = range(now - age - 600, now - age + 1_200, 30)
            lines += [f'{name}{{monitor="{MONITOR}"}} 0.5 {moment}' for moment in moments]
    (folder / "past.txt").write_text("\n".join([*lines, "# EOF", ""]))
    made = promtool(
        "tsdb", "create-blocks-from", "openmetrics", folder / "past.txt", folder / "data"
    )
    assert made.returncode == 0, made.stderr


def is_ready(server: Prometheus) -> bool:
    """Whether a server answers."""
    try:
        return httpx.get(f"{server.address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
