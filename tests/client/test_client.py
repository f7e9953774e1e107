"""Every method of both clients, against a real service."""

import asyncio
import copy
import inspect
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from kullback.cli import app
from kullback_client import (
    AsyncClient,
    AsyncExperiment,
    AsyncMonitor,
    Client,
    Conflict,
    Experiment,
    InvalidInput,
    Monitor,
    NotFound,
    Retry,
    Unauthorized,
    Unreachable,
)
from tests.client.conftest import Caller
from tests.serving import Served, serving


@pytest.mark.parametrize(
    ("blocking", "awaiting"),
    [(Client, AsyncClient), (Monitor, AsyncMonitor), (Experiment, AsyncExperiment)],
)
def test_both_clients_have_the_same_methods(blocking: type, awaiting: type) -> None:
    names = {name for name in vars(blocking) if not name.startswith("_")}
    assert names == {name for name in vars(awaiting) if not name.startswith("_")}
    for name in names - {"name", "monitor", "experiment", "close"}:
        one, other = inspect.signature(vars(blocking)[name]), vars(awaiting)[name]
        assert one.parameters.keys() == inspect.signature(other).parameters.keys()
        assert inspect.getdoc(vars(blocking)[name])
        assert name == "reporter" or inspect.iscoroutinefunction(other)


def test_a_signature_says_what_is_answered() -> None:
    assert inspect.signature(Monitor.checks).return_annotation.__name__ == "MonitorChecks"


def test_scores(caller: Caller) -> None:
    score = caller.get(caller.client.score("log_loss", y_true=[1, 0], y_proba=[0.5, 0.5], base=2))
    assert (score.value, float(score), score.unit, score.n) == (1.0, 1.0, "bits", 2)
    assert float(caller.get(caller.client.score("log-loss", y_true=[1], y_proba=[0.0]))) == math.inf
    empty = caller.get(caller.client.score("log-loss", y_true=[1], y_proba=[None], missing="drop"))
    assert math.isnan(float(empty))
    assert empty.status == "undefined"


def test_several_scores_of_the_same_columns(caller: Caller) -> None:
    fields = {"y_true": [1, 0], "y_proba": [0.5, 0.25]}
    scores = caller.get(caller.client.score(["log_loss", "brier", "entropy"], **fields))
    assert list(scores) == ["log-loss", "brier"]
    assert len(scores) == 2
    assert scores["log_loss"] == caller.get(caller.client.score("log-loss", **fields))
    assert list(scores.problems) == ["entropy"]
    with pytest.raises(InvalidInput, match="p is missing") as raised:
        scores["entropy"]
    assert raised.value.errors[0].pointer == "/p"
    with pytest.raises(KeyError):
        scores["bpr"]
    with pytest.raises(InvalidInput, match="there is no such field"):
        caller.get(caller.client.score(["entropy", "bpr"], **fields))


def test_the_catalog(caller: Caller) -> None:
    metrics = caller.get(caller.client.metrics())
    assert metrics[0].name == "entropy"
    assert caller.get(caller.client.metric("log_loss")).name == "log-loss"
    with pytest.raises(NotFound, match="did you mean log-loss"):
        caller.get(caller.client.metric("log-los"))


