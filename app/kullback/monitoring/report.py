"""This file is about what a monitor reports: metrics, drift and slices of some time, as numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kullback.moments import moment
from kullback.monitoring.cells import LABELLED, SCORED
from kullback.monitoring.reference import Reference, WindowTallies
from kullback.monitoring.windows import Span
from kullback.numerics.types import Undefined
from kullback.storage.base import Cell
from kullback.tally.documents import Document, bins, decomposition, estimate, numbers, stated
from kullback.tally.drift import Drift
from kullback.tally.inference import by_unit, occupied_buckets
from kullback.tally.metrics import TallyMetrics
from kullback.tally.tally import Layout, Tally, decoded_total, total

RELIABILITY_BINS = 10
_SIGNIFICANT = 0.001
_DRIFT = ("kl", "js", "psi", "g_statistic", "degrees_of_freedom", "p_value")
Part = tuple[Cell, bytes]


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report is of."""

    monitor: str
    layout: Layout
    span: Span
    by: str | None = None


def tallies_by_slice(parts: Iterable[Part]) -> dict[str, WindowTallies]:
    """What came, by slice."""
    kept: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for cell, content in parts:
        kept[cell.slice][cell.kind].append(content)
    return {name: _window_tallies(kinds) for name, kinds in sorted(kept.items())}


def _window_tallies(kinds: Mapping[str, Sequence[bytes]]) -> WindowTallies:
    sums = {kind: decoded_total(contents) for kind, contents in kinds.items()}
    labelled, scored = (
        [sums[kind] for kind in wanted if kind in sums] for wanted in (LABELLED, SCORED)
    )
    return WindowTallies(total(labelled) if labelled else None, total(scored) if scored else None)


def report(
    asked: ReportScope, parts: Iterable[Part], slices: Iterable[Part], reference: Reference | None
) -> Document:
    """The report of docs/api.md.

    Args:
        asked: of what.
        parts: of all rows.
        slices: of each value of the slice `asked.by`.
        reference: what drift is measured against.
    """
    nothing = WindowTallies(None, None)
    all_rows = tallies_by_slice(parts).get("", nothing)
    groups = tallies_by_slice(slices)
    reading = TallyMetrics(all_rows.labelled or Tally(asked.layout))
    drifts: Document = _drifts(all_rows, reference, "")
    if asked.by is not None and reference is not None:
        drifts["slices"] = {asked.by: _drift(reference.slice_drift(groups, asked.by))}
    return {
        "monitor": asked.monitor,
        "from": moment(asked.span.start),
        "to": moment(asked.span.stop),
        **numbers(reading),
        "predictions": _predictions(all_rows),
        "clipped": reading.tally.scalar("clipped"),
        "infinite": reading.tally.scalar("infinite"),
        "units": occupied_buckets(reading.tally) if by_unit(reading.tally) else None,
        "decomposition": decomposition(reading),
        "reliability": bins(reading.reliability(RELIABILITY_BINS)),
        "drift": drifts,
        "groups": [_group(asked, name, group, reference) for name, group in groups.items()],
    }


def series(parts: Iterable[Part], metric: str, step_at: Callable[[int], Span]) -> list[Document]:
    """One metric over time: a point for each step in which rows came."""
    steps: dict[Span, list[bytes]] = defaultdict(list)
    for cell, content in parts:
        if cell.kind in LABELLED:
            steps[step_at(cell.start)].append(content)
    points: list[Document] = []
    for (start, stop), contents in sorted(steps.items()):
        reading = TallyMetrics(decoded_total(contents))
        found: Document = {"from": moment(start), "to": moment(stop), "n": reading.rows}
        points.append(found | estimate(reading.metric(metric)))
    return points


def _group(
    asked: ReportScope, name: str, group: WindowTallies, reference: Reference | None
) -> Document:
    key, _, value = name.partition("=")
    reading = TallyMetrics(group.labelled or Tally(asked.layout))
    head: Document = {"slice": {key: value}}
    return (
        head
        | numbers(reading)
        | {
            "predictions": _predictions(group),
            "drift": _drifts(group, reference, name),
        }
    )


def _drifts(group: WindowTallies, reference: Reference | None, name: str) -> Document:
    if reference is None:
        reference = Reference("none", 0.0)
    return {of: _drift(found) for of, found in reference.drifts(group, name).items()}


def _drift(found: Drift) -> Document:
    if isinstance(found.psi, Undefined):
        missing: Document = dict.fromkeys(_DRIFT)
        return missing | {"reason": found.psi.reason, "statement": statement(found)}
    columns: Mapping[str, float | Undefined] = {
        "kl": found.kl,
        "js": found.js,
        "psi": found.psi,
        "g_statistic": found.g_statistic,
        "degrees_of_freedom": found.degrees_of_freedom,
        "p_value": found.p_value,
    }
    told = {name: stated(value) for name, value in columns.items()}
    reason = next((reason for _, _, reason in told.values() if reason is not None), None)
    numbers: Document = {name: value for name, (value, _, _) in told.items()}
    return numbers | {"reason": reason, "statement": statement(found)}


def statement(found: Drift) -> str:
    """What the numbers mean, in words: how sure a change is first, then how large."""
    if isinstance(found.p_value, Undefined) or isinstance(found.psi, Undefined):
        why = found.p_value.reason if isinstance(found.p_value, Undefined) else ""
        return {"no_reference": "No reference to compare with."}.get(why, "No rows to compare.")
    if found.p_value >= _SIGNIFICANT:
        return f"No significant change (p = {found.p_value:.3g})."
    size = "small" if found.psi < 0.1 else "moderate" if found.psi < 0.25 else "large"
    chance = f"p = {found.p_value:.1g}" if found.p_value > 0 else "p < 1e-300"
    return f"A significant change ({chance}), {size} in size (PSI {found.psi:.3f})."


def _predictions(group: WindowTallies) -> int:
    return 0 if group.scored is None else group.scored.scalar("rows")
