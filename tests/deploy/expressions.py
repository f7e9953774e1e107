"""Every query of the dashboards as Prometheus gets it, once Grafana has put in the variables."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

from tests.deploy.families import series_named
from tests.deploy.files import DASHBOARDS


class Target(TypedDict):
    refId: str
    expr: str
    legendFormat: NotRequired[str]


class Panel(TypedDict):
    id: int
    type: str
    title: str
    gridPos: dict[str, int]
    description: NotRequired[str]
    targets: NotRequired[list[Target]]


class Variable(TypedDict):
    name: str
    type: str
    definition: NotRequired[str]


class Dashboard(TypedDict):
    id: None
    uid: str
    title: str
    schemaVersion: int
    panels: list[Panel]
    templating: dict[str, list[Variable]]
    annotations: dict[str, list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Expression:
    """One query of one panel; `text` has no variables left."""

    dashboard: str
    panel: str
    text: str

    @property
    def needs_past(self) -> bool:
        """Whether it shows nothing until Prometheus has run for an hour or more."""
        past = ("1d", "_1d", "_1w")
        return " offset " in self.text or any(
            name.endswith(past) for name in series_named(self.text)
        )


@dataclass(frozen=True, slots=True)
class Variables:
    """What stands in the selectors of a dashboard, and the zoom."""

    monitor: str = "ctr"
    slice: str = ".+"
    experiment: str = "ranker"
    arm: str = "new"
    job: str = "kullback"
    instance: str = ".+"
    rate_interval: str = "1m"
    range: str = "1h"

    def put_into(self, expression: str) -> str:
        for name, value in (
            ("$__rate_interval", self.rate_interval),
            ("$__range", self.range),
            ("$monitor", self.monitor),
            ("$slice", self.slice),
            ("$experiment", self.experiment),
            ("$arm", self.arm),
            ("$job", self.job),
            ("$instance", self.instance),
        ):
            expression = expression.replace(name, value)
        return expression


def read(path: Path) -> Dashboard:
    dashboard: Dashboard = json.loads(path.read_text())
    return dashboard


def queries(path: Path) -> Iterator[tuple[Panel, Target]]:
    """Each query as the file has it, with the panel it belongs to."""
    for panel in read(path)["panels"]:
        for target in panel.get("targets", []):
            yield panel, target


def expressions(variables: Variables | None = None) -> Iterator[Expression]:
    """Each query of each dashboard, ready to be asked."""
    variables = variables or Variables()
    for path in DASHBOARDS:
        for panel, target in queries(path):
            yield Expression(path.stem, panel["title"], variables.put_into(target["expr"]))
