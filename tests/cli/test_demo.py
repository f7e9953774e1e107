"""`kullback demo` shows what it promises while it runs, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from typer.testing import CliRunner, Result

from kullback.cli import app
from kullback.cli.progress import progress
from tests.serving import ROOT, serving

ANY_PORT = ("demo", "--port", "0", "--history-hours", "2", "--no-open")
PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
FOREIGN = {"KULLBACK_MAX_BODY_MB": "none", "WEB_CONCURRENCY": "4"}
PATIENCE = 60.0


class Demo(NamedTuple):
    """A demonstration that runs, and the directory of its temporary files."""

    client: httpx.Client
    process: "subprocess.Popen[str]"
    directory: Path

    def get(self, path: str) -> dict[str, object]:
        answer: dict[str, object] = self.client.get(path).raise_for_status().json()
        return answer

    def end(self, one: signal.Signals) -> int:
        self.process.send_signal(one)
        return self.process.wait(PATIENCE)


@contextmanager
def started(
    directory: Path,
    here: Path = ROOT,
    options: Sequence[str] = ANY_PORT,
    environment: Mapping[str, str] = PLAIN,
) -> "Iterator[subprocess.Popen[str]]":
    """A demonstration that begins; what is set for other services does not disturb it."""
    own = {"TMPDIR": str(directory), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-P", "-m", "kullback", *options],
        cwd=here,
        env={**os.environ, **FOREIGN, **environment, **own},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def demonstrated(
    directory: Path,
    here: Path = ROOT,
    options: Sequence[str] = ANY_PORT,
    environment: Mapping[str, str] = PLAIN,
) -> Iterator[Demo]:
    """A demonstration, from the moment all of its data is there."""
    with started(directory, here, options, environment) as process:
        assert process.stdout is not None
        address = address_in(process.stdout.readline())
        assert any(line.startswith("All example data") for line in process.stdout)
        with httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False) as client:
            yield Demo(client, process, directory)


def address_in(line: str) -> str:
    (address,) = re.findall(r"http://127\.0\.0\.1:\d+", line)
    return str(address)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold before patience ends."""
    pause = threading.Event()
    return any(holds() or pause.wait(0.1) for _ in range(int(PATIENCE / 0.1)))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    here = tmp_path_factory.mktemp("another-project")
    (here / "app.py").write_text("raise SystemExit('this is not Kullback')")
    with demonstrated(tmp_path_factory.mktemp("demo"), here) as running:
        yield running


def test_all_are_there_with_their_history(demo: Demo) -> None:
    for name, least in (
        ("ctr-healthy", 12_000),
        ("ctr-drifting", 12_000),
        ("fraud-feature", 3_000),
        ("feed-default", 2_000),
    ):
        counts = demo.get(f"/v1/monitors/{name}")["counts"]
        assert isinstance(counts, dict)
        assert counts["observations"] > least
    for name in ("ranker-paired", "layout-parallel"):
        arms = demo.get(f"/v1/experiments/{name}/report")["arms"]
        assert isinstance(arms, list)
        assert sum(arm["n"] for arm in arms) > 12_000


def test_two_monitors_are_broken_and_the_others_are_not(demo: Demo) -> None:
    # A round of maintenance may fall between the rows and the reference: the next one sees both.
    for name in ("ctr-drifting", "fraud-feature"):
        assert eventually(partial(is_broken, demo, name))
    sound = ("ctr-healthy", "intent-multiclass", "feed-default")
    assert [state(demo, name) for name in sound] == ["ok"] * 3


def is_broken(demo: Demo, name: str) -> bool:
    return state(demo, name) in {"warning", "critical"}


def test_the_feature_that_was_lost_is_named(demo: Demo) -> None:
    def says() -> bool:
        checks = demo.get("/v1/monitors/fraud-feature/checks")["checks"]
        assert isinstance(checks, list)
        (drift,) = (check for check in checks if check["name"] == "feature_drift")
        return drift["state"] == "critical" and "amount" in drift["statement"]

    assert eventually(says)
    assert eventually(lambda: "worst in <bdi>feature amount</bdi>" in demo.client.get("/").text)


def test_what_happened_is_marked(demo: Demo) -> None:
    marks = demo.get("/v1/monitors/ctr-drifting/annotations")["annotations"]
    assert isinstance(marks, list)
    assert [mark["text"] for mark in marks] == ["campaign in BR"]


def test_it_serves_while_it_fills_and_says_how_far_it_is(tmp_path: Path) -> None:
    with started(
        tmp_path, options=(*ANY_PORT[:3], "--history-hours", "24", "--no-open")
    ) as process:
        assert process.stdout is not None
        address = address_in(process.stdout.readline())
        page = httpx.get(address, trust_env=False, timeout=PATIENCE).text
        (notice,) = re.findall(r'<p class="notice"[^>]*>(.*?)</p>', page)
        assert re.match(r"Example data is being filled in: \d+ %", notice)
        said: list[str] = []
        while not said or not said[-1].startswith("All"):
            said.append(process.stdout.readline())
        parts = [int(part) for part in re.findall(r"(\d+) %", "".join(said))]
        assert parts == sorted(parts)
        assert (parts[0], parts[-1], len(parts)) == (0, 100, 6)
        assert 'class="notice"' not in httpx.get(address, trust_env=False, timeout=PATIENCE).text


def state(demo: Demo, name: str) -> str:
    """How the overview has it, once the service has looked."""
    row = re.compile(rf'monitors/{name}">.*?class="state[^"]*">(?:<[^>]*>\s*)*([a-z ]+)', re.DOTALL)
    found = ["unknown"]

    def is_known() -> bool:
        (match,) = row.findall(demo.client.get("/").text)
        found[0] = match.strip()
        return found[0] != "unknown"

    assert eventually(is_known)
    return found[0]


