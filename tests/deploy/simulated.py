"""Worlds through a real Prometheus: scraped in simulated time, and judged by the shipped rules.

What `/metrics` says at each scrape becomes blocks of a time series database, the recording rules
are evaluated over these by promtool, and the expressions of the alerts by a server.
"""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from kullback.moments import DAY, HOUR
from tests.deploy.families import series_named
from tests.deploy.files import RULES, promtool
from tests.deploy.live import ABSENT, Prometheus, free_port, is_ready, until
from tests.monitoring.service import Service
from tests.statistics.monitoring.alarms import AlarmLog, CheckSeen
from tests.statistics.monitoring.arrivals import Seed
from tests.statistics.monitoring.served import PATH, SET_AFTER, served
from tests.statistics.monitoring.streams import ORIGIN
from tests.statistics.monitoring.worlds import MonitoredWorld
from tests.ui.opened import Page

STEP = 300  # seconds between two scrapes that follow each other closely
OFTEN = 1 / 6  # hours between two batches of labels
AFTER = 60  # seconds after a scrape, when rules have been evaluated
_AGENT = {
    "user-agent": "Prometheus/2.42.0",
    "x-prometheus-scrape-timeout-seconds": "10",
    "accept": "text/plain;version=0.0.4",
}
_SECONDS = {"m": 60, "h": HOUR}
_GROUPS = yaml.safe_load(RULES.read_text())["groups"]
_RECORDED = {r["record"]: r["expr"] for g in _GROUPS for r in g["rules"] if "record" in r}
ALERTS = {r["alert"]: r for g in _GROUPS for r in g["rules"] if "alert" in r}

Firing = set[tuple[int, str, str, str, str]]  # when, which alert, of what, and how grave


