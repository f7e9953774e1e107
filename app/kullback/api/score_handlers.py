"""Handlers of score bodies: what is read of one, what it asks for, and its answer."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from kullback.api import several_answer
from kullback.payload import read
from kullback.payload.body import Body
from kullback.payload.read import Query
from kullback.requests.base import ScoreRequest
from kullback.requests.column_order import score_request
from kullback.requests.several import SeveralRequests, read_several
from kullback.requests.validation import array_fields, word_options
from kullback.scoring import cost, score_json
from kullback.scoring.score import Score

Sent = TypeVar("Sent", ScoreRequest, SeveralRequests)
Scored = tuple[list[Score], bytes]  # what is counted, and what is answered


class ScoreHandler(ABC, Generic[Sent]):
    """What a body becomes; neither the event loop nor a worker need know what it asks for."""

    @abstractmethod
    def read(self, body: Body, query: Query, cap: int) -> Sent:
        """Parse and check a body."""

    @abstractmethod
    def score(self, sent: Sent, cap: int) -> Scored:
        """Score what is not too dear, and write the answer."""

    def cheap_score(self, body: Body, query: Query, cap: int) -> tuple[Sent, Scored | None]:
        """What a body asks for, and its score where that is little work."""
        sent = self.read(body, query, cap)
        return sent, self.score(sent, cap) if cost.is_cheap(sent.costs()) else None


class MetricHandler(ScoreHandler[ScoreRequest]):
    """One metric: the model of its requests, and what a payload reader must know of it."""

    def __init__(self, model: type[ScoreRequest]) -> None:
        self._model = model
        self._columns = array_fields(model)
        self._texts = word_options(model)

    def read(self, body: Body, query: Query, cap: int) -> ScoreRequest:
        """See ScoreHandler."""
        fields = read.fields(body, query, self._columns, self._texts, cap)
        return score_request(self._model, fields)

    def score(self, sent: ScoreRequest, cap: int) -> Scored:
        """See ScoreHandler."""
        costs = sent.costs()
        if costs:
            cost.check(costs, sum(sent.sizes()), cap)
        score = sent.score()
        return [score], score_json.encode(score)


class SeveralHandler(ScoreHandler[SeveralRequests]):
    """The metrics that a body names; refusals among the scores carry the id of the request."""

    def __init__(self, request_id: str | None) -> None:
        self._request_id = request_id

    def read(self, body: Body, query: Query, cap: int) -> SeveralRequests:
        """See ScoreHandler."""
        return read_several(body, query, cap)

    def score(self, sent: SeveralRequests, cap: int) -> Scored:
        """See ScoreHandler."""
        sent.check(cap)
        outcomes = sent.scores()
        counted = [outcome for outcome in outcomes.values() if isinstance(outcome, Score)]
        return counted, several_answer.encode(outcomes, self._request_id)