def test_a_monitor_from_its_first_row_to_its_end(caller: Caller, unused: Callable[[], str]) -> None:
    name = unused()
    monitor = caller.get(
        caller.client.monitor(name).ensure(slices=["country"], tags=["clicks"], owner="me")
    )
    assert monitor.name == name
    changed = caller.get(monitor.put(description="ads", checks={"silence": {"enabled": False}}))
    assert (changed.owner, changed.description) == ("me", "ads")
    assert changed.checks["silence"].enabled is False
    assert caller.get(monitor.patch(owner=None)).owner is None
    caller.get(monitor.reference(y_proba=[0.25, 0.5], y_true=[0, 1]))
    frame = pd.DataFrame({"p": [0.5, 0.25, 0.75], "land": ["DE", "FR", "DE"], "y": [1, 0, 1]})
    caller.get(
        monitor.predictions(frame, id=["a", "b", "c"], y_proba="p", slice={"country": "land"})
    )
    caller.get(monitor.labels(frame, id=["a", "b", "c"], y_true="y"))
    caller.get(monitor.observations(y_true=[1], y_proba=[0.5], slice={"country": ["DE"]}))
    now = datetime.now(UTC)
    for period in (
        {"last": "1h"},
        {"last": 3600},
        {"from_": now - timedelta(hours=1), "to": now + timedelta(minutes=1)},
        {"from_": now.timestamp() - 3600},
        {"from_": str(now - timedelta(hours=1)).replace("+00:00", "Z").replace(" ", "T")},
    ):
        report = caller.get(monitor.report(by=["country"], **period))
        assert (report.n, report.drift.score.reason) == (4, None)
    assert {group.slice["country"]: group.n for group in report.groups} == {"DE": 3, "FR": 1}
    part = caller.get(monitor.report(slice="country=DE"))
    assert (part.n, part.slice) == (3, {"country": "DE"})
    series = caller.get(monitor.series(["log_loss", "auc"], step="1h", by="country", last="2h"))
    assert {(point.metric, (point.slice or {})["country"]) for point in series.points} == {
        (metric, country) for metric in ("log_loss", "auc") for country in ("DE", "FR")
    }
    assert caller.get(monitor.series()).metric == "log_loss"
    checks = caller.get(monitor.checks())
    assert checks.state in {"ok", "unknown"}  # too few rows to be anything else
    assert {"calibration", "maturity"} <= {check.name for check in checks.checks}
    details = caller.get(monitor.details())
    assert (details.counts.matched, details.counts.observations) == (3, 1)
    assert details.created <= now + timedelta(minutes=1)
    caller.get(monitor.remove_reference())
    assert caller.get(monitor.details()).reference is None
    deploys = [
        caller.get(monitor.annotate("deploy", time=time, link="https://ci.example/14"))
        for time in (None, now - timedelta(hours=2), now.timestamp() - 60)
    ]
    late = caller.get(monitor.annotations(from_=now - timedelta(hours=1)))
    assert [each.id for each in late.annotations] == [deploys[2].id, deploys[0].id]
    caller.get(monitor.remove_annotation(deploys[0].id))
    assert len(caller.get(monitor.annotations()).annotations) == 2
    removed = caller.get(monitor.remove_windows(now - timedelta(hours=1), now + timedelta(hours=1)))
    assert (removed.removed, removed.labelled) == (4, 4)
    new = unused()
    assert caller.get(monitor.rename(new)).name == new == monitor.name
    tagged = caller.get(caller.client.monitors(tag="clicks"))
    assert new in {monitor.name for monitor in tagged}
    caller.get(monitor.delete())
    with pytest.raises(NotFound, match=new):
        caller.get(monitor.details())
    with pytest.raises(NotFound):
        caller.get(monitor.delete())
    with pytest.raises(NotFound):
        caller.get(monitor.patch(owner="me"))


@pytest.mark.parametrize(
    "reference",
    [
        {"offset": "7d"},
        {"label_distribution": [90, 10]},
        {"score_histogram": np.full(10, 0.1)},
        {"from_": datetime.now(UTC) - timedelta(hours=2), "to": datetime.now(UTC)},
    ],
)
def test_every_kind_of_reference(reference: dict[str, Any], monitor: Monitor) -> None:
    monitor.observations(
        y_true=[1], y_proba=[0.5], timestamp=[datetime.now(UTC) - timedelta(hours=1)]
    )
    assert monitor.reference(**reference).source in {"moving", "explicit", "period"}


