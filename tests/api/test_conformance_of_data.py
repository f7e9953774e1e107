"""Answers about real data have the schemas of the OpenAPI document, and no field beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import httpx
import pyarrow as pa
import pytest
import schemathesis
from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from schemathesis.core import NOT_SET, NotSet
from schemathesis.schemas import BaseSchema

from kullback.payload.media import ARROW, JSON
from kullback.scoring.catalog import METRICS
from tests.api.test_conformance import CHOSEN
from tests.browser.filling import EXPERIMENTS, MONITORS, fill
from tests.payload.bodies import as_arrow
from tests.serving import serving

pytestmark = pytest.mark.untraced

MONITOR, EXPERIMENT = "/v1/monitors/{name}", "/v1/experiments/{name}"
ROWS: dict[str, JsonValue] = {"y_true": [1, 0, 1], "y_proba": [0.8, 0.3, 0.6]}
PLAN: dict[str, JsonValue] = {"arms": ["old", "new"], "design": "paired"}
ARMS: dict[str, JsonValue] = {
    "y_true": [1, 0],
    "y_proba": {"old": [0.5, 0.4], "new": [0.6, 0.3]},
    "unit": ["a", "b"],
}


@dataclass(frozen=True)
class Call:
    """A request, and the status that answers it."""

    method: str
    path: str
    body: JsonValue | bytes | NotSet = NOT_SET
    name: str = "new"
    status: int = 200
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON


def reads(path: str, name: str) -> Iterator[Call]:
    """What can be read of one monitor or experiment."""
    for part in ("", "/report", "/series"):
        yield Call("GET", path + part, name=name)


def calls_of(metric: str) -> Iterator[Call]:
    """The example of a metric, with and without the losses of its rows, and its entry."""
    example: dict[str, JsonValue] = to_jsonable_python(METRICS[metric].example.request)
    yield Call("POST", f"/v1/scores/{metric}", example)
    if metric != "calibration":  # has no rows
        yield Call("POST", f"/v1/scores/{metric}", example | {"per_row": True})
    yield Call("GET", "/v1/scores/{metric}", name=metric)


ONCE = Call("POST", f"{MONITOR}/observations", ROWS, headers={"Idempotency-Key": "first"})
WRITES = [
    Call("PUT", MONITOR, {"slices": ["country"]}, status=201),
    Call("PUT", MONITOR, {"slices": ["country"], "retention_days": 7}),
    *(ONCE, ONCE),
    Call("POST", f"{MONITOR}/predictions", {"id": ["a", "b"], "y_proba": [0.5, 0.1]}),
    Call("POST", f"{MONITOR}/labels", {"id": ["a", "c"], "y_true": [1, 0]}),
    Call("PUT", f"{MONITOR}/reference", ROWS),
    *reads(MONITOR, "new"),
    Call("POST", f"{MONITOR}/observations", {"y_true": [3]}, status=422),
    Call("POST", f"{MONITOR}/observations", ROWS, name="none", status=404),
    Call("DELETE", MONITOR, status=204),
    Call("PUT", EXPERIMENT, PLAN, status=201),
    Call("POST", f"{EXPERIMENT}/observations", ARMS),
    Call("PUT", EXPERIMENT, PLAN | {"alpha": 0.1}, status=409),
    Call("PUT", EXPERIMENT, PLAN | {"alpha": 0.1}, query={"dry_run": "true"}),
    Call("PUT", EXPERIMENT, PLAN | {"alpha": 0.1}, query={"epoch": "new"}),
    Call("POST", f"{EXPERIMENT}/stop", {"note": "It is decided."}),
    *reads(EXPERIMENT, "new"),
    Call("DELETE", EXPERIMENT, status=204),
]
ABOUT_ALL = [
    *(Call("GET", path) for path in ("/livez", "/readyz", "/metrics", "/v1/scores")),
    *(Call("GET", f"/v1/{kind}") for kind in ("monitors", "experiments")),
    Call("GET", f"{MONITOR}/report", name="clicks", query={"by": "country"}),
    Call("GET", f"{MONITOR}/report", name="hostile", query={"by": "country"}),
    Call("GET", f"{MONITOR}/series", name="species", query={"metric": "ece"}),
    Call("GET", f"{EXPERIMENT}/series", name="ranker", query={"step": "3600"}),
]
WITH_OPTIONS = Call(
    "POST",
    "/v1/scores/log-loss",
    as_arrow(pa.table(ROWS)),
    query={"base": "2", "per_row": "true", "gradient": "true"},
    media_type=ARROW,
)


@dataclass(frozen=True)
class Document:
    """The document of a service that holds data, in which no object may have a further field."""

    address: str
    schema: BaseSchema

    def check(self, call: Call) -> str:
        """Make a call and compare its answer with the document; its entity tag."""
        case = self.schema[call.path][call.method].Case(
            path_parameters={"metric" if "{metric}" in call.path else "name": call.name},
            query=call.query,
            headers=call.headers,
            media_type=call.media_type,
            body=call.body,
        )
        answer = case.call(base_url=self.address, timeout=60)
        assert answer.status_code == call.status, answer.text
        case.validate_response(answer, checks=CHOSEN)
        return "".join(answer.headers.get("etag", []))


def close(node: object) -> None:
    """Refuse further fields in every object that names its own."""
    if isinstance(node, dict):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            close(item)


@pytest.fixture(scope="module")
def document() -> Iterator[Document]:
    with serving() as served, httpx.Client(base_url=served.address, timeout=60) as client:
        fill(client)
        content = client.get("/openapi.json").json()
        close(content["components"]["schemas"])
        yield Document(served.address, schemathesis.openapi.from_dict(content))


def test_answers_about_all_are_as_the_document_says(document: Document) -> None:
    for call in ABOUT_ALL:
        document.check(call)


@pytest.mark.parametrize("name", MONITORS)
def test_answers_about_a_monitor_are_as_the_document_says(document: Document, name: str) -> None:
    for call in reads(MONITOR, name):
        document.check(call)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_answers_about_an_experiment_are_as_the_document_says(
    document: Document, name: str
) -> None:
    for call in reads(EXPERIMENT, name):
        document.check(call)


@pytest.mark.parametrize("metric", METRICS)
def test_answers_of_a_metric_are_as_the_document_says(document: Document, metric: str) -> None:
    for call in calls_of(metric):
        document.check(call)


def test_an_answer_to_columns_with_options_is_as_the_document_says(document: Document) -> None:
    document.check(WITH_OPTIONS)


def test_answers_to_writes_are_as_the_document_says(document: Document) -> None:
    for call in WRITES:
        document.check(call)


@pytest.mark.parametrize("part", ["report", "series"])
def test_an_answer_that_nothing_has_changed_is_as_the_document_says(
    document: Document, part: str
) -> None:
    past = Call("GET", f"{EXPERIMENT}/{part}", name="ranker")
    etag = document.check(past)
    document.check(replace(past, status=304, headers={"If-None-Match": etag}))
