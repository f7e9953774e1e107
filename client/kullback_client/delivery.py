"""Delivery of batches that a reporter has taken: until the service has answered each."""

import logging
import re
from collections.abc import Mapping, Sequence
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Self
from uuid import uuid4

from .batches import taken
from .connection import Connection
from .errors import Conflict, FieldError, InvalidInput, KullbackError, ServiceFailure, Unavailable
from .exchange import LINES, Answer, Request, Retry, exchange
from .transport import BlockingTransport
from .values import decoded, encoded, plain

_LOG = logging.getLogger("kullback_client")
_FIELDS = frozenset(
    ("id", "y_true", "y_proba", "sample_weight", "timestamp", "unit", "slice", "features")
)
_NO_RETRY = Retry(seconds=0.0)
_PAUSES = Retry(cap=5.0)
_LONGEST_PAUSE = 300.0  # seconds, whatever an answer asks for: the queue is short
_MOST_FAILURES = 5  # of the service itself, until its rows are taken for what makes it fail
_MOST_PARTS = 40  # of a batch that is refused, to find the rows that make it so
_LINE = re.compile(r"^line \d+: ")  # of a batch that nobody sees
Batch = Sequence[tuple[str, dict[str, object]]]
Lines = Sequence[bytes]


class Delivery:
    """What becomes of batches.

    Attributes:
        sent: rows that the service took.
        refused: rows that are wrong.
        dropped: rows that were given up, as the end came first.
        problem: why the first row was refused; before that what went wrong first.
    """

    def __init__(self, connection: Connection, path: str) -> None:
        self.sent = self.refused = self.dropped = 0
        self.problem: str | None = None
        self._connection, self._path = connection, path
        self._transport: BlockingTransport | None = None
        self._end: float | None = None
        self._is_ending = Event()

    def __enter__(self) -> Self:
        self._transport = BlockingTransport(self._connection)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._transport is not None
        self._transport.close()

    def end_by(self, moment: float) -> None:
        """Give up what cannot be delivered by this moment of the monotonic clock."""
        self._end = moment
        self._is_ending.set()

    def note(self, problem: str) -> None:
        """Keep what went wrong first, and say it once."""
        if self.problem is None:
            self._say(problem)

    def deliver(self, batch: Batch) -> None:
        """Send rows until they are taken, refused or given up, whatever goes wrong with them."""
        end = self._done + len(batch)
        try:
            self._deliver(batch)
        except Exception as error:  # noqa: BLE001 - the rows that come later need this thread
            self.note(f"{type(error).__name__}: {error}")
        self.dropped += end - self._done

    @property
    def _done(self) -> int:
        return self.sent + self.refused + self.dropped

    def _deliver(self, batch: Batch) -> None:
        """Send rows; those of one form go together."""
        forms: dict[tuple[object, ...], list[bytes]] = {}
        for rows, row in batch:
            try:
                document = _document(row)
                form = (rows, frozenset(document), _names(document.get("features")))
                line = encoded(document)
            except Exception as error:  # noqa: BLE001 - whatever an object of a caller raises
                self._refuse(1, str(error))
            else:
                forms.setdefault(form, []).append(line)
        for (kind, *_), lines in forms.items():
            self._send(str(kind), lines)

    def _send(self, rows: str, lines: Lines) -> None:
        """Send lines; where all are refused, halves of them, to find those that make it so."""
        parts, left = [lines], _MOST_PARTS
        while parts:
            part = parts.pop()
            left -= 1
            error = self._part(rows, part)
            if error is None:
                continue
            if len(part) == 1 or left <= len(parts):
                self._refuse(len(part), _problem(error))
                continue
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]

    def _part(self, rows: str, lines: Lines) -> KullbackError | None:
        """Why lines are refused; None where they were taken, or given up."""
        path, query = f"{self._path}/{rows}", (("on_invalid", "drop"),)
        request = Request("POST", path, query, b"\n".join(lines), LINES, key=str(uuid4()))
        attempt = 0
        while True:
            try:
                answer = taken(self._ask(request).content)
            except KullbackError as error:
                is_final = isinstance(error, InvalidInput | Conflict) and not error.is_passing
                is_failing = isinstance(error, ServiceFailure) and attempt >= _MOST_FAILURES
                if is_final or is_failing:
                    return error
                self.note(str(error))
                if not self._pause(error, attempt):
                    self.dropped += len(lines)
                    return None
                attempt += 1
            else:
                self._count(lines, answer)
                return None

    def _ask(self, request: Request) -> Answer:
        assert self._transport is not None, "it was entered"
        return self._transport.run(exchange(request, _NO_RETRY))

    def _pause(self, error: KullbackError, attempt: int) -> bool:
        """Wait before the next attempt; whether there is one."""
        seconds = min(_PAUSES.pause(attempt, error.retry_after), _LONGEST_PAUSE)
        if self._end is None:
            self._is_ending.wait(seconds)  # who ends it need not wait for the rest of this
            return True
        left = self._end - monotonic()
        if left <= 0 or not isinstance(error, Unavailable):
            return False
        Event().wait(min(seconds, left))
        return True

    def _count(self, lines: Lines, answer: Mapping[str, object]) -> None:
        rejected, rejections = answer.get("rejected", 0), answer.get("rejections")
        refused = rejected if isinstance(rejected, int) else 0
        self.sent += len(lines) - refused
        if refused and isinstance(rejections, list):
            self._refuse(refused, _problem_of_row(FieldError(**rejections[0]), lines))

    def _refuse(self, rows: int, problem: str) -> None:
        if not self.refused:  # whatever went wrong before, this is what costs rows
            self._say(problem)
        self.refused += rows

    def _say(self, problem: str) -> None:
        self.problem = problem
        _LOG.warning("rows for %s: %s", self._path, problem)


def _problem(error: KullbackError) -> str:
    """What is wrong, and the first place where it is."""
    return f"{error.errors[0].pointer}: {error}" if error.errors else str(error)


def _problem_of_row(place: FieldError, lines: Lines) -> str:
    """What is wrong with a row, and the id it has."""
    _, _, field = place.pointer[1:].partition("/")
    row = {} if place.row is None else decoded(lines[place.row])
    of = f" (id {row['id']})" if row.get("id") is not None else ""
    return f"{field}: {_LINE.sub('', place.detail)}{of}"


def _document(row: Mapping[str, object]) -> dict[str, object]:
    """A row as a line says it: what is no field is a slice, and what is not said is not there."""
    fields = {name: plain(value) for name, value in row.items() if name in _FIELDS}
    slices = {name: plain(value) for name, value in row.items() if name not in _FIELDS}
    if slices:
        own = fields.get("slice")
        fields["slice"] = {**(own if isinstance(own, Mapping) else {}), **slices}
    return fields


def _names(features: object) -> frozenset[str]:
    return frozenset(features) if isinstance(features, Mapping) else frozenset()