def test_an_experiment_from_its_plan_to_its_end(caller: Caller, unused: Callable[[], str]) -> None:
    rng = np.random.default_rng(7)
    truth = rng.random(4000)
    frame = pd.DataFrame(
        {
            "click": (rng.random(4000) < truth).astype(int),
            "p_old": 0.5,
            "p_new": truth,
            "user": np.arange(4000),
            "country": rng.choice(["DE", "FR"], 4000),
        }
    )
    trial = caller.get(
        caller.client.experiment(unused()).ensure(
            arms=["old", "new"], design="paired", minimum_effect=0.01, slices=["country"]
        )
    )
    proba = {"old": "p_old", "new": "p_new"}
    rows = {"y_true": "click", "y_proba": proba, "unit": "user", "slice": "country"}
    assert caller.get(trial.observe(frame, **rows)).accepted == 4000
    report = caller.get(trial.report(by="country"))
    assert (report.verdict, report.verdicts) == ("better", {"new": "better"})
    low, high = report.comparisons[0].sequence or (0.0, 0.0)
    assert low < high < 0
    assert len(report.rows()) == 3
    assert caller.get(trial.markdown()).startswith("# Experiment ")
    (point,) = caller.get(trial.series(step=86_400, arm="new")).points
    assert point.effect == report.comparisons[0].effect
    assert caller.get(trial.details()).observations == {"1": 4000}
    assert trial.name in {each.name for each in caller.get(caller.client.experiments())}
    arms = {"old": 0.5, "new": 0.3, "other": 0.2}
    with pytest.raises(Conflict, match="epoch=new"):
        caller.get(trial.put(arms=arms))
    would = caller.get(trial.put(arms=arms, dry_run=True)).change
    assert would is not None
    assert would.fields == ["arms", "design", "minimum_effect", "slices"]
    assert would.rows_left_behind == 4000
    caller.get(trial.ensure(arms=arms, epoch="new"))
    assert caller.get(trial.details()).epoch == 2
    assert caller.get(trial.report(epoch=1)).verdict == "better"
    with pytest.raises(ValueError, match="2 arms are compared: see verdicts"):
        caller.get(trial.report()).verdict  # noqa: B018 - it raises
    stopped = caller.get(trial.stop("shipped")).stopped
    assert stopped is not None
    assert stopped.note == "shipped"
    with pytest.raises(Conflict, match="shipped"):
        caller.get(trial.observe({"y_true": [1], "y_proba": [0.5], "arm": ["old"], "unit": [1]}))
    caller.get(trial.delete())
    with pytest.raises(NotFound):
        caller.get(trial.report())


