"""What a time of a monitor is compared with: the reference, or the same time before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kullback.moments import DAY
from kullback.monitoring.selection import MonitorQuery, MonitorSelection
from kullback.tally.metrics import TallyMetrics
from kullback.tally.report_types import MetricValues, metric_values
from kullback.tally.tally import Tally


@dataclass(frozen=True, slots=True)
class Past:
    """The metrics of what a time is compared with, and of how many rows they are.

    Attributes:
        name: "reference", "the day before".
        place: the same behind a number: "in the reference".
    """

    metrics: MetricValues
    rows: int
    name: str
    place: str

    @classmethod
    def of(cls, tally: Tally, name: str, place: str) -> "Past":
        """The metrics of a tally."""
        metrics = TallyMetrics(tally)
        return cls(metric_values(metrics), metrics.rows, name, place)


def past_of(selection: MonitorSelection, value: str | None) -> Past | None:
    """The reference, or the same time before, whichever has rows with labels.

    Args:
        selection: the time that is compared, of all rows or of one value of a slice.
        value: that value, "country=DE".
    """
    reader, (start, stop) = selection.reader, selection.span
    reference = reader.reference_of(selection.span, (value,))
    labelled = {} if reference is None else reference.labelled
    if (value or "") in labelled:
        return Past.of(labelled[value or ""], "reference", "in the reference")
    days = max(1, math.ceil((stop - start) / DAY))
    if start < days * DAY:
        return None
    query = MonitorQuery(start - days * DAY, stop - days * DAY, value=value)
    before = reader.select(query).tallies().labelled
    if before is None:
        return None
    name = "the day before" if days == 1 else f"the {days} days before"
    return Past.of(before, name, name if stop - start == days * DAY else f"at that time {name}")


def past_of_values(selection: MonitorSelection, names: Sequence[str]) -> dict[str, MetricValues]:
    """The metrics of values of slices in the reference, "country=DE"; of those that it has."""
    by = tuple(dict.fromkeys(name.partition("=")[0] for name in names))
    reference = selection.reader.reference_of(selection.span, by) if by else None
    labelled = {} if reference is None else reference.labelled
    return {name: metric_values(TallyMetrics(labelled[name])) for name in names if name in labelled}
