"""What installs, builds and ships Kullback names only things that exist, at versions we trust."""

import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = ("build.txt", "runtime.txt", "dev.txt", "sbom.txt", "clients.txt")
DOCUMENTED_TARGETS = {
    "setup",
    "run",
    "test",
    "test-fast",
    "check",
    "bench",
    "audit",
    "sbom",
    "help",
}
INSTALLED_FROM = (
    *("requirements/build.txt", "requirements/runtime.txt"),
    *("pyproject.toml", "client/pyproject.toml"),
)


def project() -> dict[str, list[str]]:
    """The requirement lists of pyproject.toml by the lock that answers them."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {
        "build.txt": content["build-system"]["requires"],
        "runtime.txt": content["project"]["dependencies"],
        "dev.txt": content["dependency-groups"]["dev"],
        "sbom.txt": content["dependency-groups"]["sbom"],
        "clients.txt": content["dependency-groups"]["clients"],
    }


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / name).read_text()


def lock_entries(name: str) -> list[str]:
    """Each logical line of a lock file, comments left out."""
    joined = lock_text(name).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def locked_versions(name: str) -> dict[str, Version]:
    pins = (Requirement(entry.split("--hash")[0]) for entry in lock_entries(name))
    return {
        canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in pins
    }


def instructions(name: str) -> list[str]:
    """The arguments of every Dockerfile instruction called `name`, continued lines joined."""
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.findall(rf"^\s*{name}\s+(.*)$", joined, flags=re.MULTILINE)
    return [" ".join(arguments.split()) for arguments in found]


def health_command() -> list[str]:
    (_, command) = instructions("HEALTHCHECK")[0].split("CMD ")
    parsed: list[str] = json.loads(command)
    return parsed


def make(*arguments: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None, "make is how everything here is run"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    environment.pop("MFLAGS", None)
    return subprocess.run(  # noqa: S603 - our own Makefile
        [program, "--no-print-directory", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def help_targets() -> list[str]:
    return re.findall(r"^\s*make (\S+)", make("help").stdout, flags=re.MULTILINE)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    result = subprocess.run(  # noqa: S603 - the linter of our own environment
        [program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "")


def test_every_copied_file_exists_and_passes_the_dockerignore() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [copy.split()[:-1] for copy in instructions("COPY") if "--from" not in copy]
    assert copied
    for source in (path for sources in copied for path in sources):
        assert (ROOT / source).exists(), source
        assert f"!{Path(source).parts[0]}" in allowed, source


def test_every_lock_the_image_installs_exists_and_is_hash_checked() -> None:
    installs = [step for run in instructions("RUN") for step in run.split("&&") if " -r " in step]
    assert installs
    for step in installs:
        assert "--require-hashes" in step
        assert all((ROOT / lock).is_file() for lock in re.findall(r"-r (\S+)", step))


def test_the_image_runs_as_nobody_and_keeps_its_files_unchanged() -> None:
    assert instructions("USER") == ["65532:65532"]
    settings = instructions("ENV")[0].split()
    assert {"PYTHONDONTWRITEBYTECODE=1", "MALLOC_ARENA_MAX=2"} <= set(settings)


def test_the_image_starts_a_command_that_the_project_installs() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program = json.loads(instructions("CMD")[-1])[0]
    assert callable(pkgutil.resolve_name(scripts[program]))


def test_serve_knows_every_option_the_image_gives_it() -> None:
    (_, subcommand, *options) = json.loads(instructions("CMD")[-1])
    described = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "kullback", subcommand, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in (option for option in options if option.startswith("--")):
        assert option in described


def test_the_health_check_asks_a_path_the_service_has_on_the_port_it_listens_on() -> None:
    (port, path) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", health_command()[-1])[0]
    serve = json.loads(instructions("CMD")[-1])
    assert port == instructions("EXPOSE")[0] == serve[serve.index("--port") + 1]
    routes = "".join(file.read_text() for file in (ROOT / "app" / "kullback" / "api").glob("*.py"))
    assert f'"{path}"' in routes


def test_the_health_check_is_a_program_python_can_compile() -> None:
    (program, option, source) = health_command()
    assert (program, option) == ("python", "-c")
    compile(source, "HEALTHCHECK", "exec")


def test_compose_runs_the_image_locked_down_and_on_loopback_only() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert "version" not in composed
    service = composed["services"]["kullback"]
    assert (ROOT / service["build"] / "Dockerfile").is_file()
    assert service["ports"] == [f"127.0.0.1:8000:{instructions('EXPOSE')[0]}"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - of the container, not of this machine


def test_compose_checks_health_as_the_image_does_on_the_port_of_probes() -> None:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["kullback"]
    port = service["environment"]["KULLBACK_METRICS_PORT"]
    command = [part.replace(":8000/", f":{port}/") for part in health_command()]
    assert service["healthcheck"]["test"] == ["CMD", *command]
    assert service["environment"]["KULLBACK_METRICS_HOST"] == "0.0.0.0"  # noqa: S104 - in its network


def test_image_and_compose_name_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["kullback"]
    assert service["image"] == f"kullback:{version}"
    assert f"VERSION={version}" in instructions("ARG")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ ", lock_text(lock))


@pytest.mark.parametrize("directory", ["browser", "clients", "deploy"])
def test_a_lock_of_npm_holds_no_address(directory: str) -> None:
    assert "://" not in (ROOT / "tests" / directory / "package-lock.json").read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_and_its_hashes(lock: str) -> None:
    line = re.compile(r"[a-z0-9.-]+==\S+( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry for entry in lock_entries(lock) if not line.fullmatch(entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_answers_every_requirement_of_the_project(lock: str) -> None:
    pins = locked_versions(lock)
    for wanted in map(Requirement, project()[lock]):
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier, str(wanted)


def test_the_build_group_is_what_the_build_backend_asks_for() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert content["dependency-groups"]["build"] == content["build-system"]["requires"]


@pytest.mark.parametrize(
    ("lock", "other"),
    [("runtime.txt", "dev.txt"), ("runtime.txt", "sbom.txt"), ("dev.txt", "sbom.txt")],
)
def test_locks_of_one_environment_agree(lock: str, other: str) -> None:
    first, second = locked_versions(lock), locked_versions(other)
    shared = first.keys() & second.keys()
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize("name", ["python-multipart", "httpx2"])
def test_a_package_we_refuse_is_not_shipped(name: str) -> None:
    assert canonicalize_name(name) not in locked_versions("runtime.txt")


def test_make_alone_prints_the_help() -> None:
    assert make().stdout == make("help").stdout


def test_make_help_lists_the_documented_targets() -> None:
    assert set(help_targets()) >= DOCUMENTED_TARGETS


def test_every_target_of_make_help_can_be_made() -> None:
    for target in help_targets():
        assert make("--dry-run", target).returncode == 0, target


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_make_says_which_python_it_needs(python: str, tmp_path: Path) -> None:
    result = make("setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert result.returncode == 2
    assert f"Kullback needs Python 3.11 or newer, but {python} is not there" in result.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The files `make setup` reads, and the marks it leaves once they are installed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in INSTALLED_FROM:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000))
    (tmp_path / ".venv").mkdir()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for stamp, made in ((f".python-{version}", 1000), (".runtime", 2000)):
        (tmp_path / ".venv" / stamp).touch()
        os.utime(tmp_path / ".venv" / stamp, (made, made))
    return tmp_path


def is_up_to_date(directory: Path) -> bool:
    asked = make("--question", "setup", f"PYTHON={sys.executable}", directory=directory)
    return asked.returncode == 0


def test_a_second_setup_installs_nothing(installed: Path) -> None:
    assert is_up_to_date(installed)


@pytest.mark.parametrize("name", INSTALLED_FROM)
def test_setup_installs_again_when_what_it_reads_has_changed(name: str, installed: Path) -> None:
    os.utime(installed / name, (3000, 3000))
    assert not is_up_to_date(installed)


def test_setup_starts_over_when_another_python_is_named(installed: Path) -> None:
    (mark,) = (installed / ".venv").glob(".python-*")
    mark.rename(mark.with_name(".python-3.0"))
    assert not is_up_to_date(installed)


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make test\b", script.read_text(), flags=re.MULTILINE)
