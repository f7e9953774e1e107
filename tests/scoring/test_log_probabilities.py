"""Log-probabilities as such: as exact as logarithms are, checked, and mixed with other forms."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring import entropy as entropies
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, number, per_row, refused, slope
from tests.scoring.sent import cross_entropy_of, in_logs, js_divergence_of, kl_divergence

Metric = Callable[[SentDistribution, SentDistribution, Options], Score]
PLAIN = Options()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)
TINY = 1e-290


def _logs(z: Array) -> Array:
    return np.array([oracles.log_softmax(row) for row in z.tolist()])


log_rows = draw.shapes().flatmap(lambda shape: draw.logit_rows(*shape)).map(_logs)
log_pairs = draw.shapes().flatmap(
    lambda shape: st.tuples(*[draw.logit_rows(*shape).map(_logs)] * 2)
)
gentle = draw.shapes(2).flatmap(lambda shape: st.tuples(*[draw.inner_rows(*shape)] * 2))


def _of_logs(metric: Metric, p: Array, q: Array) -> Score:
    return metric(in_logs(p), in_logs(q), GRADIENT)


def entropy(logs: Array, options: Options) -> float:
    return entropies.entropy(in_logs(logs), options).value


def test_a_probability_far_below_the_least_double_costs_what_it_does() -> None:
    p, logs = np.array([0.5, 0.5]), np.array([0.0, -800.0])
    crossed = cross_entropy_of((p, None), in_logs(logs), PLAIN)
    assert crossed.value == 400.0
    assert number(crossed, "kl_divergence") == pytest.approx(400 - math.log(2), rel=1e-15)
    assert kl_divergence((p, None), in_logs(logs), PLAIN).value == pytest.approx(
        400 - math.log(2), rel=1e-15
    )


def test_log_probabilities_of_one_half_by_hand() -> None:
    half = np.log([0.5, 0.5])
    assert entropy(half, Options(base="2")) == pytest.approx(1.0, rel=1e-15)
    quarter = np.log([0.25, 0.75])
    found = kl_divergence(in_logs(half), in_logs(quarter), Options(base="2")).value
    assert found == pytest.approx(1 - math.log2(3) / 2, rel=1e-14)


@given(log_rows)
def test_entropy_agrees_with_sixty_digits(logs: Array) -> None:
    found = per_row(entropies.entropy(in_logs(logs), ROWS))
    for value, row in zip(found, logs.tolist(), strict=True):
        exact = oracles.log_entropy(row)
        assert exact < TINY or relative_error(value, exact) < 1e-13


@given(log_pairs)
def test_divergences_agree_with_sixty_digits(pair: tuple[Array, Array]) -> None:
    p, q = pair
    found = {
        "CE": per_row(cross_entropy_of(in_logs(p), in_logs(q), ROWS)),
        "KL": per_row(kl_divergence(in_logs(p), in_logs(q), ROWS)),
        "JS": per_row(js_divergence_of(in_logs(p), in_logs(q), ROWS)),
    }
    for i, (a, b) in enumerate(zip(p.tolist(), q.tolist(), strict=True)):
        truth = {
            "CE": oracles.log_cross_entropy(a, b),
            "KL": oracles.log_kl(a, b),
            "JS": oracles.mixture_js(a, b),
        }
        for name, exact in truth.items():
            assert exact < TINY or relative_error(found[name][i], exact) < 1e-12, name


@pytest.mark.parametrize("shift", [1e-3, 1e-6, 1e-9, 1e-12])
def test_rows_that_are_near_keep_their_digits(shift: float) -> None:
    p = np.log([0.25, 1e-30, 0.75])
    q = p + shift * np.array([0.75, 3.0, -0.25])
    for found, truth in (
        (kl_divergence(in_logs(p), in_logs(q), PLAIN), oracles.log_kl(p.tolist(), q.tolist())),
        (
            js_divergence_of(in_logs(p), in_logs(q), PLAIN),
            oracles.mixture_js(p.tolist(), q.tolist()),
        ),
    ):
        assert relative_error(found.value, truth) < 1e-13


@given(draw.shapes().flatmap(lambda shape: draw.row_pairs(*shape)))
def test_every_mix_of_forms_scores_as_the_probabilities(pair: tuple[Array, Array]) -> None:
    p, q = pair
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log(p), np.log(q)
    forms = [
        (SentDistribution(*first), SentDistribution(*second))
        for first in ((p,), (None, log_p), (None, None, log_p))
        for second in ((q,), (None, log_q), (None, None, log_q))
        if p.shape[1] > 1 or (first[0] is not None and second[0] is not None)
    ]
    for metric in (cross_entropy_of, kl_divergence, js_divergence_of):
        plain = per_row(metric(*forms[0], ROWS))
        for mixed in forms[1:]:
            assert per_row(metric(*mixed, ROWS)) == pytest.approx(plain, rel=1e-9, abs=1e-14)


@given(gentle)
def test_gradients_are_slopes_of_what_was_sent(pair: tuple[Array, Array]) -> None:
    p, q = (np.log(rows) for rows in pair)
    found = entropies.entropy(in_logs(p), GRADIENT)
    expected = central_differences(lambda x: entropies.entropy(in_logs(x), GRADIENT), p)
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)
    for metric in (cross_entropy_of, js_divergence_of):
        found = metric(in_logs(p), in_logs(q), GRADIENT)
        expected = central_differences(partial(_of_logs, metric, p), q)
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)


def test_the_gradient_of_a_tiny_probability_is_that_of_its_logarithm() -> None:
    p, logs = np.array([0.5, 0.5]), np.array([0.0, -800.0])
    found = cross_entropy_of((p, None), in_logs(logs), Options(gradient=True))
    assert slope(found) == [-0.5, -0.5]
    found = kl_divergence(in_logs(logs), in_logs(logs), Options(gradient=True))
    assert slope(found) == [-1.0, 0.0]


def test_rows_are_never_normalized_in_silence() -> None:
    logs, other = np.log([0.5, 0.47]), np.log([0.5, 0.45])
    with refused("/p_log"):
        kl_divergence(in_logs(logs), in_logs(other), PLAIN)
    with refused("/q_log/1"):
        kl_divergence(
            in_logs(np.log(np.full((2, 2), 0.5))),
            in_logs(np.stack([np.log([0.5, 0.5]), other])),
            PLAIN,
        )
    loose = kl_divergence(in_logs(logs), in_logs(other), Options(sum_tolerance=0.1))
    assert loose.value == pytest.approx(0.47 * math.log(0.47 / 0.45), rel=1e-11)
    assert loose.diagnostics.max_sum_error == pytest.approx(0.05, rel=1e-12)


def test_a_refusal_says_the_sum_and_where_logits_go() -> None:
    with pytest.raises(Exception, match=r"sums to 0\.97, not 1 .* q_logits; .*renormalize"):
        kl_divergence((np.array([0.5, 0.5]), None), in_logs(np.log([0.5, 0.47])), PLAIN)
    with pytest.raises(Exception, match=r"2 is not the logarithm of a probability; .* q_logits"):
        kl_divergence((np.array([0.5, 0.5]), None), in_logs(np.array([2.0, -1.0])), PLAIN)


def test_renormalized_logarithms_are_those_of_the_softmax() -> None:
    z = np.array([[1.0, -2.0, 900.0], [0.5, -np.inf, 0.0], [-1000.0, -1001.0, -1002.0]])
    asked = Options(per_row=True, on_unnormalized="renormalize")
    with refused("/p_log/0/2"):
        entropies.entropy(in_logs(z), asked)
    with refused("/p_log/1"):
        entropies.entropy(in_logs(np.array([[0.0, -np.inf], [-0.7, -0.7], [-1.0, -1.0]])), PLAIN)
    found = entropies.entropy(in_logs(z[1:]), asked)
    plain = entropies.entropy(SentDistribution(logits=z[1:]), ROWS)
    assert per_row(found) == pytest.approx(per_row(plain), rel=1e-14)
    assert found.diagnostics.renormalized == 2


def test_what_is_no_log_probability_is_refused_where_it_stands() -> None:
    for bad in (np.nan, np.inf, 0.1):
        with refused("/p_log/1/0"):
            entropies.entropy(in_logs(np.array([[0.0, -np.inf], [bad, -1.0]])), PLAIN)
    with refused("/p_log/1"):
        entropies.entropy(in_logs(np.array([[0.0, -np.inf], [-np.inf, -np.inf]])), PLAIN)


def test_a_logarithm_above_zero_by_rounding_is_zero_and_counted() -> None:
    found = entropies.entropy(in_logs(np.array([1e-9, -50.0])), PLAIN)
    assert found.diagnostics.clipped == 1
    assert found.value == pytest.approx(50 * math.exp(-50), rel=1e-15)


@given(log_pairs)
def test_p_that_q_rules_out_costs_infinity_however_rare(pair: tuple[Array, Array]) -> None:
    p, q = pair
    assume(p.shape[1] > 1)
    kept = np.isfinite(p).all(axis=1) & np.isfinite(q).all(axis=1)
    assume(kept.any())
    p, q = p[kept], q[kept].copy()
    q[:, 0] = -np.inf
    asked = Options(per_row=True, sum_tolerance=1.0)
    assume((q > -np.inf).any(axis=1).all())
    assert per_row(kl_divergence(in_logs(p), in_logs(q), asked)) == [math.inf] * p.shape[0]
