"""One request of each kind: every operation and every page is asked once, and answers."""

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient

from kullback.api.problem_document import MEDIA_TYPE
from kullback.scoring.catalog import METRICS
from tests.experiments.service import PAIRED, TWO
from tests.monitoring.service import Document

pytestmark = pytest.mark.anyio

ROWS: Document = {"y_true": [1, 0], "y_proba": [0.75, 0.25]}
PILOT: Document = {"y_true": [1, 0] * 10, "y_proba": [0.75, 0.25, 0.5, 0.5] * 5}
NAMES = {
    "/v1/monitors/{name}": "clicks",
    "/v1/experiments/{name}": "ranker",
    "/v1/scores/{metric}": "log-loss",
    "/monitors/{name}": "clicks",
    "/experiments/{name}": "ranker",
    "/playground/{name}": "log-loss",
    "/problems/{slug}": "not-found",
    "/static/{path:path}": "style.css",
}
WRITES: list[tuple[str, str, Document]] = [
    ("PUT", "/v1/monitors/{name}", {}),
    ("PATCH", "/v1/monitors/{name}", {"owner": "us"}),
    ("POST", "/v1/monitors/{name}/rename", {"name": "taps"}),
    ("PUT", "/v1/monitors/{name}", {}),
    ("POST", "/v1/monitors/{name}/observations", ROWS),
    ("POST", "/v1/monitors/{name}/predictions", {"id": ["a"], "y_proba": [0.5]}),
    ("POST", "/v1/monitors/{name}/labels", {"id": ["a"], "y_true": [1]}),
    ("PUT", "/v1/monitors/{name}/reference", ROWS),
    ("POST", "/v1/monitors/{name}/annotations", {"text": "deploy 1.4"}),
    ("PUT", "/v1/experiments/{name}", PAIRED),
    ("POST", "/v1/experiments/{name}/observations", TWO),
    ("POST", "/v1/experiments/plan", {"minimum_effect": 0.1} | PILOT),
    ("POST", "/v1/experiments/{name}/stop", {"note": "shipped in 4.2"}),
    ("POST", "/v1/scores/{metric}", dict(METRICS["log-loss"].example.request)),
    ("POST", "/v1/scores", {"metrics": ["log-loss", "calibration"]} | ROWS),
    *(("POST", f"/v1/scores/{name}", dict(each.example.request)) for name, each in METRICS.items()),
]
READS = [
    *("/", "/playground", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics"),
    *("/v1/scores", "/v1/monitors", "/v1/experiments", *NAMES),
    *(f"/v1/{kind}/{{name}}/report" for kind in ("monitors", "experiments")),
    *(f"/v1/{kind}/{{name}}/series" for kind in ("monitors", "experiments")),
    "/v1/monitors/{name}/checks",
    "/v1/monitors/{name}/annotations",
]
ENDS = [
    "/v1/monitors/{name}/windows",
    "/v1/monitors/{name}/reference",
    "/v1/monitors/{name}",
    "/v1/experiments/{name}",
]
STEPS: list[tuple[str, str, Document | None]] = [
    *WRITES,
    *(("GET", path, None) for path in READS),
    *(("DELETE", path, None) for path in ENDS),
]


KEY_STEPS: list[tuple[str, str, Document | None]] = [
    ("GET", "/v1/keys", None),
    ("POST", "/v1/keys", {"label": "ci", "scopes": ["score"]}),
    ("POST", "/v1/keys/{id}/rotate", {}),
    ("DELETE", "/v1/keys/{id}", None),
]


NAMED_STEPS = {
    ("DELETE", "/v1/monitors/{name}/annotations/{identifier}"),
}  # tests/monitoring/test_annotations.py
SESSION_STEPS = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
}  # tests/ui/test_log_in.py
TYPED_STEPS = {
    ("GET", path)
    for path in (
        *(
            f"/{kind}{rest}"
            for kind in ("monitors", "experiments")
            for rest in ("", "/", "/{name}/")
        ),
        *("/playground/", "/playground/{name}/", "/docs/"),
    )
}  # tests/ui/test_problem_pages.py


def filled(path: str) -> str:
    """A path with a name of what is there in place of each parameter."""
    for beginning, name in NAMES.items():
        if path.startswith(beginning):
            query = "?from=0&to=60" if path.endswith("/windows") else ""
            return beginning[: beginning.index("{")] + name + path[len(beginning) :] + query
    return path


async def test_every_operation_and_every_page_answers(own_client: AsyncClient) -> None:
    for method, path, body in STEPS:
        answer = await own_client.request(method, filled(path), json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        assert answer.headers.get("content-type") != MEDIA_TYPE


def test_no_operation_is_left_out(app: FastAPI) -> None:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    there = {(method, route.path) for route in routes for method in route.methods or ()}
    steps = {(method, path) for method, path, _ in [*STEPS, *KEY_STEPS]}
    assert steps | NAMED_STEPS | SESSION_STEPS | TYPED_STEPS == there
