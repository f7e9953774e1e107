"""Streams of rows for monitors, page by page, as they come in real life: late, twice, and dirty."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from tests.torture.pages import (
    DIGITS,
    WINDOWS_AT_MOST,
    Job,
    Page,
    Pages,
    Row,
    batch,
    cut,
    rows_at,
    windows,
)
from tests.torture.scribe import Labels, Scribe

DEFAULT = 0
LABEL_SECONDS = 1  # until the default counts
LATE_SECONDS = 1.5  # until a label comes that corrects it
SOON_SECONDS = 0.3
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "defaulted": {"default_label": DEFAULT, "label_window": LABEL_SECONDS}
}
Span = tuple[int, int]


def observed(monitor: str, newest: int, rng: Random, *, is_dirty: bool = False) -> Pages:
    """Pages of observations: a place is a batch of 1, 2 or 4 rows, among which are bad ones."""
    for number, within in windows(newest):
        rows = {place: batch(rng, within, place) for place in range(DIGITS)}
        yield _observed(Scribe(monitor, number, rng, is_dirty=is_dirty), within, rows)


def spread(monitor: str, span: Span, rows: int, rng: Random) -> Pages:
    """Pages of observations, all in the same time of days ago: a place is a batch of such rows."""
    for number in range(WINDOWS_AT_MOST):
        of_places = {place: rows_at(rng, span, place, rows) for place in range(DIGITS)}
        page = _observed(Scribe(monitor, number, rng), span, of_places)
        yield replace(page, counts={**page.counts, "backfilled": page.counts["late"]})


def joined(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of predictions and labels that are joined by id: a place is a row."""
    for number, within in windows(newest):
        scribe, rows, y = _begun(monitor, number, within, rng)
        jobs = [scribe.predictions(part, rows) for part in cut(rng)]
        jobs += [scribe.labels(part, y) for part in cut(rng)]
        yield _page(scribe, within, _labelled(rows, y), jobs, _matched(DIGITS))


def corrected(monitor: str, newest: int, rng: Random) -> Pages:
    """The same, with bad rows, and labels that are corrected again and again, or in vain."""
    for number, within in windows(newest):
        scribe, rows, y = _begun(monitor, number, within, rng, is_dirty=True)
        jobs = [scribe.predictions(part, rows) for part in cut(rng)]
        for part in cut(rng):
            steps = [scribe.labels(part, y)]
            for _ in range(rng.randrange(4)):
                step = rng.choice((scribe.correction, scribe.correction, scribe.ignored))
                steps.append(step(_some(part, rng), y))
            jobs += _chained(steps, rng)
        yield _page(scribe, within, _labelled(rows, y), jobs, _matched(DIGITS))


def rebatched(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of observations with ids, each in several batches, of which some have no key.

    Labels are corrected whether or not their rows are there yet.
    """
    for number, within in windows(newest):
        scribe, rows, y = _begun(monitor, number, within, rng, is_dirty=True)
        jobs = [
            scribe.identified(part, rows)._replace(is_keyed=rng.random() < 0.5)
            for _ in range(rng.randrange(2, 4))
            for part in cut(rng)
        ]
        some = _some(range(DIGITS), rng)
        steps = [scribe.correction(_some(some, rng), y) for _ in range(rng.randrange(1, 4))]
        jobs += _chained(steps, rng)
        page = _page(scribe, within, _labelled(rows, y), jobs, {"late": DIGITS})
        halves = {"observations", "predictions", "labels", "matched"}
        unsure = frozenset({*halves, "corrected", "duplicates", "rejected"})
        yield replace(page, rebatched=True, unsure=unsure)


def defaulted(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of predictions whose labels come early, or late, or never: then the default counts."""
    for number, within in windows(newest):
        scribe, rows, y = _begun(monitor, number, within, rng)
        jobs, never = list[Job](), set[int]()
        for part in cut(rng):
            steps = [scribe.predictions(part, rows)]
            fate = rng.choice(("never", "early", "late", "late and corrected"))
            if fate == "never":
                never |= set(part)
                y |= dict.fromkeys(part, DEFAULT)
            elif fate == "early":
                jobs.append(scribe.labels(part, y))
            else:
                steps.append(scribe.labels(part, y)._replace(pause=LATE_SECONDS))
            if fate == "late and corrected":
                steps.append(scribe.correction(_some(part, rng), y))
            jobs += _chained(steps, rng)
        counts = _matched(DIGITS - len(never)) | {"predictions": DIGITS, "late": DIGITS}
        counts["defaulted"] = len(never)
        page = _page(scribe, within, _labelled(rows, y), jobs, counts)
        yield replace(page, by_default=frozenset(never), unsure=frozenset({"corrected"}))


def removed(monitor: str, newest: int, rng: Random) -> Pages:
    """Pages of observations; of every other window all are removed once they are there."""
    for number, within in windows(newest):
        scribe = Scribe(monitor, number, rng)
        rows = {place: batch(rng, within, place) for place in range(DIGITS)}
        parts = cut(rng)
        jobs = [scribe.observations(part, [r for at in part for r in rows[at]]) for part in parts]
        count = sum(len(some) for some in rows.values())
        counts = {"observations": count, "late": count}
        if number % 2 == 0:
            jobs = _chained([*jobs, scribe.removal(within)], rng)
            yield replace(_page(scribe, within, {}, jobs, counts), removed=True)
        else:
            yield _page(scribe, within, rows, jobs, counts)


def _observed(scribe: Scribe, within: Span, rows: Mapping[int, Sequence[Row]]) -> Page:
    jobs = [scribe.observations([place], some) for place, some in rows.items()]
    number = sum(len(some) for some in rows.values())
    return _page(scribe, within, rows, jobs, {"observations": number, "late": number})


def _begun(
    monitor: str, number: int, within: Span, rng: Random, *, is_dirty: bool = False
) -> tuple[Scribe, Mapping[int, Row], Labels]:
    """Who writes a page, its rows, one of each place, and their labels."""
    rows = {place: rows_at(rng, within, place, 1)[0] for place in range(DIGITS)}
    labels = {place: row.y for place, row in rows.items()}
    return Scribe(monitor, number, rng, is_dirty=is_dirty), rows, labels


def _page(
    scribe: Scribe,
    within: Span,
    rows: Mapping[int, Sequence[Row]],
    jobs: Sequence[Job],
    counts: Mapping[str, int],
) -> Page:
    return Page(scribe.monitor, scribe.number, *within, rows, jobs, {**scribe.counts, **counts})


def _labelled(rows: Mapping[int, Row], y: Labels) -> Mapping[int, Sequence[Row]]:
    return {place: [row._replace(y=y[place])] for place, row in rows.items()}


def _matched(rows: int) -> dict[str, int]:
    return dict.fromkeys(("predictions", "labels", "matched", "late"), rows)


def _some(places: Sequence[int], rng: Random) -> list[int]:
    return rng.sample(places, rng.randrange(1, len(places) + 1))


def _chained(steps: Sequence[Job], rng: Random) -> list[Job]:
    """The same, each of which is sent only once the one before it was answered."""
    chained = list[Job]()
    for step in reversed(steps):
        then = chained[-1] if chained else None
        pause = step.pause or rng.uniform(0, SOON_SECONDS)
        chained.append(step._replace(then=then, pause=pause))
    return chained[::-1]


SOURCES: Mapping[str, Callable[[str, int, Random], Pages]] = {
    "observed": observed,
    "joined": joined,
    "corrected": corrected,
    "rebatched": rebatched,
    "defaulted": defaulted,
    "removed": removed,
    "renamed": partial(observed, is_dirty=True),
}