def test_the_drifting_one_promises_too_much_and_the_healthy_one_does_not(demo: Demo) -> None:
    ratios = []
    for name in ("ctr-healthy", "ctr-drifting"):
        metrics = demo.get(f"/v1/monitors/{name}/report")["metrics"]
        assert isinstance(metrics, dict)
        ratios.append(metrics["calibration_ratio"]["value"])
    assert ratios[0] == pytest.approx(1, abs=0.1)
    assert ratios[1] > 1.2


def test_labels_of_intents_come_later_than_predictions(demo: Demo) -> None:
    counts = demo.get("/v1/monitors/intent-multiclass")["counts"]
    assert isinstance(counts, dict)
    assert counts["matched"] == counts["labels"] > 2_000
    assert counts["pending"]["predictions"] == counts["predictions"] - counts["labels"] > 50


@pytest.mark.parametrize(
    ("name", "verdict"), [("ranker-paired", "better"), ("layout-parallel", "undecided")]
)
def test_experiments_stand_as_promised(name: str, verdict: str, demo: Demo) -> None:
    comparisons = demo.get(f"/v1/experiments/{name}/report")["comparisons"]
    assert isinstance(comparisons, list)
    assert [one["verdict"] for one in comparisons] == [verdict]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("monitors/ctr-healthy", "observations"),
        ("monitors/intent-multiclass", "labels"),
    ],
)
def test_rows_keep_arriving(path: str, what: str, demo: Demo) -> None:
    def count() -> int:
        counts = demo.get(f"/v1/{path}")["counts"]
        assert isinstance(counts, dict)
        return int(counts[what])

    before = count()
    assert eventually(lambda: count() > before)


def test_ctrl_c_ends_it_and_nothing_is_left(tmp_path: Path) -> None:
    with demonstrated(tmp_path) as running:
        (store,) = tmp_path.iterdir()
        assert (store / "kullback.db").exists()
        assert running.end(signal.SIGINT) == 0
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(httpx.ConnectError):
            running.client.get("/readyz")


@pytest.fixture
def hangups_count() -> Iterator[None]:
    """Who runs these tests may be deaf to the end of a terminal (nohup), and would pass it on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangups_count")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_however_early_it_is_ended_nothing_is_left(how: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert eventually(lambda: any(tmp_path.glob("*/kullback.db")))
        process.send_signal(how)
        assert process.wait(PATIENCE) == 0
        assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_one_clear_line_and_another_service_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with serving() as (address, _, _):
        port = address.rpartition(":")[2]
        result = CliRunner(env=PLAIN).invoke(app, ["demo", "--port", port, "--no-open"])
        assert httpx.get(f"{address}/v1/monitors", trust_env=False).json() == {"monitors": []}
    assert result.exit_code == 1
    assert result.stderr == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "--port 0 takes any that is free\n"
    )
    assert not list(tmp_path.glob("kullback-demo-*"))


@pytest.fixture
def own_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A port that is free, for a demonstration by this process."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def shown_until(port: str, end: Callable[[], None]) -> Result:
    """A demonstration by this process, that is ended in this way once rows arrive."""
    with ThreadPoolExecutor(1) as pool:
        watched = pool.submit(end_when_rows_arrive, f"http://127.0.0.1:{port}", end)
        asked = ["demo", "--port", port, "--history-hours", "2", "--no-open"]
        result = CliRunner(env=PLAIN).invoke(app, asked)
        watched.result()
    return result


def end_when_rows_arrive(address: str, end: Callable[[], None]) -> None:
    seen: set[str] = set()

    def is_fed() -> bool:
        with suppress(httpx.HTTPError), httpx.Client(base_url=address, trust_env=False) as client:
            if "layout-parallel" in client.get("/v1/experiments").text:
                seen.add(client.get("/v1/monitors/ctr-healthy").text)
        return len(seen) > 1

    try:
        eventually(is_fed)
    finally:
        end()


def test_the_command_leaves_its_own_process_as_it_was(tmp_path: Path, own_port: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    result = shown_until(own_port, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert (result.exit_code, result.stderr) == (0, "")
    assert address_in(result.stdout) == f"http://127.0.0.1:{own_port}"
    assert not list(tmp_path.glob("kullback-demo-*"))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no list of processes here")
def test_a_service_that_dies_ends_the_command_in_one_line(tmp_path: Path, own_port: str) -> None:
    result = shown_until(own_port, lambda: kill_service(own_port))
    assert (result.exit_code, len(result.stderr.splitlines())) == (3, 1)
    assert result.stderr.startswith("the service is gone: ")
    assert not list(tmp_path.glob("kullback-demo-*"))


def kill_service(port: str) -> None:
    """Kill the one child of this process that listens there."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    command = f"--port={port}".encode()
    (service,) = (one for one in children if command in Path(f"/proc/{one}/cmdline").read_bytes())
    os.kill(int(service), signal.SIGKILL)


def test_a_browser_is_opened_where_there_is_a_desktop(tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    desktop = {"DISPLAY": ":0", "BROWSER": f"{browser} %s"}
    with demonstrated(tmp_path, options=ANY_PORT[:-1], environment=desktop) as running:
        assert eventually(opened.exists)
        assert opened.read_text().strip() == str(running.client.base_url).rstrip("/")


def test_progress_is_not_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(10) as done:
        done(5)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "options", [["--history-hours", "1"], ["--seed", "-1"], ["--port", "65536"]]
)
def test_impossible_options_are_refused(options: list[str]) -> None:
    result = CliRunner(env=PLAIN).invoke(app, ["demo", *options])
    assert result.exit_code == 2
    assert options[0] in result.stderr
