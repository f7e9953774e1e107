"""The OpenAPI document: what FastAPI leaves out is added to what it finds."""

from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue

from kullback.access.keys import PATTERN
from kullback.api.parameters import (
    DIALECT,
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    REQUEST_ID,
    SEVERAL,
    query_options,
    without_null,
)
from kullback.api.problem_document import Problem
from kullback.api.problems import problems
from kullback.api.scopes import READING, rule_of
from kullback.errors import InvalidInput
from kullback.payload.media import JSON
from kullback.requests import REQUESTS
from kullback.requests.annotations import MonitorAnnotation
from kullback.requests.batches import LabelBatch, ObservationBatch, PredictionBatch, ReferenceBatch
from kullback.requests.experiment_plans import ExperimentPlanRequest
from kullback.requests.experiments import ExperimentBatch, ExperimentSettings, StopNote
from kullback.requests.keys import KeyRotation, KeySettings
from kullback.requests.monitors import MonitorRename, MonitorSettings
from kullback.requests.several import SeveralRequest
from kullback.scoring.catalog import METRICS

BODIES: tuple[type[BaseModel], ...] = (
    *REQUESTS.values(),
    SeveralRequest,
    *(
        MonitorSettings,
        MonitorAnnotation,
        MonitorRename,
        ObservationBatch,
        PredictionBatch,
        LabelBatch,
        ReferenceBatch,
    ),
    *(ExperimentSettings, ExperimentBatch, StopNote, ExperimentPlanRequest),
    *(KeySettings, KeyRotation),
)
KEY: JsonSchemaValue = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": PATTERN,
    "description": "A key of this service. Where it has none, as on loopback, none is asked for.",
}
_SCHEMAS = "#/components/schemas/{model}"


def request_body(model: type[BaseModel], accepted: tuple[str, ...]) -> JsonSchemaValue:
    """The request body of an operation: JSON by its schema, the others as bytes."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    fields = {"schema": {"$ref": _SCHEMAS.format(model=model.__name__)}}
    content = {kind: fields if kind == JSON else binary for kind in accepted}
    return {"requestBody": {"required": True, "content": content}}


def complete(document: JsonSchemaValue) -> None:
    """Name every schema and every parameter, and make `Problem` the one schema of refusals."""
    components = document["components"]
    schemas = components["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for field in _fields(schemas):
        field.pop("default", None)  # what is not in an answer is not there
    schemas |= _named(BODIES, "validation") | _named((Problem,), "serialization")
    for field in _fields(schemas):
        field.pop("title", None)  # its name, again
    components["headers"] = HEADERS
    for name, model in REQUESTS.items():
        operation = document["paths"][f"/v1/scores/{name}"]["post"]
        operation["parameters"] = [*query_options(model), *DIALECT]
        operation["requestBody"]["content"][JSON]["example"] = METRICS[name].example.request
    document["paths"]["/v1/scores"]["post"]["parameters"] = [SEVERAL, *DIALECT]
    components["securitySchemes"] = {"key": KEY}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _protect(path, method, operation)
    for method, operation in _operations(document):
        _refuse_alike(operation)
        _describe(method, operation)
    components["parameters"] = dict(sorted(_shared_parameters(document)))
    components["responses"] = dict(sorted(_shared_refusals(document)))


def _named(models: tuple[type[BaseModel], ...], mode: JsonSchemaMode) -> JsonSchemaValue:
    """The schemas of these models, and of what they hold, by their names."""
    definitions: JsonSchemaValue = {}
    for model in models:
        schema = model.model_json_schema(mode=mode, ref_template=_SCHEMAS)
        definitions |= schema.pop("$defs", {})
        definitions[model.__name__] = schema
    return definitions


def _fields(schemas: JsonSchemaValue) -> Iterator[JsonSchemaValue]:
    for schema in schemas.values():
        yield from schema.get("properties", {}).values()


def _operations(document: JsonSchemaValue) -> Iterator[tuple[str, JsonSchemaValue]]:
    for path in document["paths"].values():
        yield from path.items()


def _protect(path: str, method: str, operation: JsonSchemaValue) -> None:
    """Say which scope an operation needs, and how it refuses who has not."""
    rule = rule_of(path)
    need = rule.reading if method.upper() in READING else rule.writing
    if need == "open":
        return
    operation["security"] = [{"key": []}, {}]  # without keys, as on loopback, none is asked for
    operation["description"] = f"{operation['description']}\n\nScope: `{need}`."
    refusals = problems(401, 403, 421, 429, 503)
    operation["responses"] |= {str(status): answer for status, answer in refusals.items()}


def _refuse_alike(operation: JsonSchemaValue) -> None:
    answers = operation["responses"]
    if JSON in answers.get("422", {}).get("content", {}):
        answers |= {str(status): answer for status, answer in problems(InvalidInput).items()}


def _describe(method: str, operation: JsonSchemaValue) -> None:
    """Parameters and headers: which there are follows from what an operation may answer."""
    answers = operation["responses"]
    if not operation["operationId"].startswith("score_"):  # metrics have summaries of their own
        operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    tagged = "304" in answers
    once = method != "get" and "409" in answers and "keys" not in operation["tags"]
    for parameter in operation.get("parameters", ()):
        if "schema" in parameter:
            parameter["schema"] = without_null(parameter["schema"])
    sent = [REQUEST_ID, *([IF_NONE_MATCH] if tagged else ()), *([IDEMPOTENCY_KEY] if once else ())]
    operation["parameters"] = [*operation.get("parameters", ()), *sent]
    for status, answer in answers.items():
        names = ["X-Request-ID"]
        if status in {"409", "429", "503"}:
            names.append("Retry-After")
        if status == "401":
            names.append("WWW-Authenticate")
        if tagged and status in {"200", "304"}:
            names.append("ETag")
        if once and status < "300":
            names.append("Idempotency-Replayed")
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _shared_parameters(document: JsonSchemaValue) -> Iterator[tuple[str, JsonSchemaValue]]:
    """Put a reference in place of each parameter that several operations have alike.

    One that is JSON stays where it is: generators of clients read those in operations alone.
    """
    lists = [operation["parameters"] for _, operation in _operations(document)]
    uses = Counter(str(each) for parameters in lists for each in parameters)
    names: dict[str, str] = {}
    for parameters in lists:
        for at, parameter in enumerate(parameters):
            name, key = parameter["name"], str(parameter)
            is_json = "content" in parameter
            if not is_json and uses[key] > 1 and names.setdefault(name, key) == key:
                yield name, parameter
                parameters[at] = {"$ref": f"#/components/parameters/{name}"}


def _shared_refusals(document: JsonSchemaValue) -> Iterator[tuple[str, JsonSchemaValue]]:
    """Put a reference in place of each refusal: those of one status are alike."""
    for _, operation in _operations(document):
        answers = operation["responses"]
        for status in [status for status in answers if status >= "4"]:
            yield status, answers[status]
            answers[status] = {"$ref": f"#/components/responses/{status}"}
