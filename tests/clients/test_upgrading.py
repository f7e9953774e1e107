"""Clients that people have score as they are, those that ask for an upgrade too."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.serving import serving

HERE = Path(__file__).parent
BODY = '{"p": [0.5, 0.5]}'
HEADER = "Content-Type: application/json"
PACKAGES = {"java": "default-jdk-headless", "node": "nodejs"}
_FETCH = """
const post = (body) => fetch(process.argv[1],
  {method: "POST", body, headers: {"Content-Type": "application/json"}});
const large = process.argv[2] + " ".repeat(1 << 20);
const statuses = [];
for (const body of [process.argv[2], large]) statuses.push((await post(body)).status);
const late = new ReadableStream({async start(controller) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  controller.enqueue(new TextEncoder().encode(process.argv[2]));
  controller.close();
}});
statuses.push((await fetch(process.argv[1], {method: "POST", body: late, duplex: "half",
  headers: {"Content-Type": "application/json"}})).status);
console.log(JSON.stringify(statuses));
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as served:
        yield f"{served.address}/v1/scores/entropy"


def printed(name: str, options: Sequence[str | Path], text: str | None = None) -> str:
    """What a client prints."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed: IT SCORES NOTHING (apt: {PACKAGES.get(name, name)})")
    done = subprocess.run(  # noqa: S603 - clients on our own service
        [program, *options], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_java_scores(address: str) -> None:
    assert printed("java", [HERE / "Upgrading.java", address]).split() == ["200"] * 3


@pytest.mark.parametrize(
    ("version", "framing"),
    [
        (version, framing)
        for version in ("--http1.0", "--http1.1", "--http2")
        for framing in ("Expect:", "Expect: 100-continue", "Transfer-Encoding: chunked")
        if version != "--http1.0" or framing != "Transfer-Encoding: chunked"
    ],
)
def test_curl_scores(address: str, version: str, framing: str) -> None:
    options = ["-sS", version, "-H", HEADER, "-H", framing, "--data-binary", "@-"]
    status = ["-w", "\n%{http_code}"]
    body, code = printed("curl", [*options, *status, address], BODY).rsplit("\n", 1)
    assert (code, json.loads(body)["metric"]) == ("200", "entropy")


def test_curl_sees_why_a_large_file_is_refused(address: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(70 << 20)
    options = ["-sS", "--http2", "-H", HEADER, "--data-binary", f"@{file}", "-w", "\n%{http_code}"]
    body, code = printed("curl", [*options, address]).rsplit("\n", 1)
    assert (code, json.loads(body)["type"]) == ("413", "/problems/body-too-large")


def test_wget_scores(address: str) -> None:
    options = ["-q", "-O", "-", "--header", HEADER, "--post-data", BODY]
    assert json.loads(printed("wget", [*options, address]))["metric"] == "entropy"


def test_node_scores(address: str) -> None:
    options = ["--input-type=module", "--eval", _FETCH, address, BODY]
    assert json.loads(printed("node", options)) == [200] * 3
