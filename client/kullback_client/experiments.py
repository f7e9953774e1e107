"""Experiments: which of several recommenders predicts better, and how surely."""

from typing import Literal, Unpack

from .batches import CHUNK, Progress, Sending, send
from .bodies import Table
from .columns import named_columns
from .exchange import MARKDOWN, Flow, Request, Retry, exchange
from .queries import query, read, segment, write
from .reports import ExperimentReport, ExperimentSeries
from .schemas.experiments import (
    AcceptedObservations,
    ChangedExperiment,
    ExperimentDetail,
    ExperimentSetup,
)
from .schemas.settings import ExperimentSettings

COLUMNS = frozenset(
    (
        *("y_true", "y_proba", "arm", "unit", "sample_weight", "timestamp", "slice"),
        *("propensity", "target_propensity"),
        *("outcome", "numerator", "denominator", "covariate"),
    )
)


class ExperimentCalls:
    """The routes of an experiment, as flows."""

    def __init__(self, name: str, retry: Retry) -> None:
        self.name = name
        self.path = f"/v1/experiments/{segment(name)}"
        self.retry = retry

    def put(
        self,
        *,
        epoch: Literal["new"] | None = None,
        dry_run: bool = False,
        **settings: Unpack[ExperimentSettings],
    ) -> Flow[ChangedExperiment]:
        """Create it, or give it another plan.

        Args:
            epoch: "new" where rows that the change would leave behind may stay in their epoch.
            dry_run: whether to say only what the change would do.
            settings: as docs/experiments.md says; what is not named has its default.

        Raises:
            Conflict: rows would be left behind, and no new epoch was asked for.
        """
        parameters = query(epoch=epoch, dry_run=dry_run or None)
        answer = yield from write(self.retry, "PUT", self.path, settings, parameters)
        return ChangedExperiment(answer)

    def details(self) -> Flow[ExperimentDetail]:
        """The plan, and what came."""
        return ExperimentDetail((yield from read(self.retry, self.path)))

    def stop(self, note: str) -> Flow[ExperimentSetup]:
        """Take no more rows in the present epoch, for good.

        Args:
            note: why: it stands in reports, and in the refusal of rows that come later.

        Raises:
            Conflict: it was stopped before, with another note.
        """
        answer = yield from write(self.retry, "POST", f"{self.path}/stop", {"note": note})
        return ExperimentSetup(answer)

    def delete(self) -> Flow[None]:
        """Remove it with all that it holds."""
        yield from write(self.retry, "DELETE", self.path)

    def observe(
        self,
        data: object = None,
        /,
        *,
        chunk_size: int | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        **fields: object,
    ) -> Flow[AcceptedObservations]:
        """Add what arms predicted, with the outcomes.

        Rows go in parts; each counts once, however often it is sent. Rows with a `timestamp` are
        named by their content: a job that runs twice counts once. Others count each time, unless
        `idempotency_key` names them.

        Args:
            data: a table of pandas, polars, pyarrow or NumPy, a mapping of columns, or rows; or
                None, and then the fields are the columns.
            chunk_size: rows of a request: 50,000.
            idempotency_key: what names these rows where they come from.
            progress: called after each part with the rows that were taken, and all there are.
            fields: columns, or their names in `data`: `y_true`, `y_proba` (of paired arms a mapping
                by arm), `arm`, `unit`, `sample_weight`, `timestamp`, `propensity`,
                `target_propensity`, `slice`, `outcome` (of several a mapping by name), `numerator`,
                `denominator`, `covariate`; and `on_invalid`.

        Raises:
            InvalidInput: rows are wrong: `row` and `errors` say which.
        """
        columns = named_columns(data, fields, COLUMNS)
        how = Sending(chunk_size or CHUNK, idempotency_key, progress)
        table, path = Table(columns, COLUMNS), f"{self.path}/observations"
        is_itself = "timestamp" in columns
        answer = yield from send(path, table, how, self.retry, is_itself=is_itself)
        return AcceptedObservations(answer)

    def report(self, *, by: str | None = None, epoch: int | None = None) -> Flow[ExperimentReport]:
        """Verdicts and numbers of all rows so far.

        Args:
            by: a slice, each value of which is a segment.
            epoch: an epoch before the present one.
        """
        parameters = query(by=by, epoch=epoch)
        return ExperimentReport((yield from read(self.retry, f"{self.path}/report", parameters)))

    def markdown(self, *, by: str | None = None, epoch: int | None = None) -> Flow[str]:
        """The same report as a page to paste into a ticket. See `report`."""
        parameters = query(by=by, epoch=epoch)
        request = Request("GET", f"{self.path}/report", parameters, accept=MARKDOWN)
        answer = yield from exchange(request, self.retry)
        return answer.content.decode()

    def series(
        self, *, step: int | None = None, arm: str | None = None, epoch: int | None = None
    ) -> Flow[ExperimentSeries]:
        """The course of a comparison: a point at the end of each step, of all rows up to there.

        Args:
            step: seconds, a multiple of 3,600; a day, unless it is said.
            arm: the first treatment, unless another is named.
            epoch: see `report`.
        """
        parameters = query(step=step, arm=arm, epoch=epoch)
        return ExperimentSeries((yield from read(self.retry, f"{self.path}/series", parameters)))
