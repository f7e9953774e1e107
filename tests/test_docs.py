"""What the documents say is what the service does; what the service has is in the documents."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest
import yaml
from fastapi import FastAPI
from httpx import AsyncClient, Response
from starlette.routing import Route

from app.api.kinds import INTERNAL, KINDS
from app.api.request import ScoreRequest
from app.api.requests import REQUESTS
from app.scoring.catalog import METRICS
from app.scoring.conventions import ConventionName
from app.settings import Settings
from tests.serving import serving

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text()
API_PAGE = (ROOT / "docs" / "api.md").read_text()
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

LOGITS = {"logits": [[2.0, 0.0], [0.0, 1.0]], "y_true": [0, 1]}
MORE_REQUESTS: Sequence[tuple[str, Mapping[str, object]]] = (
    ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, 0.4], "class_weight": "balanced"}),
    ("log-loss", {"y_true": [[1, 0]], "y_proba": [[0.5, 0.4]], "task": "multilabel"}),
    ("log-loss", {"y_true": [0.5, 0.5], "y_proba": [0.5, 0.4]}),
    ("softmax-cross-entropy", {**LOGITS, "class_weight": [1, 2]}),
    ("softmax-cross-entropy", {"logits": [[0.0, 1.0]], "y_true": [[0.5, 0.5]]}),
    ("calibration", LOGITS),
    ("recommender", {"y_true": [0, 0], "y_proba": [0.5, 0.4]}),
)


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next one of its rank."""
    return re.split(r"^## ", page.split(f"## {heading}\n", 1)[1], flags=re.MULTILINE)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", text, flags=re.MULTILINE | re.DOTALL)


def own_fields(model: type[ScoreRequest]) -> set[str]:
    return set(model.model_fields) - set(ScoreRequest.model_fields) - {"gradient"}


