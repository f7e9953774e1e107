"""Nothing that is installed, locked or shipped has a flaw that is known."""

import json
import re
import sqlite3
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from requirements import audit, sbom
from requirements.audit import ADVISORIES, ROOT, Pin

FLAWS = audit.advisories(ADVISORIES.read_text("utf-8"))
LIBRARIES = [flaw for flaw in FLAWS if flaw.ecosystem == "library"]
FLOORS = {  # which no edit of the list may lower
    "starlette": "1.6.0",
    "fastapi": "0.132.0",
    "uvicorn": "0.51.0",
    "h11": "0.16.0",
    "httptools": "0.8.0",
    "pydantic": "2.4.0",
    "orjson": "3.11.6",
    "pyarrow": "23.0.1",
    "pyjwt": "2.13.0",
    "python-multipart": "0.0.27",
}
HASH = " --hash=sha256:" + "0" * 64


def locks(root: Path, python: str = f"starlette==1.10.0{HASH}\n", node: str = "") -> Path:
    """A directory with one lock of each kind."""
    (root / "requirements").mkdir()
    (root / "requirements" / "dev.txt").write_text(python)
    (root / "tests" / "browser").mkdir(parents=True)
    packages = {"": {}, "node_modules/js-yaml": {"version": "4.2.0"}}
    lock = node or json.dumps({"lockfileVersion": 3, "packages": packages})
    (root / "tests" / "browser" / "package-lock.json").write_text(lock)
    return root


def test_no_lock_names_a_version_with_a_known_flaw() -> None:
    lines, count = audit.audit(ROOT, FLAWS)
    assert lines == []
    assert count >= 200


def test_no_package_that_is_installed_has_a_known_flaw() -> None:
    installed = [
        Pin("pypi", canonicalize_name(package.metadata["Name"]), Version(package.version))
        for package in distributions()
    ]
    assert len(installed) > 30
    assert audit.complaints(installed, FLAWS) == []


@pytest.mark.parametrize("name", FLOORS)
def test_the_list_refuses_everything_below_the_floors(name: str) -> None:
    highest = max(flaw.fixed for flaw in FLAWS if flaw.package == name)
    assert highest >= Version(FLOORS[name])


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.id)
def test_a_library_is_new_enough_or_its_flaw_is_accepted_with_a_test(
    library: audit.Advisory,
) -> None:
    assert library.package == "sqlite"
    if Version(sqlite3.sqlite_version) >= library.fixed:
        return
    (file, name) = re.findall(r"(tests/\S+\.py)::(\w+)", library.accepted)[0]
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")


def test_a_version_with_a_flaw_is_named_with_its_lock_and_the_version_that_is_safe(
    tmp_path: Path,
) -> None:
    root = locks(tmp_path, f"starlette==1.3.0 ; python_version < '4'{HASH}\n")
    (line,) = [line for line in audit.audit(root, FLAWS)[0] if "CVE-2026-54283" in line]
    assert line.startswith("requirements/dev.txt: starlette 1.3.0 is older than 1.3.1 (CVE-2026-")


def test_a_package_of_npm_with_a_flaw_is_named(tmp_path: Path) -> None:
    packages = {"": {}, "node_modules/a/node_modules/js-yaml": {"version": "4.1.0"}}
    root = locks(tmp_path, node=json.dumps({"lockfileVersion": 3, "packages": packages}))
    (line,) = audit.audit(root, FLAWS)[0]
    assert line.startswith("tests/browser/package-lock.json: js-yaml 4.1.0 is older than 4.1.1")


def test_sound_locks_pass(tmp_path: Path) -> None:
    assert audit.audit(locks(tmp_path), FLAWS) == ([], 2)


@pytest.mark.parametrize(
    "line",
    [
        f"starlette>=1.10{HASH}",
        f"starlette==1.*{HASH}",
        f"starlette{HASH}",
        "starlette==1.10.0",
        f"starlette @ file:///x{HASH}",
        f"starlette==new{HASH}",
        "-e .",
        "--index-url x",
        "",
    ],
)
def test_a_lock_that_cannot_be_read_is_no_lock_that_passes(line: str, tmp_path: Path) -> None:
    (complaint,) = audit.audit(locks(tmp_path, f"{line}\n"), FLAWS)[0]
    assert complaint.startswith("requirements/dev.txt: ")


@pytest.mark.parametrize(
    "lock",
    [
        "{}",
        "{",
        '{"lockfileVersion": 2, "packages": {"node_modules/a": {"version": "1.0"}}}',
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {"link": true}}}',
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "new"}}}',
        '{"lockfileVersion": 3, "packages": {}}',
    ],
)
def test_a_lock_of_npm_that_cannot_be_read_does_not_pass(lock: str, tmp_path: Path) -> None:
    (complaint,) = audit.audit(locks(tmp_path, node=lock), FLAWS)[0]
    assert complaint.startswith("tests/browser/package-lock.json: ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('fixed = "1.6.0"', 'fixed = "new"'),
        ('fixed = "1.6.0"', 'fixed = ""'),
        ('fixed = "1.6.0"\n', ""),
        ("[[floor]]", "[[flor]]"),
        ("summary =", "sumary ="),
    ],
)
def test_a_list_with_a_mistake_is_refused(before: str, after: str) -> None:
    text = ADVISORIES.read_text("utf-8")
    assert before in text
    with pytest.raises(ValueError, match=r"complete|version|tables|new|''"):
        audit.advisories(text.replace(before, after, 1))


def test_the_bill_of_materials_names_every_package_that_is_shipped_and_sqlite() -> None:
    document = sbom.described(sys.executable)
    components: dict[str, str] = {
        canonicalize_name(component["name"]): component["version"]
        for component in document["components"]
    }
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "kullback"
    lock = (ROOT / "requirements" / "runtime.txt").read_text("utf-8").replace("\\\n", " ")
    shipped = [
        Requirement(line.split(" --hash")[0])
        for line in lock.splitlines()
        if line and not line.lstrip().startswith("#")
    ]
    needed = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in shipped
        if pin.marker is None or pin.marker.evaluate()
    }
    assert len(needed) > 30
    assert {name: components.get(name) for name in needed} == needed
    assert components["sqlite"] == sqlite3.sqlite_version
    assert set(components) <= {*sbom.shipped(), "sqlite", "python"}
    assert sbom.described(sys.executable) == document  # reproducible
    assert str(ROOT) not in json.dumps(document)