@dataclass(slots=True)
class ScrapedWorlds:
    """What was scraped of several worlds, each as a monitor and a replica of its own name.

    Attributes:
        lines: samples as OpenMetrics has them, by day.
        checks: what the API answered at the moment of each scrape, by monitor.
        logs: alarms, by monitor.
    """

    lines: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    checks: dict[str, dict[int, list[CheckSeen]]] = field(default_factory=dict)
    logs: dict[str, AlarmLog] = field(default_factory=dict)

    async def add(
        self, monitor: str, world: MonitoredWorld, seed: Seed, looks: Sequence[float], url: str
    ) -> None:
        """Let a world run, and scrape it at these hours since its origin."""
        log, answers = AlarmLog(), dict[int, list[CheckSeen]]()
        self.logs[monitor], self.checks[monitor] = log, answers
        async with served(world, seed, url) as running:
            is_set = False
            for before, hour in pairwise([0.0, *looks]):
                if world.traffic.delays is not None:  # labels that come by the hour are late ones
                    for step in np.arange(before, hour, OFTEN)[1:]:
                        running.advance(float(step))
                running.advance(hour)
                if hour >= SET_AFTER and not is_set:
                    await running.set_reference()
                    is_set = True
                now = round(ORIGIN + hour * HOUR)
                await _has_read_keys(running.service)
                checks = answers[now] = await running.checks()
                log.look(now, checks)
                client = running.service.client
                self._keep(monitor, now, (await client.get("/metrics", headers=_AGENT)).text)
            page = Page.of(await running.service.client.get(PATH.removeprefix("/v1")))
            answer = await running.service.get(f"{PATH}/checks")
            assert page.states[0] == answer["state"]

    def _keep(self, monitor: str, now: int, text: str) -> None:
        lines = self.lines[now // DAY]
        own = f'instance="{monitor}",job="kullback"'
        lines.append(f"up{{{own}}} 1 {now}")
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in READ:
                    labels = {k: monitor if k == "monitor" else v for k, v in sample.labels.items()}
                    given = "".join(f"{k}={json.dumps(v)}," for k, v in labels.items())
                    lines.append(f"{sample.name}{{{given}{own}}} {sample.value!r} {now}")

    def expected(self) -> Firing:
        """What has to fire at each scrape, as the API answers."""
        return {
            (now, alert_of(check.name), monitor, check.name, check.state)
            for monitor, answers in self.checks.items()
            for now, checks in answers.items()
            for check in checks
            if check.state in {"warning", "critical"}
        }

    def firing(self, folder: Path) -> Firing:
        """What the shipped rules say after each scrape of a monitor."""
        moments = sorted({now for answers in self.checks.values() for now in answers})
        edges = moments[0], moments[-1] + AFTER
        for day, lines in self.lines.items():
            path = folder / f"{day}.txt"
            path.write_text("\n".join([*lines, "# EOF", ""]))
            _made(promtool("tsdb", "create-blocks-from", "openmetrics", path, folder / "data"))
        for level in _levels():
            rules = [{"record": name, "expr": _RECORDED[name]} for name in level]
            (folder / "level.yml").write_text(
                json.dumps({"groups": [{"name": "l", "rules": rules}]})
            )
            with serving_blocks(folder) as server:
                _made(
                    promtool(
                        *("tsdb", "create-blocks-from", "rules", f"--url={server.address}"),
                        *(f"--start={edges[0]}", f"--end={edges[1]}", "--eval-interval=60s"),
                        *(f"--output-dir={folder}/data", folder / "level.yml"),
                    )
                )
        found: Firing = set()
        with serving_blocks(folder) as server:
            for name, rule in ALERTS.items():
                for labels, values in _ranged(server, rule["expr"], edges):
                    monitor, check = labels.get("monitor", ""), labels.get("check", "")
                    found |= {
                        (now, name, monitor, check, _severity(rule, values[now + AFTER]))
                        for now in self.checks.get(monitor, moments)
                        if _holds(values, now + AFTER, rule.get("for", "0m"))
                    }
        return found


async def _has_read_keys(service: Service) -> None:
    """Wait until keys are read anew: ingest holds the loop, in which that is done."""
    for _ in range(60):
        if (await service.client.get(PATH)).status_code != 503:
            return


def alert_of(check: str) -> str:
    """The alert that reads a check."""
    (name,) = (
        name
        for name, rule in ALERTS.items()
        for pattern in re.findall(r'check=~?"([^"]*)"', rule["expr"])
        if re.fullmatch(pattern, check)
    )
    return str(name)


@contextmanager
def serving_blocks(folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes nothing, on the blocks of a folder."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip(ABSENT)
    (folder / "prometheus.yml").write_text("{}")
    port = free_port()
    command = [
        *(program, f"--config.file={folder}/prometheus.yml"),
        *(f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"),
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


def _needed(expression: str) -> set[str]:
    """The recorded series that an expression reads, and those that these are made of."""
    own = series_named(expression) & _RECORDED.keys()
    return own.union(*(_needed(_RECORDED[name]) for name in own))


def _levels() -> list[list[str]]:
    """The recorded series that alerts need, those first that the others are made of."""
    left = set[str]().union(*(_needed(rule["expr"]) for rule in ALERTS.values()))
    levels = []
    while left:
        level = sorted(name for name in left if not series_named(_RECORDED[name]) & left)
        levels.append(level)
        left -= set(level)
    return levels


READ = frozenset[str]().union(
    *(series_named(rule["expr"]) for rule in ALERTS.values()),
    *(series_named(_RECORDED[name]) for level in _levels() for name in level),
)


def _ranged(
    server: Prometheus, expression: str, edges: tuple[int, int]
) -> list[tuple[dict[str, str], dict[int, float]]]:
    """The series of an expression, each by the moment."""
    query = {"query": expression, "start": edges[0] + AFTER, "end": edges[1], "step": STEP}
    answer = httpx.post(f"{server.address}/api/v1/query_range", data=query, timeout=60).json()
    assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
    return [
        (series["metric"], {round(at): float(value) for at, value in series["values"]})
        for series in answer["data"]["result"]
    ]


def _holds(values: Mapping[int, float], now: int, lasting: str) -> bool:
    """Whether an expression has held for as long as its rule asks for."""
    seconds = int(lasting[:-1]) * _SECONDS[lasting[-1]]
    return all(at in values for at in range(now - seconds, now + 1, STEP))


def _severity(rule: Mapping[str, Mapping[str, str]], value: float) -> str:
    given = rule["labels"]["severity"]
    return ("critical" if value == 2 else "warning") if given.startswith("{{") else given


def _made(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
