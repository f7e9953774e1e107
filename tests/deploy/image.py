"""The image is made by the Dockerfile as it stands and runs as documented: `make image-test`.

It takes minutes, and root, and is no part of `make test`. No registry of images is in reach, so a
clean Debian with the same Python takes the place of the one that FROM names; every other step is
the Dockerfile's own.
"""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
import yaml

from tests.deploy.containers import Engine, container, debian, engine, possible
from tests.deploy.files import COMPOSE, ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
IMAGE = f"kullback:{VERSION}"
REVISION = "0123456789abcdef0123456789abcdef01234567"
# These want cgroups or a bridge, which are not ours to make; the limits below want no more than
# this machine has.
_LEFT_OUT = r"--(?:memory|pids-limit|publish) \S+ ?"
_HERE = (
    "--cgroups=disabled",
    "--network=none",
    "--ulimit=nofile=4096:4096",
    "--ulimit=nproc=4096:4096",
)


@dataclass(frozen=True, slots=True)
class Running:
    """A container that serves, and a key for it."""

    engine: Engine
    key: str


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("store")) as found:
        yield found


@pytest.fixture(scope="session")
def base(podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What stands in for the image that FROM names.

    Skips where no image at all can be made, or none that reaches a registry of packages.
    """
    (name,) = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    folder = tmp_path_factory.mktemp("base")
    debian(folder / "root.tar", "minbase", "python3", "python3-venv", "ca-certificates")
    (folder / "Dockerfile").write_text(
        "FROM scratch\nADD root.tar /\nRUN python3 -m venv /usr/local\n"
        "RUN pip download --quiet --no-deps --dest /tmp/some setuptools && rm -r /tmp/some\n"
        'CMD ["python3"]\n'
    )
    with possible():
        podman.build(folder, f"docker.io/library/{name}")
        podman.output("run", "--rm", *_HERE, name, "python", "--version")
    (folder / "root.tar").unlink()  # it is large
    return str(name)


@pytest.fixture(scope="session")
def image(podman: Engine, base: str) -> str:
    """The image, made of what is committed or about to be."""
    assert base
    sys.stdout.write(podman.build(ROOT, IMAGE, f"--build-arg=REVISION={REVISION}"))
    return IMAGE


@pytest.fixture(scope="session")
def documented() -> list[list[str]]:
    """The two commands of docs/operations.md that make a key and start a container."""
    page = (ROOT / "docs" / "operations.md").read_text().partition("\n## Docker\n")[2]
    text = re.sub(r"\\\n\s*", "", page.partition("\n## ")[0])
    commands = re.findall(r"^    docker run (.*)$", text, re.MULTILINE)
    return [shlex.split(re.sub(_LEFT_OUT, "", command)) for command in commands]


@pytest.fixture(scope="session")
def key(podman: Engine, image: str, documented: list[list[str]]) -> str:
    (create, _) = documented
    assert image in create
    return podman.output("run", *_HERE, *create, "--scope", "score", "--scope", "write")


@pytest.fixture
def running(
    podman: Engine, documented: list[list[str]], key: str, tmp_path: Path
) -> Iterator[Running]:
    (_, serve) = documented
    with container(podman, "kullback", tmp_path / "log", *_HERE, *serve):
        yield Running(podman, key)


def printed(running: Running, *command: str) -> subprocess.CompletedProcess[str]:
    return running.engine.run("exec", "kullback", *command)


def test_the_stand_in_has_the_python_of_the_image(podman: Engine, base: str) -> None:
    version = podman.output("run", "--rm", *_HERE, base, "python", "--version")
    wanted = base.removeprefix("python:").removesuffix("-slim")
    assert version.startswith(f"Python {wanted}.")


def test_the_image_says_what_it_is(podman: Engine, image: str) -> None:
    config = podman.inspected(image)
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()}
    assert (
        labels.items()
        >= {
            "title": "Kullback",
            "licenses": "Apache-2.0",
            "version": VERSION,
            "revision": REVISION,
        }.items()
    )
    assert config["User"] == "65532:65532"
    assert config["ExposedPorts"].keys() == {"8000/tcp", "8001/tcp"}
    assert config["Volumes"].keys() == {"/data"}
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_it_knows_what_it_is_made_of(podman: Engine, image: str) -> None:
    place = "/opt/kullback/sbom.cdx.json"
    bill = json.loads(podman.output("run", "--rm", *_HERE, image, "cat", place))
    assert bill["metadata"]["component"]["version"] == VERSION
    parts = {part["name"]: part["version"] for part in bill["components"]}
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    assert parts["numpy"] in re.findall(r"^numpy==(\S+)", lock, re.MULTILINE)
    assert parts["python"].startswith("3.13")


def test_what_made_it_is_left_behind(podman: Engine, image: str) -> None:
    script = "import importlib.util as u; print([u.find_spec(n) for n in ('pip', 'cyclonedx')])"
    assert podman.output("run", "--rm", *_HERE, image, "python", "-c", script) == "[None, None]"
    for place in ("/src", "/opt/sbom"):
        assert podman.run("run", "--rm", *_HERE, image, "test", "!", "-e", place).returncode == 0


def test_it_is_of_this_version(podman: Engine, image: str) -> None:
    assert VERSION in podman.output("run", "--rm", *_HERE, image, "kullback", "--version")


def test_a_container_scores_and_keeps_what_it_was_told(running: Running) -> None:
    ask, here = running.engine.ask, "http://127.0.0.1:8000"
    assert ask("kullback", "GET", f"{here}/readyz").status == 200
    body = {"p": [0.5, 0.5], "q": [0.25, 0.75], "base": "2"}
    assert ask("kullback", "POST", f"{here}/v1/scores/kl-divergence", body=body).status == 401
    scored = ask("kullback", "POST", f"{here}/v1/scores/kl-divergence", running.key, body)
    assert (scored.status, json.loads(scored.text)["value"]) == (200, 0.2075187496394219)
    place = f"{here}/v1/monitors/clicks"
    assert ask("kullback", "PUT", place, running.key, {}).status in {200, 201}
    rows = {"y_true": [1, 0, 1, 0], "y_proba": [0.9, 0.2, 0.6, 0.4]}
    assert ask("kullback", "POST", f"{place}/observations", running.key, rows).status == 200
    owner = printed(running, "stat", "--format=%u:%g", "/data/kullback.db").stdout.strip()
    assert owner == "65532:65532"


def test_another_container_finds_it_on_the_volume(running: Running) -> None:
    place = "http://127.0.0.1:8000/v1/monitors/clicks/report"
    answer = running.engine.ask("kullback", "GET", place, running.key)
    assert (answer.status, json.loads(answer.text)["n"]) == (200, 4)


def test_a_container_may_write_its_data_and_nothing_else(running: Running) -> None:
    for place in ("/data/x", "/tmp/x"):  # noqa: S108 - of the container
        assert printed(running, "touch", place).returncode == 0
    for place in ("/x", "/opt/kullback/x", "/opt/kullback/bin/python"):
        assert printed(running, "touch", place).returncode != 0, place
    root = printed(running, "cat", "/proc/mounts").stdout.partition("\n")[0].split()
    assert (root[1], root[3].split(",")[0]) == ("/", "ro")
    status = printed(running, "cat", "/proc/1/status").stdout
    found = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\t(\w+)", status, re.MULTILINE))
    none = "0" * 16
    assert found == {"Uid": "65532", "CapEff": none, "CapBnd": none, "NoNewPrivs": "1"}


def test_its_own_health_check_passes(running: Running, image: str) -> None:
    (_, *command) = running.engine.inspected(image)["Healthcheck"]["Test"]
    checked = printed(running, *command)
    assert checked.returncode == 0, checked.stderr


def test_it_ends_soon_when_it_is_told_to(
    podman: Engine, documented: list[list[str]], key: str, tmp_path: Path
) -> None:
    assert key
    (_, serve) = documented
    with container(podman, "ending", tmp_path / "log", *_HERE, *serve) as process:
        began = monotonic()
        podman.output("stop", "--time", "30", "ending")
        assert process.wait(30) == 0  # the kernel ends no first process by a signal of its own
        assert monotonic() - began < 20


@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_40", "aarch64-manylinux_2_40"])
def test_every_processor_has_the_wheels_of_the_lock(platform: str, tmp_path: Path) -> None:
    result = subprocess.run(  # noqa: S603 - uv of our own environment
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "--dry-run"),
            *("--target", tmp_path, "--python-version", "3.13", "--python-platform", platform),
            *("--only-binary", ":all:", "--require-hashes"),
            *("--requirement", ROOT / "requirements" / "runtime.txt"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "numpy==" in result.stderr


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Compose of our days; the one of this Debian may be of those before."""
    folder = tmp_path_factory.mktemp("compose") / "root"
    debian(folder, "extract", "docker-compose")
    return folder / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-compose"


def composed(compose: Path, folder: Path, *options: str, **environment: str) -> dict[str, str]:
    """The services that a command would start, with the database that each is given."""
    (folder / COMPOSE.name).write_text(COMPOSE.read_text())
    result = subprocess.run(  # noqa: S603 - of Debian
        [compose, *options, "config"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return {
        name: service.get("environment", {}).get("KULLBACK_DATABASE_URL", "")
        for name, service in yaml.safe_load(result.stdout)["services"].items()
    }


def test_compose_starts_the_service_alone_with_sqlite(compose: Path, tmp_path: Path) -> None:
    assert composed(compose, tmp_path) == {"kullback": "sqlite:////data/kullback.db"}


def test_compose_starts_all_of_it_with_the_password_of_a_file(
    compose: Path, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("KULLBACK_DATABASE_PASSWORD=secret\n")
    services = composed(compose, tmp_path, "--profile", "full")
    assert services == {
        "kullback": "postgresql+psycopg://kullback:secret@database/kullback",
        "database": "",
        "prometheus": "",
        "grafana": "",
    }
    assert composed(compose, tmp_path, COMPOSE_PROFILES="full") == services
