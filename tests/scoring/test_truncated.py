"""Truncated distributions: the merged one by hand, and always a lower bound of the whole."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.count_scores import kl_of_counts
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import number, per_row, refused
from tests.scoring.sent import cross_entropy_of, js_divergence_of, kl_divergence

PLAIN = Options()
ROWS = Options(per_row=True)
TINY = 1e-290
Metric = Callable[[SentDistribution, SentDistribution, Options], Score]
METRICS: tuple[Metric, ...] = (cross_entropy_of, kl_divergence, js_divergence_of)
NAMES = "abcde"

whole_pairs = draw.shapes(2).flatmap(
    lambda shape: st.tuples(
        draw.inner_rows(*shape), draw.inner_rows(*shape), st.integers(1, 4), st.integers(1, 4)
    )
)


def likeliest(rows: Array, k: int) -> SentDistribution:
    """The k likeliest outcomes of each row, in the order of their probabilities."""
    kept = [
        {NAMES[j]: math.log(row[j]) for j in np.argsort(-row)[:k] if row[j] > 0} for row in rows
    ]
    return SentDistribution(top=kept)


def by_hand() -> tuple[SentDistribution, SentDistribution]:
    half, quarter = math.log(0.5), math.log(0.25)
    return (
        SentDistribution(top=[{"a": half, "b": quarter}]),
        SentDistribution(top=[{"a": quarter, "c": half}]),
    )


def test_what_both_kept_and_the_rest_by_hand() -> None:
    p, q = by_hand()
    found = kl_divergence(p, q, Options(base="2"))
    assert found.value == pytest.approx(1 - math.log2(3) / 2, rel=1e-14)
    assert number(found, "p_tail") == 0.5
    assert number(found, "q_tail") == 0.75
    assert found.details["bound"] == "lower"
    assert kl_divergence(p, q, Options(base="2"), "reverse").value == pytest.approx(
        0.75 * math.log2(3) - 1, rel=1e-14
    )


def test_nothing_in_common_says_nothing() -> None:
    p, q = SentDistribution(top=[{"a": -0.1}]), SentDistribution(top=[{"b": -0.1}])
    assert kl_divergence(p, q, PLAIN).value == 0.0
    assert js_divergence_of(p, q, PLAIN).value == 0.0


@given(whole_pairs)
def test_the_bound_is_never_above_the_whole_and_grows_with_what_is_kept(
    case: tuple[Array, Array, int, int],
) -> None:
    p, q, k, more = case
    for metric in METRICS:
        whole = per_row(metric(SentDistribution(p), SentDistribution(q), ROWS))
        bound = per_row(metric(likeliest(p, k), likeliest(q, k), ROWS))
        closer = per_row(metric(likeliest(p, k + more), likeliest(q, k + more), ROWS))
        for low, middle, high in zip(bound, closer, whole, strict=True):
            assert 0.0 <= low <= middle + 1e-14 <= high + 2e-14


@given(whole_pairs)
def test_all_outcomes_kept_are_the_whole(case: tuple[Array, Array, int, int]) -> None:
    p, q, _, _ = case
    for metric in METRICS:
        whole = per_row(metric(SentDistribution(p), SentDistribution(q), ROWS))
        found = per_row(metric(likeliest(p, 5), likeliest(q, 5), ROWS))
        assert found == pytest.approx(whole, rel=1e-9, abs=1e-14)


@given(whole_pairs)
def test_merged_rows_agree_with_sixty_digits(case: tuple[Array, Array, int, int]) -> None:
    p, q, k, _ = case
    found = per_row(kl_divergence(likeliest(p, k), likeliest(q, k), ROWS))
    for value, one, other in zip(found, p, q, strict=True):
        kept = sorted(set(np.argsort(-one)[:k]) & set(np.argsort(-other)[:k]))
        a, b = np.log(one[kept]).tolist(), np.log(other[kept]).tolist()
        if len(kept) == one.size:
            continue  # there is no rest
        exact = oracles.merged_kl(a, b)
        assert exact < 1e-12 or relative_error(value, exact) < 1e-9


def test_one_row_goes_beside_many() -> None:
    p, q = by_hand()
    assert p.top is not None
    assert q.top is not None
    many = SentDistribution(top=[*q.top, *p.top])
    for metric in METRICS:
        found = per_row(metric(p, many, ROWS))
        assert found == [metric(p, q, PLAIN).value, metric(p, p, PLAIN).value]
        assert per_row(metric(many, p, ROWS)) == [metric(q, p, PLAIN).value, found[1]]
    with refused("/q_top_logprobs"):
        kl_divergence(SentDistribution(top=[*p.top] * 3), many, PLAIN)


def test_rounding_beside_a_whole_distribution_is_no_rest() -> None:
    rounded = SentDistribution(top=[{"a": -0.69314719, "b": -0.69314719}])
    whole = SentDistribution(top=[{"a": math.log(0.5), "b": math.log(0.5)}])
    assert kl_divergence(rounded, whole, PLAIN).value < 1e-15
    rest = SentDistribution(top=[{"a": -0.7, "b": -0.7}])
    assert kl_divergence(rest, whole, PLAIN).value == math.inf
    assert kl_divergence(whole, rest, PLAIN).status == "finite"


def test_more_than_one_is_refused_or_divided() -> None:
    over = SentDistribution(top=[{"a": -0.0001, "b": -9.2}])
    q = SentDistribution(top=[{"a": -0.0001, "b": -9.3}])
    with pytest.raises(Exception, match=r"sum to 1\.0000010\d*, .*sum_tolerance.*renormalize"):
        kl_divergence(over, q, PLAIN)
    with refused("/p_top_logprobs"):
        kl_divergence(over, q, PLAIN)
    assert kl_divergence(over, q, Options(sum_tolerance=1e-4)).status == "finite"
    divided = kl_divergence(over, q, Options(on_unnormalized="renormalize"))
    assert divided.diagnostics.renormalized == 1
    assert divided.diagnostics.max_sum_error == pytest.approx(1.0444e-6, rel=1e-3)


def test_what_cannot_be_asked_of_them_is_refused() -> None:
    p, q = by_hand()
    plain = np.array([0.5, 0.5])
    with refused("/gradient"):
        kl_divergence(p, q, Options(gradient=True))
    with refused("/q_top_logprobs"):
        kl_divergence((plain, None), q, PLAIN)
    with refused("/p_top_logprobs"):
        kl_divergence(p, (plain, None), PLAIN)
    with refused("/p_top_logprobs"):
        kl_divergence(SentDistribution(plain, top=p.top), q, PLAIN)
    with refused("/q_top_logprobs"):
        kl_of_counts(np.array([1.0, 2.0]), q, PLAIN)
    with refused("/q_top_logprobs/1"):
        kl_divergence(p, SentDistribution(top=[{"a": -1.0}, {"a": 0.5}]), PLAIN)
    with refused("/q_top_logprobs"):
        kl_divergence(p, SentDistribution(top=[]), PLAIN)