def test_all_monitors_are_listed_page_by_page(kb: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        kb.monitor(f"page-{n}").ensure(tags=["pages"])
    monkeypatch.setattr("kullback_client.client.PAGE", 2)
    assert [each.name for each in kb.monitors(tag="pages")] == [f"page-{n}" for n in range(5)]


def test_a_name_is_part_of_a_path_whatever_it_is(kb: Client) -> None:
    assert kb.monitor("a:b").ensure().details().name == "a:b"
    with pytest.raises((InvalidInput, NotFound)):
        kb.monitor("a/../../livez?x=#").details()


def test_answers_are_documents(kb: Client, monitor: Monitor) -> None:
    monitor.observations(y_true=[1], y_proba=[0.5])
    report = monitor.report()
    again = copy.deepcopy(report)
    assert (again, hash(again)) == (report, hash(report))
    assert report != monitor.details()
    assert report["n"] == report.to_dict()["n"] == 1
    assert "from" in report
    assert {"from_", "metrics"} <= set(dir(report))
    assert report.metrics is report.metrics
    assert "n=1" in repr(report)
    assert "from" in list(report)
    with pytest.raises(AttributeError, match="MonitorReport has no field logloss"):
        report.logloss  # noqa: B018 - it raises
    assert isinstance(report.metrics["auc"], type(report.metrics["auc"]))
    assert hasattr(report.metrics["auc"], "error_bound")
    assert hasattr(report.metrics["ece"], "debiased")
    assert not hasattr(report.metrics["log_loss"], "error_bound")
    assert kb.monitors()


def test_where_a_service_is_stands_in_the_environment(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KULLBACK_URL", f"{served.address}/")
    with Client() as kb:
        assert kb.metrics()
    monkeypatch.delenv("KULLBACK_URL")
    with Client(retry=Retry(seconds=0)) as kb:
        assert "url='http://127.0.0.1:8000'" in repr(kb)


@pytest.mark.parametrize("variable", ["KULLBACK_API_KEY", "KULLBACK_KEY"])
def test_a_key_stands_in_the_environment_or_is_given(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KULLBACK_API_KEY", raising=False)
    monkeypatch.delenv("KULLBACK_KEY", raising=False)
    url = f"sqlite:///{tmp_path}/kullback.db"
    made = CliRunner().invoke(
        app, ["keys", "--database-url", url, "create", "test", "--scope", "read"]
    )
    key = made.stdout.strip()
    with serving(KULLBACK_DATABASE_URL=url) as served:
        with Client(served.address) as kb, pytest.raises(Unauthorized) as raised:
            kb.monitors()
        assert raised.value.request_id
        with Client(served.address, key) as kb:
            assert kb.monitors() == []
            assert served.address in repr(kb)
            assert key not in repr(kb)
        monkeypatch.setenv(variable, key)
        with Client(served.address) as kb:
            assert kb.monitors() == []


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("localhost:8000", None, "url: localhost:8000 is not an http:// or https:// address"),
        ("http://[::1", None, "url: .* is not an address"),
        ("http://kullback", "kb_\n", "^api_key: this is no key$"),
        ("http://kullback", "", "^api_key: this is no key$"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    kind: type[Client], url: str, key: str | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind(url, key)


def test_who_cannot_be_reached_is_named() -> None:
    with (
        Client("http://127.0.0.1:9", retry=Retry(seconds=0)) as kb,
        pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 cannot be reached: "),
    ):
        kb.monitors()


def test_tasks_share_a_client(served: Served, unused: Callable[[], str]) -> None:
    async def report() -> int:
        async with AsyncClient(served.address) as kb:
            monitor = await kb.monitor(unused()).ensure()
            rows = (monitor.observations(y_true=[1], y_proba=[0.5]) for _ in range(20))
            await asyncio.gather(*rows)
            with monitor.reporter() as reporter:
                reporter.observation(0, 0.5)
            return (await monitor.report()).n

    assert asyncio.run(report()) == 21


def test_a_table_of_an_answer_is_that_of_the_service(monitor: Monitor, served: Served) -> None:
    monitor.put(convention="exact")
    countries = ["DE", "FR", None, "DE"]
    monitor.observations(
        y_true=[1, 0, 1, 1], y_proba=[0.5, 0.25, 0.75, 0.0], slice={"country": countries}
    )
    at = f"{served.address}/v1/monitors/{monitor.name}"
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(hours=2)).isoformat(), "to": now.isoformat()}
    bounds = {"from_": period["from"], "to": period["to"]}
    for path, answer, more in (
        ("report", monitor.report(by="country", **bounds), {"by": "country"}),
        ("report", monitor.report(slice="country=DE", **bounds), {"slice": "country=DE"}),
        (
            "series",
            monitor.series(["log_loss", "auc"], by="country", step="1h", **bounds),
            {"metric": "log_loss,auc", "by": "country", "step": "1h"},
        ),
        ("series", monitor.series(step="1h", **bounds), {"step": "1h"}),
    ):
        theirs = httpx.get(f"{at}/{path}", params={**period, **more, "format": "arrow"}, timeout=60)
        table = pa.ipc.open_stream(theirs.content).read_all()
        ours = answer.to_arrow()
        assert ours.column_names == table.column_names
        for mine, other in zip(ours.to_pylist(), table.to_pylist(), strict=True):
            assert {name for name in mine if mine[name] != other[name]} == set()
        frame = answer.to_pandas()
        assert list(frame.columns) == table.column_names
        assert frame["from"].dt.tz is not None
        polars = answer.to_polars()
        assert polars.to_arrow().cast(ours.schema).to_pylist() == ours.to_pylist()


def test_tables_are_shown_in_notebooks_and_tickets(kb: Client, monitor: Monitor) -> None:
    kb.monitor(monitor.name).observations(
        y_true=[1, 0], y_proba=[0.5, 0.25], slice={"country": ["a|<b>", "c"]}
    )
    report = monitor.report(by="country")
    head, rule, *rows = report.to_markdown().splitlines()
    assert head.startswith("| monitor | from | to | slice.country | n |")
    assert set(rule) == {"|", "-", " "}
    assert len(rows) == 3
    assert "a\\|<b>" in report.to_markdown()
    html = report._repr_html_()
    assert html.startswith("<table><thead><tr><th>monitor</th>")
    assert "a|&lt;b&gt;" in html
    assert "drift_score_psi" not in html  # nothing stands there


def test_a_table_of_nothing_is_empty(monitor: Monitor) -> None:
    series = monitor.series()
    assert (len(series.to_pandas()), series.to_arrow().num_rows, len(series.to_polars())) == (
        0,
        0,
        0,
    )
    assert series._repr_html_().startswith("<table>")


OF_A_FORK = """
import os, sys
from kullback_client import Client
kb = Client(sys.argv[1])
monitor = kb.monitor(sys.argv[2]).ensure()
child = os.fork()
for n in range(50):
    answer = monitor.predictions(id=[n if child else -1 - n] * 2, y_proba=[0.5, 0.5])
    assert answer.accepted == answer.duplicates == 1
child or os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


def test_a_fork_shares_no_connection(monitor: Monitor, served: Served) -> None:
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", OF_A_FORK, served.address, monitor.name],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert monitor.details().counts.predictions == 100


def test_a_name_of_dots_leads_to_nothing_else(kb: Client) -> None:
    kb.monitor("reference").ensure()
    for name in (".", ".."):
        with pytest.raises(NotFound):
            kb.monitor(name).remove_reference()
    assert kb.monitor("reference").details().name == "reference"