def names_within(value: object) -> Iterator[str]:
    """Every key of an answer's details, at any depth; reasons are keyed by them once more."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from () if name == "reasons" else names_within(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_within(item)


async def post(client: AsyncClient, metric: str, body: str, **headers: str) -> Response:
    return await client.post(
        f"/v1/scores/{metric}",
        content=body,
        headers={"content-type": "application/json", **headers},
    )


@pytest.mark.anyio
async def test_the_readme_curl_gets_the_answer_that_is_printed(client: AsyncClient) -> None:
    words = shlex.split(blocks(README, "sh")[0])
    address = next(word for word in words if word.startswith("http"))
    assert words[words.index("-H") + 1] == "Content-Type: application/json"
    assert f"http://{Settings().host}:{Settings().port}/" in address
    answer = await post(client, address.rpartition("/")[2], words[words.index("-d") + 1])
    assert answer.text == blocks(README, "json")[0]


@pytest.mark.anyio
async def test_the_readme_problem_is_the_one_the_service_reports(client: AsyncClient) -> None:
    request, printed = blocks(section(README, "Errors"), "json")
    request_id = json.loads(printed)["request_id"]
    answer = await post(client, "log-loss", request, **{"x-request-id": request_id})
    assert (answer.status_code, answer.text) == (422, printed)


def test_the_readme_python_runs_and_prints_a_score() -> None:
    (program,) = blocks(README, "python")
    assert "http://127.0.0.1:8000/" in program
    with serving() as (address, _):
        result = subprocess.run(  # noqa: S603 - the example of our own README
            [sys.executable, "-c", program.replace("http://127.0.0.1:8000", address)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert re.fullmatch(r"0\.7\d+ bits\n", result.stdout)


def test_the_readme_lists_every_endpoint(app: FastAPI) -> None:
    routes = [route for route in app.routes if isinstance(route, Route)]
    metric_paths = {f"/v1/scores/{name}" for name in METRICS}
    assert len(routes) > len(metric_paths)
    for route in routes:
        if route.path.startswith("/static/"):
            continue
        path = "/v1/scores/{metric}" if route.path in metric_paths else route.path
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {path}`" in README


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `[A-Z_]+` .*$", section(README, "Configuration"), flags=re.MULTILINE)
    assert rows == [
        f"| `{field.validation_alias or f'KULLBACK_{name.upper()}'}` "
        f"| `{field.default}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("name", get_args(ConventionName))
async def test_the_readme_says_what_nothing_costs_under_each_convention(
    name: str, client: AsyncClient
) -> None:
    request = {"y_true": [1], "y_proba": [0.0], "convention": name}
    answer = (await post(client, "log-loss", json.dumps(request))).json()
    cost = "∞" if answer["status"] == "infinite" else f"{answer['value']} {answer['unit']}"
    rows = re.findall(rf"^\| `{name}`.*?\| (.*?) \|", README, flags=re.MULTILINE)
    assert rows == [cost]


def test_the_readme_names_every_metric() -> None:
    assert [name for name in METRICS if f"`{name}`" not in README] == []


def test_the_readme_commands_are_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert {"run", "test", "bench", "setup"} <= set(re.findall(r"make ([a-z]+)", README))
    for target in set(re.findall(r"`?make ([a-z]+)\b[` ]", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    for command in blocks(section(README, "The command line"), "sh")[0].splitlines():
        program, verb, metric, _, *options = shlex.split(command)
        assert (program, verb) == ("kullback", "score")
        given = {word[2:].replace("-", "_") for word in options if word.startswith("--")}
        assert given - {"url"} <= REQUESTS[metric].model_fields.keys()


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_section_with_its_formula_fields_and_example(name: str) -> None:
    metric, text = METRICS[name], section(METRICS_PAGE, f"`{name}`")
    assert metric.formula in text
    assert f"Unit: {metric.unit}. Range: {metric.range}. Better: {metric.direction}." in text
    request, answer = (json.loads(block) for block in blocks(text, "json"))
    assert request == metric.example.request
    assert answer == {"value": metric.example.value, "details": metric.example.details}
    assert metric.example.explanation in text
    assert [field for field in own_fields(REQUESTS[name]) if f"`{field}`" not in text] == []
    assert "**Source.**" in text


def test_fields_of_all_metrics_are_documented_with_their_defaults() -> None:
    text = section(METRICS_PAGE, "What all of them take")
    for name, field in ScoreRequest.model_fields.items():
        default = "none" if field.default is None else json.dumps(field.default)
        written = default.replace("e-06", "e-6")
        assert f"| `{name}` | `{written}` |" in text or f"| `{name}` | {written} |" in text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "request_"),
    [*((name, metric.example.request) for name, metric in METRICS.items()), *MORE_REQUESTS],
)
async def test_every_name_in_an_answer_is_documented(
    name: str, request_: Mapping[str, object], client: AsyncClient
) -> None:
    answer = (await post(client, name, json.dumps(request_))).json()
    text = section(METRICS_PAGE, f"`{name}`")
    details = set(names_within(answer["details"])) - {"reasons"}
    assert [detail for detail in details if f"`{detail}`" not in text] == []
    reasons = section(METRICS_PAGE, "Numbers that are not there")
    given = set(answer["details"].get("reasons", {}).values())
    assert [reason for reason in given if f"`{reason}`" not in reasons] == []
    said = section(METRICS_PAGE, "What `conventions` and `diagnostics` say")
    inner = answer["conventions"] | answer["diagnostics"]
    assert [key for key in inner if f"`{key}`" not in said] == []
    assert [key for key in answer if f"| `{key}` |" not in API_PAGE] == []


def test_every_reason_in_the_code_is_documented() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "app" / "scoring").glob("*.py"))
    reasons = set(re.findall(r'Undefined\("(\w+)"\)', sources))
    assert "one_class" in reasons
    text = section(METRICS_PAGE, "Numbers that are not there")
    assert [reason for reason in reasons if f"`{reason}`" not in text] == []


def test_every_kind_of_problem_is_in_the_table() -> None:
    for kind in (*KINDS.values(), INTERNAL):
        assert f"| {kind.status} | `{kind.type}` | {kind.title} |" in API_PAGE


@pytest.mark.anyio
async def test_every_prometheus_family_is_documented(client: AsyncClient) -> None:
    exposed = re.findall(r"^# TYPE (\w+)", (await client.get("/metrics")).text, re.MULTILINE)
    ours = [name for name in exposed if not name.startswith(("process_", "python_"))]
    assert len(ours) >= 6
    assert [name for name in ours if f"`{name}`" not in OPERATIONS_PAGE] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_record_has_its_five_parts(decision: Path) -> None:
    text = decision.read_text()
    assert text.startswith(f"# {decision.name[:4]}. ")
    parts = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Alternatives", "References"]


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        place, _, heading = link.partition("#")
        target = page.parent / place
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(), flags=re.MULTILINE)
        assert not heading or heading in [line.lower().replace(" ", "-") for line in headings]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_source_files_that_a_page_names_exist(page: Path) -> None:
    for name in re.findall(r"`((?:app|tests|docs|bench)/[\w/.]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_the_changelog_has_the_version_of_the_project() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    version = composed["services"]["kullback"]["image"].partition(":")[2]
    assert f"\n## [{version}]" in changelog
    assert [name for name in METRICS if f"`{name}`" not in changelog] == []
