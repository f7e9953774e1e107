"""Shares of a feature's values: how many rows have which, beside the reference."""

from urllib.parse import quote

from kullback.figures.cells import cell
from kullback.figures.figure import ChartSeries, Figure
from kullback.monitoring.drift_report import AnyBin, CategoryBin, FeatureDriftReport, NumberBin

_NO_BOUND = "…"
_LONGEST = 24


def of_feature(name: str, drift: FeatureDriftReport) -> Figure:
    """The values of one feature."""
    current = [part.share for part in drift.bins]
    past = [part.reference_share for part in drift.bins]
    series = [ChartSeries("Share of rows", current, hue=1, style="bars")]
    if any(share is not None for share in past):
        series.insert(0, ChartSeries("In the reference", past, hue=2, style="bars"))
    return Figure(
        name=f"feature-{quote(name, safe='')}-values",
        title=name,
        caption=drift.statement,
        x_label="Value",
        y_label="Share of rows",
        x=list(range(len(current))),
        series=series,
        x_names=[_name(part) for part in drift.bins],
        y_holds=[0.0],
    )


def _name(part: AnyBin) -> str:
    if isinstance(part, NumberBin):
        low, high = (_NO_BOUND if at is None else cell(at) for at in (part.start, part.stop))
        return f"{low} to {high}"
    if isinstance(part, CategoryBin):
        whole = len(part.value) <= _LONGEST
        return part.value if whole else f"{part.value[: _LONGEST - 1]}…"
    return "missing"
