"""One row beside many, the directions of KL, and JS of other mixtures."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from kullback.numerics.types import Array
from kullback.scoring.checked_distribution import SentDistribution
from kullback.scoring.kl_divergence import Direction
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import central_differences, number, per_row, reason, refused, slope
from tests.scoring.sent import (
    cross_entropy_of,
    in_form,
    in_logs,
    js_divergence,
    js_divergence_of,
    kl_divergence,
)

Metric = Callable[[SentDistribution, SentDistribution, Options], Score]
PLAIN = Options()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)
TINY = 1e-290
METRICS: tuple[Metric, ...] = (cross_entropy_of, kl_divergence, js_divergence_of)
FORMS = ("probabilities", "logits", "logs")

pairs = draw.shapes().flatmap(lambda shape: draw.row_pairs(*shape))
gentle = draw.shapes(2).flatmap(
    lambda shape: st.tuples(draw.inner_rows(*shape), draw.inner_rows(*shape))
)


def _of_form(metric: Metric, p: Array, form: str, asked: Options, q: Array) -> Score:
    return metric(SentDistribution(p), in_form(form, q), asked)


def sent_as(form: str, rows: Array) -> SentDistribution:
    return in_form(form, rows if form == "probabilities" else np.log(rows))


@pytest.mark.parametrize("form", FORMS)
@given(gentle)
def test_one_row_beside_many_scores_as_the_row_repeated(
    form: str, pair: tuple[Array, Array]
) -> None:
    p, q = pair
    many, one = sent_as(form, q), p[:1]
    for metric in METRICS:
        for row in (one, one[0]):
            found = metric(sent_as(form, row), many, ROWS)
            repeated = metric(sent_as(form, np.repeat(one, q.shape[0], axis=0)), many, ROWS)
            assert per_row(found) == per_row(repeated)
            assert found.value == repeated.value
            found = metric(many, sent_as(form, row), ROWS)
            repeated = metric(many, sent_as(form, np.repeat(one, q.shape[0], axis=0)), ROWS)
            assert per_row(found) == per_row(repeated)


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_of_one_prediction_is_that_of_all_rows_together(form: str) -> None:
    p = np.array([[0.05, 0.05, 0.9], [0.9, 0.05, 0.05]])
    q = np.array([0.3, 0.3, 0.4])
    asked = Options(gradient=True, sum_tolerance=1.0, sample_weight=np.array([1.0, 3.0]))
    sent = q if form == "probabilities" else np.log(q)
    for metric in METRICS:
        found = metric(SentDistribution(p), in_form(form, sent), asked)
        assert found.gradient is not None
        assert found.gradient.shape == (3,)
        expected = central_differences(partial(_of_form, metric, p, form, asked), sent)
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)


def test_one_target_beside_many_leaves_a_gradient_of_many() -> None:
    q = np.array([[0.5, 0.5], [0.25, 0.75]])
    found = kl_divergence((np.array([0.5, 0.5]), None), (q, None), Options(gradient=True))
    assert found.gradient is not None
    assert found.gradient.tolist() == [[-0.5, -0.5], [-1.0, -1 / 3]]


def test_rows_that_do_not_go_together_are_refused_with_both_shapes() -> None:
    p, q = np.full((2, 2), 0.5), np.full((3, 2), 0.5)
    with pytest.raises(Exception, match=r"q has shape \[3\]\[2\] but p has \[2\]\[2\].*one row"):
        kl_divergence((p, None), (q, None), PLAIN)
    with pytest.raises(Exception, match=r"q has shape \[3\] but p has \[2\]"):
        kl_divergence((p[0], None), (np.full(3, 1 / 3), None), PLAIN)
    with refused("/q"):
        js_divergence(p[0], np.full((2, 3), 1 / 3), PLAIN)


def test_directions_by_hand() -> None:
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    forward, reverse = 1 - math.log2(3) / 2, 0.75 * math.log2(3) - 1
    asked = Options(base="2")
    assert kl_divergence((p, None), (q, None), asked).value == pytest.approx(forward, rel=1e-14)
    found = kl_divergence((p, None), (q, None), asked, "reverse")
    assert found.value == pytest.approx(reverse, rel=1e-14)
    assert number(found, "entropy") == pytest.approx(2 - 0.75 * math.log2(3), rel=1e-14)
    found = kl_divergence((p, None), (q, None), asked, "symmetric")
    assert found.value == pytest.approx(math.log2(3) / 4, rel=1e-14)
    assert number(found, "forward") == pytest.approx(forward, rel=1e-14)
    assert number(found, "reverse") == pytest.approx(reverse, rel=1e-14)


@given(pairs)
def test_the_reverse_is_the_forward_of_the_other(pair: tuple[Array, Array]) -> None:
    p, q = pair
    found = kl_divergence((p, None), (q, None), ROWS, "reverse")
    other = kl_divergence((q, None), (p, None), ROWS)
    assert per_row(found) == per_row(other)
    assert found.details == other.details


@given(pairs)
def test_the_symmetric_one_is_the_sum_and_agrees_with_sixty_digits(
    pair: tuple[Array, Array],
) -> None:
    p, q = pair
    found = per_row(kl_divergence((p, None), (q, None), ROWS, "symmetric"))
    assert found == per_row(kl_divergence((q, None), (p, None), ROWS, "symmetric"))
    for value, a, b in zip(found, p.tolist(), q.tolist(), strict=True):
        exact = oracles.kl(a, b) + oracles.kl(b, a)
        assert exact < TINY or relative_error(value, exact) < 1e-14


@given(gentle)
def test_scipy_agrees_on_both_directions(pair: tuple[Array, Array]) -> None:
    p, q = pair
    back = rel_entr(q, p).sum(axis=1)
    found = per_row(kl_divergence((p, None), (q, None), ROWS, "reverse"))
    assert found == pytest.approx(back, rel=1e-11, abs=1e-14)
    both = per_row(kl_divergence((p, None), (q, None), ROWS, "symmetric"))
    assert both == pytest.approx(back + rel_entr(p, q).sum(axis=1), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("direction", ["reverse", "symmetric"])
@given(gentle)
def test_gradients_of_the_directions_are_slopes(
    direction: Direction, form: str, pair: tuple[Array, Array]
) -> None:
    p = SentDistribution(pair[0])
    q = pair[1] if form == "probabilities" else np.log(pair[1])
    # the sum over outcomes is that of KL + Σq − Σp near equality: no slope is taken across it
    asked = Options(gradient=True, sum_tolerance=1.0)
    found = kl_divergence(p, in_form(form, q), asked, direction)
    if form == "logits":
        expected = central_differences(
            lambda x: kl_divergence(p, SentDistribution(logits=x), PLAIN, direction), q
        )
    else:
        step, expected = 1e-6, []
        for at in np.ndindex(*q.shape):
            above, below = q.copy(), q.copy()
            above[at] += step
            below[at] -= step
            ends = [
                _plain(pair[0], x if form != "logs" else np.exp(x), direction)
                for x in (above, below)
            ]
            expected.append((ends[0] - ends[1]) / (2 * step))
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)


def _plain(p: Array, q: Array, direction: Direction) -> float:
    back = float((q * np.log(q / p)).sum(axis=1).mean())
    return back if direction == "reverse" else back + float((p * np.log(p / q)).sum(axis=1).mean())


def test_a_direction_is_infinite_where_its_other_side_rules_out() -> None:
    p, q = (np.array([0.5, 0.5]), None), (np.array([1.0, 0.0]), None)
    assert kl_divergence(p, q, PLAIN).status == "infinite"
    assert kl_divergence(p, q, PLAIN, "reverse").value == pytest.approx(math.log(2), rel=1e-15)
    both = kl_divergence(p, q, PLAIN, "symmetric")
    assert both.status == "infinite"
    assert reason(both, "forward") == "positive_infinity"
    assert number(both, "reverse") == pytest.approx(math.log(2), rel=1e-15)


@given(pairs, st.sampled_from((1e-300, 1e-9, 0.1, 0.3, 0.5, 0.9, 1 - 2.0**-53)))
def test_js_of_a_mixture_agrees_with_sixty_digits(pair: tuple[Array, Array], weight: float) -> None:
    p, q = pair
    found = per_row(js_divergence(p, q, ROWS, weight))
    with np.errstate(divide="ignore"):
        logs = np.log(p), np.log(q)
    for value, a, b in zip(found, p.tolist(), q.tolist(), strict=True):
        exact = oracles.weighted_js(a, b, weight)
        assert exact < TINY or relative_error(value, exact) < 1e-13
    most = -weight * math.log(weight) - (1 - weight) * math.log(1 - weight)
    assert all(0.0 <= value <= most for value in found)
    swapped = per_row(js_divergence(q, p, ROWS, 1 - weight)) if weight > 1e-9 else found
    assert found == pytest.approx(swapped, rel=1e-9, abs=TINY)
    of_logs = per_row(js_divergence_of(in_logs(logs[0]), in_logs(logs[1]), ROWS, weight))
    assert of_logs == pytest.approx(found, rel=1e-9, abs=1e-14 * most)


def test_a_mixture_by_hand() -> None:
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    found = js_divergence(p, q, Options(base="2"), 0.25)
    assert found.value == pytest.approx(2 - 0.75 * math.log2(3), rel=1e-15)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.8])
@given(gentle)
def test_gradients_of_mixtures_are_slopes(
    weight: float, form: str, pair: tuple[Array, Array]
) -> None:
    p = SentDistribution(pair[0])
    q = pair[1] if form == "probabilities" else np.log(pair[1])
    found = js_divergence_of(p, in_form(form, q), GRADIENT, weight)
    expected = central_differences(
        lambda x: js_divergence_of(p, in_form(form, x), GRADIENT, weight), q
    )
    assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)


def test_the_mean_distance_is_not_the_distance_of_the_mean() -> None:
    p = np.array([[1.0, 0.0], [0.5, 0.5]])
    q = np.array([[0.0, 1.0], [0.5, 0.5]])
    found = js_divergence(p, q, Options(base="2"))
    assert number(found, "distance") == pytest.approx(math.sqrt(0.5), rel=1e-15)
    assert number(found, "mean_distance") == pytest.approx(0.5, rel=1e-15)


@given(gentle, st.data())
def test_the_mean_distance_is_the_mean_of_scipys(
    pair: tuple[Array, Array], data: st.DataObject
) -> None:
    p, q = pair
    weight = data.draw(draw.columns_of(p.shape[0], st.floats(0.1, 10.0)))
    found = js_divergence(p, q, Options(sample_weight=weight))
    expected = np.average(jensenshannon(p, q, axis=1), weights=weight)
    assert number(found, "mean_distance") == pytest.approx(expected, rel=1e-6, abs=1e-7)
