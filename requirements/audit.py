"""Whether a lock names a version with a flaw that is known: `make audit`, without a network."""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
ADVISORIES = Path(__file__).parent / "advisories.toml"
_TEXT = {"package", "fixed", "summary"}


@dataclass(frozen=True, slots=True)
class Advisory:
    """A flaw of every version of a package before the one that mended it."""

    ecosystem: str
    package: str
    fixed: Version
    id: str
    summary: str
    accepted: str = ""

    def concerns(self, pin: "Pin") -> bool:
        """Whether what is pinned has the flaw."""
        same = (self.ecosystem, self.package) == (pin.ecosystem, pin.package)
        return same and pin.version < self.fixed


@dataclass(frozen=True, slots=True)
class Pin:
    """A version that a lock installs."""

    ecosystem: str
    package: str
    version: Version

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def advisories(text: str) -> list[Advisory]:
    """Every entry of the list.

    Raises:
        ValueError: an entry is not complete, or holds what is no version.
    """
    content = tomllib.loads(text)
    if set(content) != {"advisory", "floor", "library"}:
        raise ValueError(f"the list has other tables than it should: {sorted(content)}")
    return [_advisory(table, entry) for table, entries in content.items() for entry in entries]


def _advisory(table: str, entry: dict[str, str]) -> Advisory:
    extra = {"id"} if table == "advisory" else {"id", "accepted"} if table == "library" else set()
    if set(entry) - {"ecosystem"} != _TEXT | extra or not all(entry.values()):
        raise ValueError(f"an entry of [[{table}]] is not complete: {entry}")
    ecosystem = "library" if table == "library" else entry.get("ecosystem", "pypi")
    name = entry["package"]
    return Advisory(
        ecosystem,
        canonicalize_name(name) if ecosystem == "pypi" else name,
        Version(entry["fixed"]),
        entry.get("id", "our floor"),
        entry["summary"],
        entry.get("accepted", ""),
    )


def python_pins(text: str) -> Iterator[Pin]:
    """What a lock of Python installs.

    Raises:
        ValueError: a line is no version with its hashes.
    """
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        stated, *hashes = line.split(" --hash=")
        requirement = Requirement(stated.strip())
        pinned = re.fullmatch(r"==([^,*]+)", str(requirement.specifier))
        if pinned is None or not hashes:
            raise ValueError(f"this is no version with its hashes: {line.strip()}")
        yield Pin("pypi", canonicalize_name(requirement.name), Version(pinned[1]))


def node_pins(text: str) -> Iterator[Pin]:
    """What a lock of npm installs.

    Raises:
        ValueError: an entry has no version.
    """
    content = json.loads(text)
    if content.get("lockfileVersion") != 3:
        raise ValueError("this is no lock of npm that can be read")
    for place, entry in content["packages"].items():
        if place:  # the first one is the project itself
            if "version" not in entry:
                raise ValueError(f"this has no version: {place}")
            name = entry.get("name", place.rpartition("node_modules/")[2])
            yield Pin("npm", name, Version(entry["version"]))


def complaints(pins: Iterable[Pin], flaws: Iterable[Advisory]) -> list[str]:
    """A line for each flaw that is not accepted."""
    flaws = [flaw for flaw in flaws if not flaw.accepted]
    return [
        f"{pin} is older than {flaw.fixed} ({flaw.id}): {flaw.summary}"
        for pin in pins
        for flaw in flaws
        if flaw.concerns(pin)
    ]


def audit(root: Path, flaws: Iterable[Advisory]) -> tuple[list[str], int]:
    """What is wrong with the locks of a directory, and how many pins were looked at."""
    flaws = list(flaws)
    lines, count = list[str](), 0
    locks = [(file, python_pins) for file in sorted(root.glob("requirements/*.txt"))]
    locks += [(file, node_pins) for file in sorted(root.glob("tests/*/package-lock.json"))]
    for file, read in locks:
        name = file.relative_to(root)
        try:
            pins = list(read(file.read_text("utf-8")))
        except ValueError as error:  # what cannot be read cannot be called sound
            lines.append(f"{name}: {error}")
            continue
        if not pins:
            lines.append(f"{name}: nothing is pinned here")
        count += len(pins)
        lines += [f"{name}: {complaint}" for complaint in complaints(pins, flaws)]
    return lines, count


def main() -> int:
    """Print what is wrong, and return how the process should end."""
    flaws = advisories(ADVISORIES.read_text("utf-8"))
    lines, count = audit(ROOT, flaws)
    for line in lines:
        sys.stderr.write(f"{line}\n")
    if not lines:
        sys.stdout.write(f"audit: {count} pins, {len(flaws)} advisories, none applies\n")
    return bool(lines) or count == 0


if __name__ == "__main__":
    sys.exit(main())
