"""Features: counting what rows carry, and reading it back."""

from functools import partial

import numpy as np

from bench.measure import ROUNDS, Row, Rows, Target, WrongResult, interleaved, shown, timed
from kullback.moments import HOUR
from kullback.monitoring.features import MAX_CATEGORIES_KEPT
from kullback.numerics.types import Array, Indices
from kullback.tally.feature_counts import FeatureCells
from kullback.tally.feature_drift import feature_drifts
from kullback.tally.feature_groups import FeatureColumn, tables_by_window
from kullback.tally.feature_table import FeatureTable

_EDGES = np.arange(1, 10) / 10
_LETTERS = [f"value-{at}" for at in range(30)]


def features(n: int = 20_000, count: int = 50, rounds: int = ROUNDS) -> Rows:
    """Features of n rows as bytes to store, against NumPy's binning of the same rows."""
    random = np.random.default_rng(11)
    numbers = random.lognormal(3, 1, (count, n))
    edges = [np.quantile(each, _EDGES) for each in numbers]
    uniform = [np.linspace(each.min(), each.max(), 11) for each in numbers]
    columns: dict[str, FeatureColumn] = {f"f{at}": each for at, each in enumerate(numbers)}
    window = np.zeros(n, np.int64)
    counted = partial(_counted, columns, window)
    _check(counted(), numbers)
    name = f"{count} numeric features x {n:,} rows counted and encoded, vs NumPy's"
    for what, rival in (
        ("searchsorted + bincount", partial(_searched, numbers, edges)),
        ("histogram of ten equal bins", partial(_histograms, numbers, uniform)),
    ):
        yield interleaved(counted, rival, rounds).share(f"{name} {what}", Target("≤", 2))
    spread = partial(_counted, columns, np.arange(n) // (n // 60))
    times = interleaved(spread, partial(_searched, numbers, edges), rounds)
    yield times.share("the same rows in 60 windows", Target("≤", 3))
    texts = [random.choice(_LETTERS, n).tolist() for _ in range(count // 5)]
    named: dict[str, FeatureColumn] = {f"c{at}": each for at, each in enumerate(texts)}
    times = interleaved(partial(_counted, named, window), partial(_unique, texts), rounds)
    yield times.share(f"{len(texts)} categorical ones, vs NumPy's unique", Target("≤", 2))
    yield _day(columns, n)


def _counted(columns: dict[str, FeatureColumn], window: Indices) -> list[bytes]:
    tables = tables_by_window(columns, window, MAX_CATEGORIES_KEPT)
    return [table.encoded() for table in tables.values()]


def _searched(numbers: Array, edges: list[Array]) -> list[Indices]:
    pairs = zip(numbers, edges, strict=True)
    return [np.bincount(np.searchsorted(cuts, each), minlength=10) for each, cuts in pairs]


def _histograms(numbers: Array, edges: list[Array]) -> list[Indices]:
    pairs = zip(numbers, edges, strict=True)
    return [np.histogram(each, 10, (cuts[0], cuts[-1]))[0] for each, cuts in pairs]


def _unique(texts: list[list[str]]) -> list[Indices]:
    return [np.unique(np.array(each), return_counts=True)[1] for each in texts]


def _check(contents: list[bytes], numbers: Array) -> None:
    """Every row is counted, and below each edge as many as NumPy says."""
    whole = _read(contents).counts
    for at, each in enumerate(numbers):
        counts = whole[f"f{at}"]
        cells = FeatureCells.of(counts)
        edges = [-np.inf, *(low for low, _ in cells.edges() if low is not None), np.inf]
        mass = counts.shares_like(counts).mass[:-1]
        if mass.tolist() != np.histogram(each, edges)[0].tolist():
            raise WrongResult("features: other numbers are between the edges than NumPy says")


def _read(contents: list[bytes]) -> FeatureTable:
    return FeatureTable.total(map(FeatureTable.decoded, contents))


def _day(columns: dict[str, FeatureColumn], n: int) -> Row:
    """Drift of a day of minutes, each of as many rows as make n of them."""
    minutes = 24 * HOUR // 60
    contents = _counted(columns, np.arange(n) * minutes // n)
    reference = _read(contents)
    seconds = timed(lambda: feature_drifts(_read(contents).counts, reference.counts))
    name = f"drift of {len(columns)} features over a day of {minutes:,} windows"
    return Row(name, shown(seconds), "", seconds * 1e3, Target("≤", 2_000, " ms"))
