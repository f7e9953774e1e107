"""A webhook of an Alertmanager, a real one where there is one, tells a chat what is the matter."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from time import monotonic

import httpx
import numpy as np
import pytest

from kullback_client import Client
from tests.examples.test_examples import EXAMPLES
from tests.experiments.arms import paired
from tests.experiments.service import sent
from tests.monitoring.service import Document
from tests.serving import serving

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PLAN: Document = {"arms": ["a", "b"], "design": "paired", "minimum_effect": 0.02}
DECIDED: Document = {
    "labels": {
        "alertname": "KullbackExperimentDecided",
        "experiment": "chat",
        "arm": "b",
        "verdict": "worse",
        "severity": "info",
    },
    "annotations": {
        "summary": "Experiment chat: b is worse than the control",
        "page_url": "http://127.0.0.1:8000/experiments/chat",
    },
}


class _Chat(ThreadingHTTPServer):
    """A chat that keeps what it is told; `status` is what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Message)
        self.texts: Queue[str] = Queue()
        self.status = 200


class _Message(BaseHTTPRequestHandler):
    server: _Chat

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.texts.put(body["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def chat() -> Iterator[_Chat]:
    with _Chat() as chat:
        Thread(target=chat.serve_forever, daemon=True).start()
        yield chat
        chat.shutdown()


@pytest.fixture(scope="module")
def receiver(chat: _Chat) -> Iterator[str]:
    """The example, beside a service in which b is worse than a."""
    with serving() as service:
        with Client(service.address) as kb:
            rows = sent(paired(noise=3.0, n=3000))
            kb.experiment("chat").ensure(**PLAN).observe(**rows)
            p = np.full(6000, 0.5)
            kb.monitor("ads").ensure().observations(y_true=np.arange(6000) % 2, y_proba=p)
        command = (sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "0")
        where = f"http://127.0.0.1:{chat.server_port}"
        with serving(
            *command, "alert_receiver:app", KULLBACK_URL=service.address, CHAT_URL=where
        ) as server:
            yield server.address


def posted(receiver: str, *alerts: Document) -> httpx.Response:
    """The answer to a message of version 4, as the Alertmanager documents it."""
    message = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "chat"}
    return httpx.post(receiver, json=message | {"alerts": alerts}, trust_env=False)


def test_a_verdict_is_told_with_its_reason_and_its_page(receiver: str, chat: _Chat) -> None:
    assert posted(receiver, DECIDED | {"status": "firing"}).status_code == 204
    summary, verdict, page = chat.texts.get(timeout=30).splitlines()
    assert summary == "Experiment chat: b is worse than the control"
    assert verdict.startswith("b against a: worse. Its log loss is worse by at least ")
    assert page == "http://127.0.0.1:8000/experiments/chat"


def test_a_check_that_is_off_is_told_and_one_that_ended_is_over(receiver: str, chat: _Chat) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "KullbackNoSkill", "monitor": "ads", "check": "no_skill"},
        "annotations": {"summary": "Monitor ads: predictions are no better than the base rate"},
    }
    assert posted(receiver, alert, alert | {"status": "resolved"}).status_code == 204
    firing, resolved = chat.texts.get(timeout=30).split("\n\n")
    assert firing.splitlines()[0] == "Monitor ads: predictions are no better than the base rate"
    assert resolved == "over: Monitor ads: predictions are no better than the base rate"


def test_what_was_removed_is_told_of_all_the_same(receiver: str, chat: _Chat) -> None:
    gone = {"status": "firing", "labels": {"alertname": "A", "monitor": "no"}, "annotations": {}}
    assert posted(receiver, gone).status_code == 204
    assert chat.texts.get(timeout=30) == "A\nIt was removed meanwhile."


def test_a_chat_that_is_away_is_tried_again(receiver: str, chat: _Chat) -> None:
    chat.status = 503
    try:
        assert posted(receiver, DECIDED | {"status": "firing"}).status_code == 502
    finally:
        chat.status = 200
    assert chat.texts.get(timeout=30)


@pytest.mark.skipif(ALERTMANAGER is None, reason="alertmanager is not installed")
def test_a_real_alertmanager_reaches_the_chat(receiver: str, chat: _Chat, tmp_path: Path) -> None:
    with _alertmanager(receiver, tmp_path) as address:
        answer = httpx.post(f"{address}/api/v2/alerts", json=[DECIDED], trust_env=False)
        assert answer.status_code == 200
        text = chat.texts.get(timeout=60)
    assert "b against a: worse." in text


@contextmanager
def _alertmanager(receiver: str, folder: Path) -> Iterator[str]:
    hook = {"url": receiver, "send_resolved": True}
    config = {
        "route": {"receiver": "chat", "group_by": ["experiment"], "group_wait": "0s"},
        "receivers": [{"name": "chat", "webhook_configs": [hook]}],
    }
    (folder / "alertmanager.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert ALERTMANAGER is not None
    process = subprocess.Popen(  # noqa: S603 - Debian's
        [
            ALERTMANAGER,
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    end, pause = monotonic() + 60, Event()
    while monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(address, trust_env=False).is_success:
                return
        pause.wait(0.1)
    raise AssertionError(f"nobody answers at {address}")
