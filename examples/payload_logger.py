"""Takes what KServe logs of a model as predictions: `uvicorn payload_logger:app`.

Name it as `logger.url` of an InferenceService, with `mode: response`. KServe sends each answer as a
CloudEvent with the body of the V2 protocol, and the same event again where it is not sure: the id
of the event and the place of the row make an id that counts once, and that labels can name.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from fastapi import FastAPI, Request, Response

from kullback_client import Client

RESPONSE = "org.kubeflow.serving.inference.response"
OUTPUT = "probabilities"  # the output that has them: [n] or [n, 2], the last is of the positive


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Report while the logger runs, and send what is pending when it ends."""
    with Client() as kb, kb.monitor("served").ensure(slices=["model"]).reporter() as reporter:
        app.state.reporter = reporter
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/")
async def log(request: Request) -> Response:
    """Take an event; 202 says that its rows are on their way."""
    headers = dict(request.headers)
    event = from_http_event(HTTPMessage(headers, await request.body()))
    if event.get_type() != RESPONSE:
        return Response(status_code=204)
    data = event.get_data()
    body: Mapping[str, Any] = data if isinstance(data, Mapping) else json.loads(data or b"{}")
    model = f"{body['model_name']}:{body.get('model_version', '')}"
    for row, p in enumerate(positive(body)):
        request.app.state.reporter.prediction(id=f"{event.get_id()}/{row}", y_proba=p, model=model)
    return Response(status_code=202)


def positive(body: Mapping[str, Any]) -> list[float]:
    """The probability of the positive label of each row of an answer."""
    (output,) = (each for each in body["outputs"] if each["name"] == OUTPUT)
    width = output["shape"][1] if len(output["shape"]) > 1 else 1
    result: list[float] = output["data"][width - 1 :: width]
    return result
