"""Each example is run as its users would, against a real service, and counts what it should."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest
from cloudevents.core.bindings import http as events
from cloudevents.core.v1.event import CloudEvent

from kullback_client import Client
from tests.serving import ROOT, serving

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as server:
        yield server.address


@pytest.fixture
def kb(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client, as the examples make theirs: by the environment."""
    monkeypatch.setenv("KULLBACK_URL", address)
    with Client() as client:
        yield client


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def served(name: str, address: str) -> Iterator[httpx.Client]:
    """An example that is a server, as uvicorn runs it, and a client of it."""
    command = (sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "0")
    with (
        serving(*command, f"{name}:app", KULLBACK_URL=address) as server,
        httpx.Client(base_url=server.address, trust_env=False) as client,
    ):
        yield client


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own examples
        command, capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def rows_of(kb: Client, monitor: str) -> dict[str, int]:
    counts = kb.monitor(monitor).details().counts
    return {name: counts[name] for name in ("observations", "predictions", "labels", "matched")}


def test_every_example_is_in_the_table_and_none_is_missing() -> None:
    table = set(re.findall(r"^\| \[([\w.]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    assert table == {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".sh"}}


def test_a_model_server_reports_and_a_nightly_job_sends_the_labels(
    kb: Client, address: str, tmp_path: Path
) -> None:
    with served("model_server", address) as server:
        ids = [
            server.post("/predict", json={"country": country, "minutes": 20}).json()["id"]
            for country in ["DE", "FR"] * 150
        ]
        assert server.get("/healthz").json() | {"pending": 0} == {
            "pending": 0,
            "dropped": 0,
            "problem": None,
        }
    assert rows_of(kb, "visits")["predictions"] == 300
    file = tmp_path / "labels.csv"
    pd.DataFrame({"id": ids, "clicked": np.arange(300) % 4 == 0}).astype({"clicked": int}).to_csv(
        file, index=False
    )
    for known in (0, 300):  # cron may run it twice
        ran = run(sys.executable, EXAMPLES / "nightly_labels.py", file)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.startswith(f"{300 - known} labels, ")
        assert ran.stdout.endswith(f" {known} were there already\n")
    assert rows_of(kb, "visits") == {
        "observations": 0,
        "predictions": 300,
        "labels": 300,
        "matched": 300,
    }
    assert kb.monitor("visits").report(by="country").n == 300


def test_a_nightly_job_names_the_row_that_is_wrong(kb: Client, tmp_path: Path) -> None:
    kb.monitor("visits").ensure(slices=["country"])
    file = tmp_path / "labels.csv"
    file.write_text("id,clicked\na,1\nb,7\n")
    ran = run(sys.executable, EXAMPLES / "nightly_labels.py", file)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.search(r"labels\.csv, row 1: ", ran.stderr)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_what_kserve_logs_of_a_model_counts_once(kb: Client, address: str, mode: str) -> None:
    body = {
        "model_name": "ranker",
        "model_version": "3",
        "outputs": [
            {"name": "other", "shape": [1], "datatype": "FP64", "data": [9.0]},
            {
                "name": "probabilities",
                "shape": [3, 2],
                "datatype": "FP64",
                "data": [0.8, 0.2, 0.6, 0.4, 0.1, 0.9],
            },
        ],
    }
    kind = "org.kubeflow.serving.inference."
    with served("payload_logger", address) as logger:
        for of, status in (("request", 204), ("response", 202), ("response", 202)):
            about = {"id": f"e-{mode}", "source": "/", "type": kind + of, "specversion": "1.0"}
            event = CloudEvent(
                attributes={**about, "datacontenttype": "application/json"}, data=body
            )
            as_mode = {"binary": events.to_binary_event, "structured": events.to_structured_event}
            message = as_mode[mode](event)
            answer = logger.post("/", content=message.body, headers=message.headers)
            assert answer.status_code == status, answer.text
    monitor = kb.monitor("served")
    taken = monitor.labels(id=[f"e-{mode}/{row}" for row in range(3)], y_true=[0, 0, 1])
    assert taken.matched == 3
    (group,) = monitor.report(by="model").groups
    assert group["slice"] == {"model": "ranker:3"}


class Topic:
    """A broker that delivers again what was not committed, in other batches."""

    def __init__(self, messages: list[bytes]) -> None:
        self.messages, self.done, self.at = messages, 0, 0

    def poll(self, most: int, seconds: float) -> list[bytes]:
        assert seconds > 0
        batch = self.messages[self.at : self.at + most]
        self.at += len(batch)
        return batch

    def commit(self) -> None:
        self.done = self.at

    def restart(self) -> None:
        self.at = self.done


def test_a_topic_that_delivers_again_counts_once(kb: Client) -> None:
    rng = np.random.default_rng(3)
    start = pd.Timestamp.now("UTC").timestamp() - 600
    rows = [
        {"id": f"k{at}", "p": float(rng.random()), "time": start + at / 10, "country": "DE"}
        for at in range(1_000)
    ]
    rows[500]["p"] = 1.7
    topic = Topic([json.dumps(row).encode() for row in rows])
    consume = example("kafka_consumer").consume
    loop = consume(topic, kb, most=300)
    new = [next(loop) for _ in range(2)]  # the second was sent, and is not committed: it dies there
    topic.done = 300
    topic.restart()
    again = consume(topic, kb, most=350)
    new += [next(again) for _ in range(3)]
    assert sum(new) == 999
    assert next(again) == 0
    assert rows_of(kb, "clicks")["predictions"] == 999


def test_partitions_that_are_tried_again_count_once(kb: Client) -> None:
    kb.monitor("nightly").ensure(slices=["country"])
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "id": [f"n{at}" for at in range(400)],
            "p": rng.random(400),
            "clicked": rng.integers(0, 2, 400),
            "time": pd.date_range(
                pd.Timestamp.now("UTC") - pd.Timedelta("1h"), periods=400, freq="s"
            ),
            "country": rng.choice(["DE", "FR"], 400),
        }
    )
    send = example("spark_sender").send
    parts = [frame.iloc[:150], frame.iloc[150:]]
    first = pd.concat(send(iter(parts)))
    again = pd.concat(send(iter(parts[1:])))
    assert (first["accepted"].sum(), first["rejected"].sum()) == (400, 0)
    assert again["accepted"].sum() == 250
    assert kb.monitor("nightly").report(last="2h").n == 400


