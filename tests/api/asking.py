"""Requests over HTTP: for a score as the contract has it, or for a refusal."""

import json
from typing import Any

from httpx import AsyncClient

from kullback.api.score_answer import ScoreAnswer

ENVELOPE = [
    *("metric", "value", "status", "reason", "unit", "n", "weight", "standard_error"),
    *("per_row", "gradient", "details", "conventions", "diagnostics"),
]
DIAGNOSTICS = [
    *("infinite", "infinite_rows", "clipped", "renormalized", "max_sum_error"),
    *("dropped", "dropped_rows"),
]
Score = dict[str, Any]


def refuse(name: str) -> None:
    raise ValueError(name)


async def score(client: AsyncClient, metric: str, /, **fields: object) -> Score:
    """The answer to these fields, which is a score."""
    answer = await client.post(f"/v1/scores/{metric}", json=fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    answered: Score = json.loads(answer.content, parse_constant=refuse)
    ScoreAnswer.model_validate_json(answer.content, strict=True, extra="forbid")
    assert list(answered) == list(ScoreAnswer.model_fields) == ENVELOPE
    assert list(answered["diagnostics"]) == DIAGNOSTICS
    assert (answered["value"] is None) == (answered["status"] != "finite")
    assert (answered["reason"] is None) == (answered["status"] == "finite")
    return answered


async def refused(client: AsyncClient, metric: str, /, **fields: object) -> str:
    """The first place that these fields are refused for."""
    answer = await client.post(f"/v1/scores/{metric}", json=fields)
    assert answer.status_code == 422, answer.text
    place: str = answer.json()["errors"][0]["pointer"]
    return place
