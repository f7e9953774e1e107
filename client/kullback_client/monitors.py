"""Monitors: what models predicted and what happened, and what is known of it."""

from collections.abc import Mapping
from typing import Unpack
from uuid import uuid4

from .batches import CHUNK, Progress, Sending, send
from .bodies import Table
from .columns import named_columns
from .errors import NotFound
from .exchange import Flow, Request, Retry, exchange
from .queries import Duration, Names, Query, Time, query, read, segment, write
from .reports import MonitorReport, MonitorSeries
from .schemas.monitor_reports import MonitorChecks
from .schemas.monitors import (
    Annotation,
    AnnotationList,
    ChangedMonitor,
    JoinedRowsAccepted,
    MonitorDetails,
    MonitorSetup,
    ReferenceSummary,
    RemovedWindows,
    RowsAccepted,
)
from .schemas.settings import MonitorSettings
from .values import decoded

COLUMNS = frozenset(
    ("id", "y_true", "y_proba", "sample_weight", "timestamp", "unit", "slice", "features")
)


class MonitorCalls:
    """The routes of a monitor, as flows."""

    def __init__(self, name: str, retry: Retry) -> None:
        self.name = name
        self.path = f"/v1/monitors/{segment(name)}"
        self.retry = retry

    def put(
        self, *, forget: bool = False, **settings: Unpack[MonitorSettings]
    ) -> Flow[ChangedMonitor]:
        """Create it, or change what is named and keep the rest.

        Args:
            forget: whether a change may remove what was counted.
            settings: as docs/monitors.md says.

        Raises:
            Conflict: the change would remove what was counted.
        """
        return ChangedMonitor((yield from self._write("PUT", "", settings, _forgetting(forget))))

    def patch(
        self, *, forget: bool = False, **settings: Unpack[MonitorSettings]
    ) -> Flow[ChangedMonitor]:
        """Change it, but create nothing: such as its `description`, `owner`, `tags` and `links`.

        Raises:
            NotFound: there is no such monitor.
        """
        return ChangedMonitor((yield from self._write("PATCH", "", settings, _forgetting(forget))))

    def details(self) -> Flow[MonitorDetails]:
        """How it is set up, and what it holds."""
        return MonitorDetails((yield from read(self.retry, self.path)))

    def delete(self) -> Flow[None]:
        """Remove it with all that it holds."""
        yield from self._write("DELETE", "")

    def remove_windows(self, from_: Time, to: Time) -> Flow[RemovedWindows]:
        """Remove the rows of some time, which can then be sent again."""
        parameters = query(from_=from_, to=to)
        return RemovedWindows((yield from self._write("DELETE", "/windows", None, parameters)))

    def observations(
        self,
        data: object = None,
        /,
        *,
        chunk_size: int | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        **fields: object,
    ) -> Flow[RowsAccepted]:
        """Add predictions with their labels.

        Rows go in parts; each counts once, however often it is sent. Rows that have an `id` or a
        `timestamp` are named by their content: a job that runs twice counts once. Others, of which
        two may well be alike, count each time, unless `idempotency_key` names them.

        Args:
            data: a table of pandas, polars, pyarrow or NumPy, a mapping of columns, or rows; or
                None, and then the fields are the columns.
            chunk_size: rows of a request: 50,000.
            idempotency_key: what names these rows where they come from.
            progress: called after each part with the rows that were taken, and all there are.
            fields: columns, or their names in `data`: `y_true`, `y_proba`, `sample_weight`,
                `timestamp`, `id`, `unit`; `slice` and `features`, by name, or as a list of names;
                and `on_invalid`.

        Raises:
            InvalidInput: rows are wrong: `row` and `errors` say which.
        """
        how = _sending(chunk_size, idempotency_key, progress)
        return RowsAccepted((yield from self._send("observations", data, how, fields)))

    def predictions(
        self,
        data: object = None,
        /,
        *,
        chunk_size: int | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        **fields: object,
    ) -> Flow[JoinedRowsAccepted]:
        """Add predictions whose labels come apart, by `id`. See `observations`."""
        how = _sending(chunk_size, idempotency_key, progress)
        return JoinedRowsAccepted((yield from self._send("predictions", data, how, fields)))

    def labels(
        self,
        data: object = None,
        /,
        *,
        chunk_size: int | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        **fields: object,
    ) -> Flow[JoinedRowsAccepted]:
        """Add labels, by `id`, of predictions that came or will come. See `observations`.

        With `on_duplicate="correct"` they replace labels that came before.
        """
        how = _sending(chunk_size, idempotency_key, progress)
        return JoinedRowsAccepted((yield from self._send("labels", data, how, fields)))

    def reference(self, data: object = None, /, **fields: object) -> Flow[ReferenceSummary]:
        """Set what drift is measured against.

        Args:
            data: see `observations`.
            fields: a batch (`y_proba`, and `y_true`, `sample_weight`, `slice`, `features`), a time
                (`from_`, `to`, or `offset`), or `score_histogram` and `label_distribution`.
        """
        columns = named_columns(data, fields, COLUMNS)
        if "from_" in columns:
            columns["from"] = columns.pop("from_")
        body = Table(columns, COLUMNS).body()
        key = str(uuid4())
        path = f"{self.path}/reference"
        request = Request("PUT", path, body.query, body.content, body.media_type, key=key)
        answer = yield from exchange(request, self.retry)
        return ReferenceSummary(decoded(answer.content))

    def remove_reference(self) -> Flow[None]:
        """Let drift be measured against nothing."""
        yield from self._write("DELETE", "/reference")

    def report(
        self,
        *,
        last: Duration | None = None,
        from_: Time | None = None,
        to: Time | None = None,
        by: Names | None = None,
        slice: str | None = None,  # noqa: A002 - the name of the parameter
    ) -> Flow[MonitorReport]:
        """All metrics of some time, by default the last 24 hours.

        Args:
            last: how long up to now: seconds, or such as `"30min"`, `"24h"`, `"7d"`.
            from_: in place of it, when the time begins: a datetime, RFC 3339, or epoch seconds.
            to: when it ends.
            by: slices, each value of which is a group.
            slice: one value, as `"country=DE"`: then all is of its rows.
        """
        parameters = query(last=last, from_=from_, to=to, by=by, slice=slice)
        return MonitorReport((yield from read(self.retry, f"{self.path}/report", parameters)))

    def series(  # noqa: PLR0913 - the parameters of the query
        self,
        metrics: Names | None = None,
        *,
        step: Duration | None = None,
        last: Duration | None = None,
        from_: Time | None = None,
        to: Time | None = None,
        by: Names | None = None,
        slice: str | None = None,  # noqa: A002 - the name of the parameter
    ) -> Flow[MonitorSeries]:
        """Metrics over time, `log_loss` unless others are named. See `report`.

        Args:
            metrics: one or several.
            step: seconds, or such as `"30min"`, `"1h"`, `"day"`.
            last: see `report`, as `from_`, `to`, `by` and `slice`.
            from_: see `report`.
            to: see `report`.
            by: see `report`.
            slice: see `report`.
        """
        time = query(step=step, last=last, from_=from_, to=to)
        parameters = query(metric=metrics) + time + query(by=by, slice=slice)
        return MonitorSeries((yield from read(self.retry, f"{self.path}/series", parameters)))

    def annotate(
        self, text: str, *, time: Time | None = None, link: str | None = None
    ) -> Flow[Annotation]:
        """Write down what happened, such as a deploy: figures over time mark it.

        Args:
            text: what happened.
            time: when: a datetime, RFC 3339, or epoch seconds; now unless said.
            link: a page about it.
        """
        said = {"text": text, "time": time, "link": link}
        return Annotation((yield from self._write("POST", "/annotations", said)))

    def annotations(
        self, *, from_: Time | None = None, to: Time | None = None
    ) -> Flow[AnnotationList]:
        """What happened, by time: all that is written down, or what is of some time."""
        parameters = query(from_=from_, to=to)
        path = f"{self.path}/annotations"
        return AnnotationList((yield from read(self.retry, path, parameters)))

    def remove_annotation(self, identifier: str) -> Flow[None]:
        """Remove one, by its id."""
        yield from self._write("DELETE", f"/annotations/{segment(identifier)}")

    def checks(self) -> Flow[MonitorChecks]:
        """Whether it is well, and what is wrong."""
        return MonitorChecks((yield from read(self.retry, f"{self.path}/checks")))

    def rename(self, name: str) -> Flow[MonitorSetup]:
        """Give it another name, by which this object asks from then on."""
        renamed = MonitorCalls(name, self.retry)
        try:
            answer = yield from self._write("POST", "/rename", {"name": name})
        except NotFound as error:
            if not error.follows_loss:
                raise
            try:  # it has that name where the answer that was lost had said so
                answer = yield from read(self.retry, renamed.path)
            except NotFound:
                raise error from None
        self.name, self.path = renamed.name, renamed.path
        return MonitorSetup(answer)

    def _send(
        self, rows: str, data: object, how: Sending, fields: Mapping[str, object]
    ) -> Flow[dict[str, object]]:
        columns = named_columns(data, fields, COLUMNS)
        is_itself = bool({"id", "timestamp"} & columns.keys())
        is_itself &= columns.get("on_duplicate") != "correct"  # what replaces may come back
        table = Table(columns, COLUMNS)
        path = f"{self.path}/{rows}"
        return (yield from send(path, table, how, self.retry, is_itself=is_itself))

    def _write(
        self, method: str, route: str, document: object = None, parameters: Query = ()
    ) -> Flow[dict[str, object]]:
        path = f"{self.path}{route}"
        return (yield from write(self.retry, method, path, document, parameters))


def _sending(
    chunk_size: int | None, idempotency_key: str | None, progress: Progress | None
) -> Sending:
    return Sending(chunk_size or CHUNK, idempotency_key, progress)


def _forgetting(forget: bool) -> Query:  # noqa: FBT001 - a parameter of the query
    return query(forget=forget or None)
