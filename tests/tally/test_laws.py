"""A Tally is a commutative monoid, bit by bit, whatever it is of."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import TallyMismatch
from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.conventions import CONVENTIONS, ConventionName
from kullback.tally.bins import BINS, RANK_BINS, bin_of
from kullback.tally.merge import merge
from kullback.tally.metrics import TallyMetrics
from kullback.tally.sum_names import SCALARS, VECTORS
from kullback.tally.tally import Layout, Tally, total
from kullback.tally.units import BUCKETS, GROUPS
from tests.strategies import indices
from tests.tally.strategies import KINDS, Batch, Kind

pytestmark = pytest.mark.untraced

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
every_convention = pytest.mark.parametrize("convention", CONVENTIONS)


def same(found: Tally, expected: Tally) -> bool:
    """Whether two tallies are equal in what they say and in their bytes."""
    return found == expected and found.encoded() == expected.encoded()


def many(kind: Kind, convention: ConventionName = "sklearn", n: int = 9000) -> Batch:
    """Rows of more than one block, and of more than one block of digits."""
    rng = np.random.default_rng(4)
    k = kind.classes
    proba = rng.dirichlet(np.full(k, 0.4), n)
    proba[:64] = np.eye(k)[rng.integers(0, k, 64)]  # sure, and often wrong
    hard = rng.integers(0, k, n)
    soft = np.where(rng.random(n) < 0.5 * kind.is_soft, rng.random(n), hard > 0)
    return Batch(
        kind.layout(convention),
        p=proba[:, 0] if kind.is_binary else proba,
        y=soft if kind.is_binary and kind.is_labelled else None,
        classes=hard if kind.is_labelled and not kind.is_binary else None,
        w=rng.lognormal(0.0, 3.0, n) if kind.is_weighted else None,
        units=rng.integers(0, 1024, n) if kind.has_units else None,
    )


@every_kind
@given(st.data())
def test_two_streams_add_up_to_the_tally_of_both(kind: Kind, data: st.DataObject) -> None:
    first, second = data.draw(kind.streams(2))
    assert same(first.tally() + second.tally(), (first + second).tally())


@every_kind
@given(st.data())
def test_adding_is_commutative_and_associative(kind: Kind, data: st.DataObject) -> None:
    a, b, c = (batch.tally() for batch in data.draw(kind.streams(3)))
    assert same(a + b, b + a)
    assert same((a + b) + c, a + (b + c))
    assert same(total([c, a, b]), a + b + c)


@every_kind
@given(st.data())
def test_nothing_changes_nothing(kind: Kind, data: st.DataObject) -> None:
    (batch,) = data.draw(kind.streams(1))
    tally, nothing = batch.tally(), Tally(batch.layout)
    assert same(tally + nothing, tally)
    assert same(nothing + tally, tally)
    assert same(batch.mapped(lambda column: column[:0]).tally(), nothing)


@every_kind
@given(st.data())
def test_what_was_added_is_taken_back_to_the_bit(kind: Kind, data: st.DataObject) -> None:
    a, b, c = (batch.tally() for batch in data.draw(kind.streams(3)))
    nothing = Tally(a.layout)
    assert same((a + b) - b, a)
    assert same(a - a, nothing)
    assert same(a - nothing, a)
    assert same(total([c, a, b]) - a, b + c)
    assert same((a + b + c) - a - c, (a + b + c) - (c + a))
    assert same(Tally.decoded((b + c).encoded()) - c, b)


@every_kind
@given(st.data())
def test_no_more_is_taken_than_is_there(kind: Kind, data: st.DataObject) -> None:
    a, b = (batch.tally() for batch in data.draw(kind.streams(2)))
    whole = Tally(a.layout) + a
    if b == Tally(b.layout):
        assert same(whole - b, a)
    else:
        with pytest.raises(ArithmeticError):
            whole - (a + b)


@every_kind
@given(st.data())
def test_whatever_was_taken_from_a_tally_the_rest_can_be_read(
    kind: Kind, data: st.DataObject
) -> None:
    whole, part = (batch.tally() for batch in data.draw(kind.streams(2)))
    try:
        rest = whole - part
    except ArithmeticError:
        return
    assert set(TallyMetrics(rest).metrics()) == set(TallyMetrics(whole).metrics())


def test_sums_that_no_rows_have_are_no_rest() -> None:
    layout, p = Layout("binary", 2, "sklearn"), np.full(3, 0.5)
    whole = Batch(layout, p, np.array([0.0, 0.0, 1.0]), w=np.array([1.0, 1.0, 2.0])).tally()
    part = Batch(layout, p[:1], np.zeros(1), w=np.array([2.0])).tally()
    assert all(np.array(whole.scalars, object) >= np.array(part.scalars, object))
    with pytest.raises(ArithmeticError):
        whole - part


@every_kind
@given(st.data())
def test_groups_add_up_to_the_whole(kind: Kind, data: st.DataObject) -> None:
    (batch,) = data.draw(kind.streams(1))
    index = data.draw(indices(len(batch.p), 3))
    groups = dict(batch.terms().groups(index))
    assert set(groups) == set(index.tolist())
    assert same(total([Tally(batch.layout), *groups.values()]), batch.tally())
    for number, tally in groups.items():
        assert same(tally, batch.mapped(_those(index == number)).tally())


@every_kind
@given(st.data())
def test_the_order_of_rows_does_not_matter(kind: Kind, data: st.DataObject) -> None:
    (batch,) = data.draw(kind.streams(1))
    order = np.array(data.draw(st.permutations(range(len(batch.p)))), np.int64)
    assert same(batch.mapped(_those(order)).tally(), batch.tally())


@every_kind
@given(st.data())
def test_bytes_make_it_again(kind: Kind, data: st.DataObject) -> None:
    tallies = [batch.tally() for batch in data.draw(kind.streams(2))]
    parts = [tally.encoded() for tally in tallies]
    assert [Tally.decoded(part) for part in parts] == tallies
    assert merge(parts) == total(tallies).encoded()


@every_convention
@every_kind
def test_many_rows_in_any_pieces_in_any_order(kind: Kind, convention: ConventionName) -> None:
    batch = many(kind, convention)
    rng = np.random.default_rng(9)
    order = rng.permutation(len(batch.p))
    cuts = np.sort(rng.choice(order.size, 12, replace=False))
    pieces = [batch.mapped(_those(rows)).tally() for rows in np.split(order, cuts)]
    rng.shuffle(pieces)
    assert same(total(pieces), batch.tally())
    assert same(batch.tally() - total(pieces[:5]), total(pieces[5:]))
    assert same(Tally.decoded(merge([piece.encoded() for piece in pieces])), batch.tally())


@every_convention
@every_kind
def test_a_row_is_scored_the_same_wherever_it_stands(
    kind: Kind, convention: ConventionName
) -> None:
    batch = many(kind, convention, 1003)
    whole = batch.tally()
    for change in (_every_second, _backwards, _by_columns):
        assert same(batch.mapped(change).tally(), whole)
    singles = [batch.mapped(_those(slice(row, row + 1))).tally() for row in range(17)]
    assert same(total(singles), batch.mapped(_those(slice(0, 17))).tally())


@given(st.data())
def test_weights_of_one_are_as_none(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in KINDS if not kind.is_weighted]))
    (batch,) = data.draw(kind.streams(1))
    ones = np.ones(len(batch.p))
    weighted = Batch(batch.layout, batch.p, batch.y, batch.classes, ones, batch.units)
    assert same(weighted.tally(), batch.tally())


def test_ranks_are_histograms_of_scores_by_group_of_units() -> None:
    batch = many(next(kind for kind in KINDS if kind.is_clustered))
    assert batch.y is not None
    assert batch.w is not None
    assert batch.units is not None
    place = batch.units // (BUCKETS // GROUPS) * RANK_BINS + bin_of(batch.p) * RANK_BINS // BINS
    size = GROUPS * RANK_BINS
    for name, values in (("rank_w", batch.w), ("rank_wy", batch.w * batch.y)):
        found = batch.tally().vector(name).reals(size)
        assert found == pytest.approx(np.bincount(place, values, size), rel=1e-12)


def test_a_clustered_tally_has_the_sums_of_any_other_but_second_moments_of_losses() -> None:
    batch = many(next(kind for kind in KINDS if kind.is_clustered))
    plain = replace(batch, layout=replace(batch.layout, clustered=False)).tally()
    clustered = batch.tally()
    left_out = {"wwl", "wwll", "wwly", "wwb", "wwbb", "wwp", "wwpp", "wwpy"}
    for name in SCALARS:
        expected = 0 if name in left_out else plain.scalar(name)
        assert clustered.scalar(name) == expected, name
    for name in VECTORS:
        assert name.startswith("rank") or clustered.vector(name) == plain.vector(name), name
    assert not plain.vector("rank_w").planes


LAYOUT = Layout("multiclass", 3, "sklearn")


@pytest.mark.parametrize(
    "other",
    [
        Layout("binary", 2, "sklearn"),
        Layout("multiclass", 3, "exact"),
        Layout("multiclass", 3, "sklearn", clustered=True),
    ],
)
def test_what_is_of_another_layout_does_not_add(other: Layout) -> None:
    with pytest.raises(TallyMismatch):
        Tally(LAYOUT) + Tally(other)
    with pytest.raises(TallyMismatch):
        Tally(LAYOUT) - Tally(other)
    with pytest.raises(TallyMismatch):
        merge([Tally(other).encoded(), Tally(LAYOUT).encoded()])


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.is_binary], ids=lambda kind: kind.name
)
@given(st.data(), st.integers(1, 20))
def test_rows_of_fewer_classes_are_rows_of_more_without_mass_in_these(
    kind: Kind, data: st.DataObject, more: int
) -> None:
    few, some = data.draw(kind.streams(2))
    layout = replace(few.layout, classes=kind.classes + more)

    def wide(batch: Batch) -> Tally:
        return replace(batch, layout=layout, p=np.pad(batch.p, ((0, 0), (0, more)))).tally()

    both = wide(few) + wide(some)
    assert same(few.tally() + wide(some), both)
    assert same(wide(some) + few.tally(), both)
    assert merge([few.tally().encoded(), wide(some).encoded()]) == both.encoded()
    assert same(both - few.tally(), wide(some))
    assert same((few + some).tally() - wide(some), wide(few))


@pytest.mark.parametrize("head", [b"", b"\x00", b"\x03"])
def test_an_unknown_version_is_refused(head: bytes) -> None:
    with pytest.raises(TallyMismatch):
        Tally.decoded(head + Tally(LAYOUT).encoded()[1:] if head else b"")


def drawn_scores() -> dict[str, Callable[[np.random.Generator], Array]]:
    """Scores of a hundred rows, from all alike to spread over every bin."""
    return {
        "clicks": lambda rng: 1 / (1 + np.exp(-rng.normal(-3.0, 1.2, 100))),
        "uniform": lambda rng: rng.random(100),
        "extreme": lambda rng: 10.0 ** rng.uniform(-12.0, 0.0, 100),
        "constant": lambda _: np.full(100, 0.1),
    }


@pytest.mark.parametrize("scores", drawn_scores())
@pytest.mark.parametrize("weights", [None, "whole", "any"])
@pytest.mark.parametrize("classes", [2, 10])
def test_a_cell_of_a_hundred_rows_is_small(scores: str, weights: str | None, classes: int) -> None:
    rng = np.random.default_rng(7)
    p = drawn_scores()[scores](rng)
    w: dict[str | None, Array | None] = {
        None: None,
        "whole": np.ceil(9 * rng.random(100)),
        "any": rng.gamma(1.0, 1.0, 100),
    }
    if classes == 2:
        y = np.where(rng.random(100) < p, 1.0, 0.0)
        batch = Batch(Layout("binary", 2, "sklearn"), p, y, w=w[weights])
    else:
        proba = np.column_stack((p, rng.dirichlet(np.ones(9), 100) * (1 - p)[:, None]))
        drawn = rng.integers(0, 10, 100)
        batch = Batch(Layout("multiclass", 10, "sklearn"), proba, classes=drawn, w=w[weights])
    assert len(batch.tally().encoded()) <= (4096 if weights == "any" else 2048)


def _those(rows: Indices | Flags | slice) -> Callable[[Array], Array]:
    return lambda column: column[rows]


def _every_second(column: Array) -> Array:
    return np.repeat(column, 2, axis=0)[::2]


def _backwards(column: Array) -> Array:
    return np.ascontiguousarray(column[::-1])[::-1]


def _by_columns(column: Array) -> Array:
    return np.asfortranarray(column)
