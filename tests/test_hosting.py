"""The files of the host run `make`, pinned and with few rights; the citation is of this version."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [GITHUB / "ISSUE_TEMPLATE" / name for name in ("bug.yml", "idea.yml")]
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program of this environment."""
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def is_valid(schema: str, *files: Path) -> bool:
    tool = Path(sys.executable).with_name("check-jsonschema")
    return run(tool, "--builtin-schema", f"vendor.{schema}", *files).returncode == 0


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_of_the_host_are_what_it_reads(schema: str, tmp_path: Path) -> None:
    assert is_valid(schema, *SCHEMAS[schema])
    broken = tmp_path / "broken.yml"
    broken.write_text(SCHEMAS[schema][0].read_text("utf-8") + "\nodd: [1]\n", "utf-8")
    assert not is_valid(schema, broken)


def test_workflows_have_no_rights_that_they_do_not_need(tmp_path: Path) -> None:
    audit = (Path(sys.executable).with_name("zizmor"), "--offline", "--persona", "auditor")
    result = run(*audit, GITHUB)
    assert result.returncode == 0, result.stdout
    loose = tmp_path / "loose.yml"
    pinned = WORKFLOWS[-1].read_text("utf-8")
    loose.write_text(re.sub(r"@[0-9a-f]{40} # (v\d).*", r"@\1", pinned), "utf-8")
    assert "unpinned-uses" in run(*audit, loose).stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_does_nothing_that_make_does_not(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for command in commands:
        asked = command.removeprefix("sudo ").split()
        assert asked[0] == "make"
        assert set(asked[1:]) <= set(targets)


def test_every_python_that_the_locks_are_for_is_tested() -> None:
    (job,) = yaml.safe_load((GITHUB / "workflows" / "test.yml").read_text("utf-8"))["jobs"].values()
    tested = job["strategy"]["matrix"]["python"]
    assert tested == [f"3.{minor}" for minor in range(11, 15)]
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_the_citation_names_this_version_and_its_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
