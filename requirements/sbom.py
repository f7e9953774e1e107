"""The bill of materials of what is shipped, as CycloneDX: `make sbom`, and a step of the image.

`python sbom.py PYTHON FILE` describes the packages of the runtime lock in the environment of
PYTHON, and the libraries that no package names.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

ROOT = Path(__file__).parent.parent
_LIBRARIES = """
import json, platform, sqlite3
print(json.dumps({"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}))
"""


def shipped() -> set[str]:
    """The names in the runtime lock."""
    lock = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    return set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))


def described(python: str) -> dict[str, Any]:
    """What is shipped, as it stands in the environment of a Python."""
    tool = (sys.executable, "-m", "cyclonedx_py", "environment", python)
    options = ("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible")
    document: dict[str, Any] = json.loads(_output(*tool, *options, "--no-validate"))
    names = shipped()
    document["components"] = [
        component
        for component in document["components"]
        if re.sub(r"[-_.]+", "-", component["name"]).lower() in names
    ]
    libraries = json.loads(_output(python, "-c", _LIBRARIES))
    document["components"] += [
        {
            "bom-ref": f"{name}=={version}",
            "name": name,
            "purl": f"pkg:generic/{name}@{version}",
            "type": "library",
            "version": version,
        }
        for name, version in libraries.items()
    ]
    root = document["metadata"]["component"]["bom-ref"]
    places = {root, *(component["bom-ref"] for component in document["components"])}
    document["dependencies"] = [
        {**entry, "dependsOn": [place for place in entry.get("dependsOn", ()) if place in places]}
        for entry in document["dependencies"]
        if entry["ref"] in places
    ]
    (entry,) = (entry for entry in document["dependencies"] if entry["ref"] == root)
    entry["dependsOn"] += [f"{name}=={version}" for name, version in libraries.items()]
    return document


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def main(python: str, target: Path) -> int:
    """Write the document, unless it breaks the schema; how the process should end."""
    text = json.dumps(described(python), indent=1) + "\n"
    error = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        sys.stderr.write(f"the bill of materials breaks its schema: {error}\n")
        return 1
    target.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