def test_a_run_of_mlflow_has_the_scores_and_the_verdict(
    kb: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # its databases want packages more
    run_analysis()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    module = example("mlflow_run")
    with mlflow.start_run() as started:
        module.log_scores(kb, [1, 0, 1, 1], [0.9, 0.2, 0.6, 0.7])
        module.log_verdict(kb, "ranker")
    logged = mlflow.get_run(started.info.run_id)
    expected = -np.log([0.9, 0.8, 0.6, 0.7]).mean()
    assert logged.data.metrics["log_loss"] == pytest.approx(expected, rel=1e-12)
    assert logged.data.tags["kullback.verdict"] == "better"
    assert "new" in mlflow.artifacts.load_text(f"{logged.info.artifact_uri}/verdict.md")


def run_analysis() -> str:
    ran = run(sys.executable, EXAMPLES / "ab_analysis.py")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_analysis_finds_the_better_ranker_however_often_it_is_run(kb: Client) -> None:
    told = [run_analysis() for _ in range(2)]
    assert told[0].splitlines()[0] == "better"
    assert {arm["units"] for arm in kb.experiment("ranker").report().arms} == {4_000}
    assert told[0] == told[1]


def test_the_requests_of_curl_are_answered(kb: Client) -> None:
    ran = run("/bin/sh", EXAMPLES / "requests.sh")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert rows_of(kb, "by-curl")["observations"] == 3
