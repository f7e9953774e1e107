"""The answer of several metrics of one body, as its schema and as its bytes."""

from collections.abc import Mapping

from pydantic import BaseModel, Field
from pydantic_core import to_json

from kullback.api.problem_document import Problem, document, kind_of
from kullback.api.score_answer import ScoreAnswer
from kullback.errors import ScoringError
from kullback.scoring import score_json
from kullback.scoring.score import Score


class SeveralAnswer(BaseModel):
    """A score of each metric, or why it refuses what was sent."""

    scores: dict[str, ScoreAnswer | Problem] = Field(
        description="By the name of the metric, in the order in which they were named."
    )


def encode(outcomes: Mapping[str, Score | ScoringError], request_id: str | None) -> bytes:
    """The answer: each score as it is answered alone, each refusal as a problem document."""
    parts = (
        to_json(name) + b":" + _document(outcome, request_id) for name, outcome in outcomes.items()
    )
    return b'{"scores":{' + b",".join(parts) + b"}}"


def _document(outcome: Score | ScoringError, request_id: str | None) -> bytes:
    if isinstance(outcome, Score):
        return score_json.encode(outcome)
    places = outcome.offences
    return document(kind_of(outcome), outcome.message, request_id, places, outcome.total)
