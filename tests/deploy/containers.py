"""Containers without a daemon: podman with a store of its own, and a clean Debian to begin with."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest

SUITE = "trixie"  # the Debian that python:3.13-slim is made of
PACKAGES = {"mmdebstrap": "mmdebstrap", "podman": "podman", "crun": "crun", "nsenter": "util-linux"}
# What reaches the registry from here must reach it from inside.
_PASSED_ON = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
_START_SECONDS = 60.0
_ASK = """
import sys
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
method, address, key, body = sys.argv[1:]
headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer " + key} if key else {})
request = Request(address, body.encode() or None, headers, method=method)
try:
    answer = build_opener(ProxyHandler({})).open(request, timeout=30)
except HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())
"""


class Answer(NamedTuple):
    """What a service in a container says."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Engine:
    """Podman in a mount namespace in which nothing is known of cgroups, as those are not ours."""

    store: Path
    holder: int

    def command(self, *arguments: str | Path) -> list[str | Path]:
        return [
            *("nsenter", "--target", str(self.holder), "--mount", f"--wdns={Path.cwd()}", "podman"),
            *("--root", self.store / "root", "--runroot", self.store / "run"),
            *("--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"),
            *("--runtime", "crun", "--events-backend", "file", *arguments),
        ]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - podman on our own image
            self.command(*arguments), capture_output=True, text=True, check=False
        )

    def output(self, *arguments: str | Path) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.strip()

    def build(self, folder: Path, tag: str, *options: str) -> str:
        """Make an image of a folder's Dockerfile; what the steps print."""
        passed = [f"--volume={path}:{path}:ro" for path in _PASSED_ON if Path(path).exists()]
        how = ("--isolation=chroot", "--pull=never", "--format=docker", "--layers=false")
        return self.output("build", *how, *passed, *options, "--tag", tag, folder)

    def inspected(self, image: str) -> dict[str, Any]:
        """How an image says that it is run."""
        (found,) = json.loads(self.output("image", "inspect", image))
        config: dict[str, Any] = found["Config"]
        return config | {"Healthcheck": found["Healthcheck"]}

    def ask(
        self, name: str, method: str, address: str, key: str = "", body: object = None
    ) -> Answer:
        """Ask a service from inside the network of its container, which has no other."""
        process = self.output("inspect", "--format", "{{.State.Pid}}", name)
        content = "" if body is None else json.dumps(body)
        program = (sys.executable, "-c", _ASK, method, address, key, content)
        printed = subprocess.run(  # noqa: S603 - our own program
            ["nsenter", "--target", process, "--net", *program],  # noqa: S607 - of this system
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        status, _, text = printed.partition(" ")
        return Answer(int(status), text)


@contextmanager
def engine(store: Path) -> Iterator[Engine]:
    """An engine, until the block ends; skips, and says why, where there can be none."""
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NO IMAGE IS MADE: Debian's packages {', '.join(missing)} are missing")
    if os.geteuid() != 0:
        pytest.skip("NO IMAGE IS MADE: only root may make namespaces and mounts here")
    hidden = "mount -t tmpfs none /sys/fs/cgroup && echo && exec sleep infinity"
    with subprocess.Popen(  # noqa: S603 - of this system
        ["unshare", "--mount", "sh", "-c", hidden],  # noqa: S607
        stdout=subprocess.PIPE,
    ) as holder:
        try:
            assert holder.stdout is not None
            if holder.stdout.readline() != b"\n":
                pytest.skip("NO IMAGE IS MADE: no namespace of mounts can be made here")
            yield Engine(store, holder.pid)
        finally:
            holder.kill()
            holder.wait()
            shutil.rmtree(store, ignore_errors=True)


@contextmanager
def possible() -> Iterator[None]:
    """Skips, and says why, where what is tried tells of this machine and not of our image."""
    try:
        yield
    except AssertionError as error:
        pytest.skip(f"NO IMAGE IS MADE: no container runs here: {str(error)[-300:]}")


def debian(target: Path, variant: str, *packages: str) -> None:
    """A clean Debian of these packages, as a folder or an archive."""
    sbin = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    made = subprocess.run(  # noqa: S603 - of this system
        [
            *("mmdebstrap", "--mode=root", f"--variant={variant}"),
            *(f"--include={','.join(packages)}", SUITE, target, "http://deb.debian.org/debian"),
        ],
        env={**os.environ, "PATH": sbin},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"NO IMAGE IS MADE: no {SUITE} can be had: {made.stderr[-300:]}")


@contextmanager
def container(
    engine: Engine, name: str, log: Path, *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A container in the foreground, from the moment its service listens."""
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603 - podman on our own image
            engine.command("run", "--name", name, *arguments), stdout=lines, stderr=lines
        )
    try:
        end = monotonic() + _START_SECONDS
        while "listening on" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert monotonic() < end, log.read_text()
            sleep(0.1)
        yield process
    finally:
        engine.run("stop", "--time", "30", name)
        process.wait(60)
        engine.run("rm", "--force", name)
