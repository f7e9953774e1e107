"""What the documents say is what the service does; what the service has is in the documents."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
import yaml
from fastapi import FastAPI
from httpx import AsyncClient, Response
from starlette.routing import Route

import kullback_client
from docs.generate import PAGES as GENERATED
from kullback.api.problem_types import INTERNAL, PROBLEM_TYPES
from kullback.moments import DAY, FUTURE_SECONDS
from kullback.monitoring.crossed_slices import LONGEST_VALUE, MAX_PARTS
from kullback.monitoring.maintenance import IDEMPOTENCY_SECONDS
from kullback.numerics.reasons import Reason
from kullback.payload.columns import LONGEST_NAME
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.requests.batch_columns import MAX_SLICES
from kullback.requests.batches import (
    LabelBatch,
    ObservationBatch,
    PredictionBatch,
    ReferenceBatch,
    RowBatch,
)
from kullback.requests.monitors import MonitorSettings
from kullback.scoring.catalog import METRICS
from kullback.scoring.conventions import ConventionName
from kullback.settings import Settings
from kullback.tally.grouping import MAX_GROUPS
from kullback.telemetry.monitor_collector import MAX_SERIES, MAX_SLICE_SERIES
from tests.deploy.families import EXPOSED, HISTOGRAMS, OF_EXPERIMENTS
from tests.deploy.files import RULES
from tests.docs.typed import is_part
from tests.serving import serving
from tests.torture.__main__ import ON_POSTGRESQL, ON_SQLITE

ROOT = Path(__file__).parent.parent
APP = ROOT / "app" / "kullback"
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text()
CONVENTIONS_PAGE = (ROOT / "docs" / "conventions.md").read_text()
COMMAND_LINE_PAGE = (ROOT / "docs" / "command-line.md").read_text()
API_PAGE = (ROOT / "docs" / "api.md").read_text()
MONITORS_PAGE = (ROOT / "docs" / "monitors.md").read_text()
EXPERIMENTS_PAGE = (ROOT / "docs" / "experiments.md").read_text()
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

LOGITS = {"logits": [[2.0, 0.0], [0.0, 1.0]], "y_true": [0, 1]}
USERS = {"group": ["ann", "ann"]}
CLICKS = {"y_true": [0, 1], "y_proba": [0.5, 0.4], **USERS}
MORE_REQUESTS: Sequence[tuple[str, Mapping[str, object]]] = (
    ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, 0.4], "class_weight": "balanced"}),
    ("log-loss", {"y_true": [[1, 0]], "y_proba": [[0.5, 0.4]], "task": "multilabel"}),
    ("log-loss", {"y_true": [0.5, 0.5], "y_proba": [0.5, 0.4]}),
    ("softmax-cross-entropy", {**LOGITS, "class_weight": [1, 2]}),
    ("softmax-cross-entropy", {"logits": [[0.0, 1.0]], "y_true": [[0.5, 0.5]]}),
    ("mutual-information", {"x": ["a", "b", "b"], "y": [0, 1, 0], "sample_weight": [1, 0.5, 1]}),
    ("mutual-information", {"counts": [[2, 1], [0, 3]]}),
    ("focal-loss", {**LOGITS, "label_smoothing": 0.1, "mask": [1, 0]}),
    (
        "softmax-cross-entropy",
        {"logits": [[[0, 1], [1, 0]]], "y_true": [[0, -1]], "ignore_index": -1},
    ),
    ("log-loss", {"y_true": [1, 0], "y_proba": [0.5, 0.4], "class_weight": {"1": 2}}),
    ("calibration", LOGITS),
    ("calibration", {"y_true": [[1, 0]], "y_proba": [[0.5, 0.4]], "task": "multilabel"}),
    ("brier", {"y_true": [0, 1], "y_proba": [[0.5, 0.5], [0.4, 0.6]]}),
    ("brier", {"y_true": [[1, 0]], "y_proba": [[0.5, 0.4]], "task": "multilabel"}),
    ("recommender", {"y_true": [0, 0], "y_proba": [0.5, 0.4]}),
    ("bpr", {"positive_logits": [1.0], "negative_logits": [[0.5, 0.2]]}),
    ("listwise-softmax", {"logits": [0.5], "y_true": [1], "group": ["ann"]}),
    ("recommender", {**CLICKS, "per_group": True, "at": [1]}),
    (
        "recommender",
        {"y_true": [[0, 1], [1, 1]], "logits": [[0.5, 0.4], [1, 2]], "at": [1], **USERS},
    ),
)
ROWS = {"y_true": [1, 0], "y_proba": [0.9, 0.2], "slice": {"country": ["DE", "FR"]}}
CLASSES = {"task": "multiclass", "labels": ["cat", "dog"]}
LIMITS: Mapping[str, int] = {
    "windows as they are kept and slice values that one request may touch, together": MAX_GROUPS,
    "seconds that a timestamp may lie in the future": FUTURE_SECONDS,
    "characters of an id, a unit, a label or the value of a slice": LONGEST_NAME,
    "slices of a monitor": MAX_SLICES,
    "slices that one is crossed of": MAX_PARTS,
    "characters of a crossed value": LONGEST_VALUE,
    "labels of a monitor": 1000,
    "days that windows are kept": 3650,
    "days that an `Idempotency-Key` is kept": IDEMPOTENCY_SECONDS // DAY,
    "series in Prometheus, of all monitors": MAX_SERIES,
    "of which the slices of one monitor have": MAX_SLICE_SERIES,
}


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


def conversation(page: str) -> Iterator[tuple[list[str], str, str]]:
    """The curl commands of a page up to a JSON block, the text before that, and the block."""
    commands: list[str] = []
    end = 0
    for block in re.finditer(r"^```(\w+)\n(.*?)\n```$", page, flags=re.MULTILINE | re.DOTALL):
        language, text = block.groups()
        if language == "sh":
            commands += [line for line in text.splitlines() if line.startswith("curl ")]
        elif language == "json" and commands:
            yield commands, page[end : block.start()], text
            commands = []
        end = block.end()


async def curl(client: AsyncClient, command: str) -> Response:
    """What a command of the documents is answered."""
    words = shlex.split(command)
    pairs = list(pairwise(words))
    given = dict(pairs)
    (address,) = (word for word in words if word.startswith("http"))
    here = f"http://{Settings().host}:{Settings().port}"
    assert address.startswith(f"{here}/")
    return await client.request(
        given.get("-X", "POST" if "-d" in given else "GET"),
        address.removeprefix(here),
        content=given.get("-d"),
        headers=dict(header.split(": ") for word, header in pairs if word == "-H"),
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    "page",
    [README, MONITORS_PAGE, EXPERIMENTS_PAGE],
    ids=["README", "monitors", "experiments"],
)
async def test_every_curl_of_a_page_gets_the_answer_that_is_printed(
    page: str, own_client: AsyncClient
) -> None:
    talked = 0
    for commands, before, printed in conversation(page):
        for command in commands:
            answer = await curl(own_client, command)
            assert answer.is_success, command
        if "part of the answer" in before:
            assert is_part(json.loads(printed), answer.json()), answer.text
        else:
            assert answer.text == printed
        talked += len(commands)
    assert talked == len(re.findall(r"^curl ", page, flags=re.MULTILINE)) >= 5


@pytest.mark.anyio
async def test_the_problem_of_the_page_is_the_one_the_service_reports(client: AsyncClient) -> None:
    request, printed = blocks(section(API_PAGE, "Errors"), "json")
    request_id = json.loads(printed)["request_id"]
    answer = await post(client, "log-loss", request, **{"x-request-id": request_id})
    assert (answer.status_code, answer.text) == (422, printed)


def test_the_arrow_of_the_page_is_read_and_scored() -> None:
    (program,) = blocks(API_PAGE, "python")
    assert "http://127.0.0.1:8000/" in program
    with serving() as (address, _, _):
        result = subprocess.run(  # noqa: S603 - the example of our own page
            [sys.executable, "-c", program.replace("http://127.0.0.1:8000", address)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert re.fullmatch(r"0\.7\d+ bits\n", result.stdout)


@pytest.mark.parametrize("name", GENERATED)
def test_what_follows_from_the_code_is_as_it_says(name: str) -> None:
    agreed = (ROOT / "docs" / name).read_text("utf-8").splitlines()
    now = GENERATED[name]().splitlines()
    changes = list(unified_diff(agreed, now, f"docs/{name}", "the code", n=2, lineterm=""))
    assert not changes, "\n".join(["if this is meant: make reference", *changes[:60]])


def test_every_route_is_an_endpoint_or_a_page(app: FastAPI) -> None:
    pages = section(API_PAGE, "Pages")
    endpoints = GENERATED["reference/endpoints.md"]()
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert len(routes) > len(METRICS)
    for route in routes:
        if route.path.startswith("/static/"):
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            ways = {
                f"{method} {route.path}",
                f"{method} {route.path}".replace("{metric}", "entropy"),
            }
            is_endpoint = any(f"## `{way}`\n" in endpoints for way in ways)
            assert is_endpoint or f"`{method} {route.path}`" in pages


@pytest.mark.anyio
@pytest.mark.parametrize("name", get_args(ConventionName))
async def test_the_page_says_what_nothing_costs_under_each_convention(
    name: str, client: AsyncClient
) -> None:
    request = {"y_true": [1], "y_proba": [0.0], "convention": name}
    answer = (await post(client, "log-loss", json.dumps(request))).json()
    cost = "∞" if answer["status"] == "infinite" else f"{answer['value']} {answer['unit']}"
    rows = re.findall(rf"^\| `{name}`.*?\| (.*?) \|", CONVENTIONS_PAGE, flags=re.MULTILINE)
    assert rows == [cost]


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_the_make_targets_of_a_page_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", page, flags=re.MULTILINE))
    assert {"run", "test", "torture"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_kills_are_as_many_as_the_pages_say() -> None:
    assert f"{ON_SQLITE + ON_POSTGRESQL} kills" in README
    assert f"{ON_SQLITE} times on SQLite and {ON_POSTGRESQL} times on PostgreSQL" in CONTRIBUTING


def test_the_commands_of_the_page_are_commands_that_exist() -> None:
    for command in blocks(COMMAND_LINE_PAGE, "sh")[0].splitlines():
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
    known = text + EXPERIMENTS_PAGE if name == "compare" else text
    assert [detail for detail in details if f"`{detail}`" not in known] == []
    reasons = section(METRICS_PAGE, "Numbers that are not there")
    given = set(answer["details"].get("reasons", {}).values())
    assert [reason for reason in given if f"`{reason}`" not in reasons] == []
    said = section(METRICS_PAGE, "What `conventions` and `diagnostics` say")
    inner = answer["conventions"] | answer["diagnostics"]
    assert [key for key in inner if f"`{key}`" not in said] == []
    assert [key for key in answer if f"| `{key}` |" not in API_PAGE] == []


def test_every_setting_of_a_monitor_is_documented_with_its_default() -> None:
    for name, field in MonitorSettings.model_fields.items():
        default = "none" if field.default is None else f"`{json.dumps(field.default)}`"
        assert f"| `{name}` | {default} |" in section(MONITORS_PAGE, "Setting up")


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (ObservationBatch, "Observations"),
        (LabelBatch, "Predictions now, labels later"),
        (ReferenceBatch, "Reference and drift"),
    ],
)
def test_every_field_of_a_batch_is_documented(model: type[RowBatch], heading: str) -> None:
    names = [field.alias or name for name, field in model.model_fields.items()]
    text = section(MONITORS_PAGE, heading)
    assert [name for name in names if f"`{name}`" not in text] == []


def test_predictions_take_what_observations_take_and_an_id() -> None:
    same = ObservationBatch.model_fields.keys() - {"y_true"}
    assert PredictionBatch.model_fields.keys() == same | {"id"}
    text = section(MONITORS_PAGE, "Predictions now, labels later")
    assert "takes what observations take, without `y_true` and with `id`" in text


@pytest.mark.anyio
@pytest.mark.parametrize("settings_", [{"slices": ["country"]}, {**CLASSES, "slices": ["country"]}])
async def test_every_name_in_an_answer_of_a_monitor_is_documented(
    settings_: Mapping[str, object], own_client: AsyncClient
) -> None:
    rows: dict[str, object] = {**ROWS}
    if "labels" in settings_:
        rows |= {"y_true": ["cat", "dog"], "y_proba": [[0.9, 0.1], [0.2, 0.8]]}
    base = "/v1/monitors/m"
    (await own_client.put(base, json=settings_)).raise_for_status()
    halves = [
        {"id": ["a", "b"], **{key: rows[key] for key in rows if key != "y_true"}},
        {"id": ["a", "c"], "y_true": rows["y_true"]},
    ]
    answers = [
        await own_client.post(f"{base}/observations", json=rows),
        await own_client.post(f"{base}/predictions", json=halves[0]),
        await own_client.post(f"{base}/labels", json=halves[1]),
        await own_client.put(f"{base}/reference", json=rows),
        await own_client.get(f"{base}/report", params={"by": "country"}),
        await own_client.get(f"{base}/series"),
        await own_client.get(base),
        await own_client.get("/v1/monitors"),
    ]
    found = {name for answer in answers for name in names_within(answer.json())}
    assert {"psi", "accepted", "points", "expired", "groups"} <= found
    assert [name for name in sorted(found - {"monitors"}) if f"`{name}`" not in MONITORS_PAGE] == []
    metrics = answers[4].json()["metrics"]
    formulas = section(METRICS_PAGE, "What a monitor reports")
    assert [name for name in metrics if f"| `{name}` |" not in formulas] == []
    drift = answers[4].json()["drift"]["score"].keys() - {"reason", "statement"}
    assert [name for name in drift if f"| `{name}` |" not in formulas] == []


def reasons_in(source: str) -> set[str]:
    names = set(re.findall(r"Reason\.([A-Z_]+)", source))
    return {str(reason) for reason in Reason if reason.name in names}


def test_every_reason_of_a_monitor_is_documented() -> None:
    files = [
        *(APP / "tally").glob("*.py"),
        *(APP / "monitoring").glob("*.py"),
    ]
    reasons = reasons_in("".join(file.read_text() for file in files))
    assert {"zero_weight", "multiclass", "no_reference", "separable"} <= reasons
    text = MONITORS_PAGE.split("### Numbers that are not there\n")[1].split("\n#")[0]
    text += EXPERIMENTS_PAGE.split("### Numbers that are not there\n")[1].split("\n#")[0]
    assert [reason for reason in reasons if f"`{reason}`" not in text] == []


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
def test_every_limit_of_a_monitor_is_documented(what: str, limit: int) -> None:
    assert f"| {what} | {limit:,} |" in section(MONITORS_PAGE, "Limits")


def test_the_limits_of_settings_are_those_that_are_documented() -> None:
    properties = MonitorSettings.model_json_schema()["properties"]
    labels = next(form for form in properties["labels"]["anyOf"] if "maxItems" in form)
    assert labels["maxItems"] == LIMITS["labels of a monitor"]
    assert properties["retention_days"]["maximum"] == LIMITS["days that windows are kept"]


def test_every_reason_in_the_code_is_documented() -> None:
    sources = "".join(
        file.read_text() for room in ("numerics", "scoring") for file in (APP / room).glob("*.py")
    )
    reasons = reasons_in(sources)
    assert "one_class" in reasons
    text = section(METRICS_PAGE, "Numbers that are not there")
    assert [reason for reason in reasons if f"`{reason}`" not in text] == []


def test_every_kind_of_problem_is_in_the_table() -> None:
    for kind in (*PROBLEM_TYPES.values(), INTERNAL):
        assert f"| {kind.status} | `{kind.type}` | {kind.title} |" in API_PAGE


@pytest.mark.anyio
async def test_every_prometheus_family_is_documented(client: AsyncClient) -> None:
    exposed = re.findall(r"^# TYPE (\w+)", (await client.get("/metrics")).text, re.MULTILINE)
    ours = [name for name in exposed if not name.startswith(("process_", "python_"))]
    assert len(ours) >= 40
    assert [name for name in ours if f"| `{name}` |" not in OPERATIONS_PAGE] == []


@pytest.mark.parametrize(
    ("family", "labels"), [*EXPOSED.items(), *OF_EXPERIMENTS.items(), *HISTOGRAMS.items()]
)
def test_the_labels_of_a_prometheus_family_are_documented(
    family: str, labels: frozenset[str]
) -> None:
    if family.startswith("process_"):
        return
    (row,) = re.findall(rf"^\| `{family}` \| (.*?) ?\|", OPERATIONS_PAGE, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == labels


def test_every_rule_and_alert_is_documented() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = [rule["record"] for rule in rules if "record" in rule]
    alerts = [rule["alert"] for rule in rules if "alert" in rule]
    assert len(recorded) > 20
    assert [name for name in recorded if f"`{name}`" not in OPERATIONS_PAGE] == []
    assert [name for name in alerts if f"\n| `{name}` |" not in OPERATIONS_PAGE] == []
    documented = set(
        re.findall(r"`((?:monitor|monitor_slice|monitor_check|job):[\w:]+)`", OPERATIONS_PAGE)
    )
    assert documented == set(recorded)
    assert set(re.findall(r"^\| `(Kullback\w+)` \|", OPERATIONS_PAGE, re.MULTILINE)) == set(alerts)


def test_the_image_keeps_its_database_in_its_volume_as_documented() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (url,) = re.findall(r"\bKULLBACK_DATABASE_URL=(\S+)", dockerfile)
    (volume,) = re.findall(r"^VOLUME (\S+)$", dockerfile, flags=re.MULTILINE)
    assert Settings(database_url=url).database_url == f"sqlite:///{volume}/kullback.db"
    assert f"--owner=65532 --group=65532 {volume}\n" in dockerfile
    docker = section(OPERATIONS_PAGE, "Docker")
    assert f"`KULLBACK_DATABASE_URL={url}`" in docker
    assert f"--volume kullback:{volume} " in docker


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
        target = page.parent / place if place else page
        assert target.is_file(), link
        if not heading:
            continue
        headings = re.findall(r"^#+ (.*)$", target.read_text(), flags=re.MULTILINE)
        anchors = [re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings]
        assert heading in anchors, link


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_decision_is_named_with_a_link_to_it(page: Path) -> None:
    assert re.findall(r"(?<!\[)\bdecision\s+\d{4}", page.read_text()) == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_source_files_that_a_page_names_exist(page: Path) -> None:
    for name in re.findall(r"`((?:app|tests|docs|bench|deploy)/[\w/.]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_every_example_is_shown_to_who_looks_for_one() -> None:
    page = (ROOT / "docs" / "how-to" / "examples.md").read_text()
    files = {path.name for path in (ROOT / "examples").glob("*.*")} - {"README.md", "__init__.py"}
    assert set(re.findall(r"\(\.\./\.\./examples/([\w.]+)\)", page)) == files


def test_every_public_name_of_the_client_is_in_its_reference() -> None:
    page = (ROOT / "docs" / "reference" / "client.md").read_text()
    shown = set(re.findall(r"^\.\. auto\w+:: (\w+)", page, flags=re.MULTILINE))
    assert shown == set(kullback_client.__all__) - {"__version__"}


def test_the_changelog_has_the_version_of_the_project() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    version = composed["services"]["kullback"]["image"].partition(":")[2]
    assert f"\n## [{version}]" in changelog
    assert [name for name in METRICS if f"`{name}`" not in changelog] == []
