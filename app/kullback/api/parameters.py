"""Headers and query options as parameters of the OpenAPI document."""

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from kullback.payload.media import JSON
from kullback.requests import REQUESTS
from kullback.requests.several import FIELD
from kullback.requests.validation import array_fields

REQUEST_ID: JsonSchemaValue = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Name of this request in the logs; a new one where none is sent that matches.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
}
IDEMPOTENCY_KEY: JsonSchemaValue = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name for this write: sent again with it, it is answered and not repeated.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
}
IF_NONE_MATCH: JsonSchemaValue = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the answer that is there: 304 where nothing has changed.",
    "schema": {"type": "string"},
}
SEVERAL: JsonSchemaValue = {
    "name": FIELD,
    "in": "query",
    "description": (
        "Names of metrics, instead of in the body. Beside columns, each option of these metrics "
        "is a parameter too."
    ),
    "style": "form",
    "explode": False,
    "schema": {"type": "array", "items": {"type": "string", "enum": [*REQUESTS]}},
}
BESIDE_CSV = "With a CSV body only."
BESIDE_COLUMNS = "With a body of columns only: beside JSON it is refused."
DIALECT: list[JsonSchemaValue] = [
    {
        "name": name,
        "in": "query",
        "description": f"{words} {BESIDE_CSV}",
        "schema": {"type": "string", "minLength": 1, **limits},
    }
    for name, words, limits in (
        ("delimiter", "Sign between cells. Default: a comma.", {"maxLength": 3}),
        ("decimal", "Decimal sign of numbers. Default: a point.", {"maxLength": 1}),
        ("encoding", "Encoding of the text, as latin-1. Default: utf-8.", {}),
    )
]
HEADERS: dict[str, JsonSchemaValue] = {
    "X-Request-ID": {
        "description": "The name of the request in the logs.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {
        "description": "The state that the answer is of, for If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "There where the write had been done before.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {
        "description": "How to say who asks.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer", "minimum": 0},
    },
}


def query_options(model: type[BaseModel]) -> list[JsonSchemaValue]:
    """The options of a request as parameters of the query, for bodies that hold columns alone."""
    columns = array_fields(model)
    return [
        _option(name, field)
        for name, field in model.model_json_schema()["properties"].items()
        if name not in columns or columns[name].may_be_option
    ]


def without_null(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of what is sent: what is not, is left out, and has no name of its own."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    forms = [form for form in kept.pop("anyOf", ()) if form != {"type": "null"}]
    return kept | (forms[0] if len(forms) == 1 else {"anyOf": forms} if forms else {})


def _option(name: str, field: JsonSchemaValue) -> JsonSchemaValue:
    """One option, without a default: a client would send that beside JSON too."""
    schema = without_null(field)
    default, description = schema.pop("default", None), schema.pop("description")
    words = "" if default is None else f" Default: {default}."
    place: JsonSchemaValue = {
        "name": name,
        "in": "query",
        "description": f"{description}{words} {BESIDE_COLUMNS}",
    }
    if _is_flat(schema):
        return place | {"schema": schema}
    return place | {"content": {JSON: {"schema": schema}}}


def _is_flat(schema: JsonSchemaValue) -> bool:
    """Whether a value is a word or a number, or a list of such, which repeated parameters make."""
    forms = schema.get("anyOf", [schema])
    items = [form["items"] for form in forms if form.get("type") == "array"]
    nested = [form for item in items for form in item.get("anyOf", [item])]
    return all(form.get("type") != "object" for form in forms) and not any(
        form.get("type") in {"array", "object"} for form in nested
    )
