"""Rivals: what one would write instead with FastAPI, numpy and pydantic.

python -m bench.rivals PORT
"""

import json
import logging
import sys
from time import perf_counter, time

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel

_log = logging.getLogger("rivals")


class Pairs(BaseModel):
    """Labels and predictions, as FastAPI reads them."""

    y_true: list[float]
    y_proba: list[float]


class Rows(BaseModel):
    """Class indices, and a distribution per row."""

    y_true: list[int]
    y_proba: list[list[float]]


class Distributions(BaseModel):
    """A target and a prediction."""

    p: list[float]
    q: list[float]


class Value(BaseModel):
    """The answer, and no more."""

    value: float


def create_rival() -> FastAPI:
    """Bare routes; `async def`, which is the faster kind for small requests."""
    app = FastAPI(openapi_url=None)

    @app.post("/log-loss")
    async def log_loss(pairs: Pairs) -> Value:
        y, p = np.asarray(pairs.y_true), np.asarray(pairs.y_proba)
        return Value(value=float(np.mean(-(y * np.log(p) + (1 - y) * np.log1p(-p)))))

    @app.post("/log-loss-rows")
    async def log_loss_rows(rows: Rows) -> Value:
        y, p = np.asarray(rows.y_true), np.asarray(rows.y_proba)
        return Value(value=float(np.mean(-np.log(p[np.arange(y.size), y]))))

    @app.post("/log-loss-rows-logged")
    async def log_loss_rows_logged(request: Request, rows: Rows) -> Value:
        began = perf_counter()
        value = await log_loss_rows(rows)
        fields = {"ts": time(), "path": request.url.path, "ms": (perf_counter() - began) * 1000}
        _log.info(json.dumps(fields))
        return value

    @app.post("/cross-entropy")
    async def cross_entropy(sides: Distributions) -> Value:
        p, q = np.asarray(sides.p), np.asarray(sides.q)
        return Value(value=float(-(p * np.log(q)).sum()))

    @app.post("/count")
    async def count(request: Request) -> Value:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return Value(value=size)

    @app.get("/livez")
    async def livez() -> Value:
        return Value(value=1.0)

    return app


def main(port: int) -> None:
    """Serve the rivals with the settings of kullback/server.py that matter for speed."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    uvicorn.run(
        create_rival(),
        port=port,
        loop="auto",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
