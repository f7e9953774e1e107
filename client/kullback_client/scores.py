"""Scores: what is asked for, and what is answered."""

from collections.abc import Iterator, Mapping, Sequence

from .bodies import Table
from .columns import named_columns
from .errors import InvalidInput, KullbackError, problem_of
from .exchange import Flow, Request, Retry, exchange
from .schemas.fields import COLUMNS, SHORT
from .schemas.scores import ScoreAnswer
from .values import decoded


class Score(ScoreAnswer):
    """A score; `float()` is its value, also where that is infinite, or NaN where undefined."""

    __slots__ = ()

    def __float__(self) -> float:
        if self.value is not None:
            return float(self.value)
        if self.status == "infinite":
            return float("-inf" if "negative" in str(self.reason) else "inf")
        return float("nan")


class Scores(Mapping[str, Score]):
    """Scores of several metrics; one that refused what was sent raises that when it is read.

    Attributes:
        problems: of the metrics that refused, why.
    """

    def __init__(self, scores: Mapping[str, Score], problems: Mapping[str, KullbackError]) -> None:
        self._scores = scores
        self.problems = problems

    def __getitem__(self, metric: str) -> Score:
        """The score of a metric.

        Raises:
            InvalidInput: the metric refused what was sent.
            KeyError: it was not asked for.
        """
        name = metric.replace("_", "-")
        if name in self.problems:
            raise self.problems[name]
        return self._scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __repr__(self) -> str:
        return f"Scores({dict(self._scores)!r}, problems={dict(self.problems)!r})"


def score(retry: Retry, metric: str, data: object, fields: Mapping[str, object]) -> Flow[Score]:
    """The score of one metric."""
    table = Table(named_columns(data, fields, COLUMNS), COLUMNS, SHORT)
    answer = yield from _ask(retry, f"/v1/scores/{metric.replace('_', '-')}", table)
    return Score(answer)


def scores(
    retry: Retry, metrics: Sequence[str], data: object, fields: Mapping[str, object]
) -> Flow[Scores]:
    """The scores of several metrics of the same columns, which are sent once."""
    names = [name.replace("_", "-") for name in metrics]
    columns = {**named_columns(data, fields, COLUMNS), "metrics": names}
    answer = yield from _ask(retry, "/v1/scores", Table(columns, COLUMNS, SHORT))
    documents = answer["scores"]
    assert isinstance(documents, dict)
    refused = {name for name, document in documents.items() if "detail" in document}
    problems = {name: problem_of(documents[name], InvalidInput, 422) for name in refused}
    return Scores(
        {name: Score(document) for name, document in documents.items() if name not in refused},
        {name: problem for name, problem in problems.items() if problem is not None},
    )


def _ask(retry: Retry, path: str, table: Table) -> Flow[dict[str, object]]:
    body = table.body()
    request = Request("POST", path, body.query, body.content, body.media_type)
    answer = yield from exchange(request, retry)
    return decoded(answer.content)
