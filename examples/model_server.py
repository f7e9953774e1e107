"""A model behind FastAPI that reports what it predicts: `uvicorn model_server:app`.

The reporter sends from a thread: a request never waits for it, and no fault of it reaches a caller.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from kullback_client import Client, Reporter


class Visit(BaseModel):
    """What the model knows of a visit."""

    country: str
    minutes: float


class Answer(BaseModel):
    """What it answers; `id` is what the label will name."""

    id: str
    probability: float


def predict(visit: Visit) -> float:
    """Stands for your model."""
    return 1 / (1 + math.exp(3 - visit.minutes / 10))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Report while the server runs, and send what is pending when it ends."""
    with Client() as kb, kb.monitor("visits").ensure(slices=["country"]).reporter() as reporter:
        app.state.reporter = reporter
        yield


app = FastAPI(lifespan=lifespan)


def reporter_of(request: Request) -> Reporter:
    """The reporter of this server."""
    reporter: Reporter = request.app.state.reporter
    return reporter


@app.post("/predict")
def answer(visit: Visit, reporter: Annotated[Reporter, Depends(reporter_of)]) -> Answer:
    """Predict, and report it."""
    result = Answer(id=str(uuid4()), probability=predict(visit))
    reporter.prediction(id=result.id, y_proba=result.probability, country=visit.country)
    return result


@app.get("/healthz")
def health(reporter: Annotated[Reporter, Depends(reporter_of)]) -> dict[str, object]:
    """Whether rows were lost on the way, which is no reason to stop serving."""
    stats = reporter.stats
    return {"pending": stats.pending, "dropped": stats.dropped, "problem": stats.problem}
