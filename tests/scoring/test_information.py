"""Entropy, cross-entropy, KL and JS: by hand, by law, and against 60 digits."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy

from kullback.numerics.types import Array
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests import oracles
from tests import strategies as draw
from tests.oracles import relative_error
from tests.scoring.answers import (
    central_differences,
    has_negative_zero,
    number,
    per_row,
    reason,
    refused,
    slope,
)
from tests.scoring.sent import cross_entropy, entropy, js_divergence, kl_divergence

PLAIN = Options()
ROWS = Options(per_row=True)
GRADIENT = Options(gradient=True, sum_tolerance=1.0)
TINY = 1e-290  # below, a double has not all its digits

pairs = draw.shapes().flatmap(lambda shape: draw.row_pairs(*shape))
triples = draw.shapes().flatmap(lambda shape: st.tuples(*[draw.rows(*shape)] * 3))
logit_pairs = draw.shapes(2).flatmap(lambda shape: st.tuples(*[draw.logit_rows(*shape)] * 2))
gentle = draw.shapes(2).flatmap(
    lambda shape: st.tuples(
        draw.inner_rows(*shape), draw.inner_rows(*shape), draw.tables_of(*shape, draw.mild_logit)
    )
)


def row(*values: float) -> Array:
    return np.array(values)


def kl(p: Array, q: Array, options: Options = PLAIN) -> Score:
    return kl_divergence((p, None), (q, None), options)


def test_entropy_by_hand() -> None:
    score = entropy(row(0.5, 0.25, 0.25), None, Options(base="2"))
    assert score.value == 1.5
    assert number(score, "maximum") == pytest.approx(math.log2(3), rel=1e-15)
    assert number(score, "normalized") == pytest.approx(1.5 / math.log2(3), rel=1e-15)
    assert number(score, "effective_outcomes") == pytest.approx(2**1.5, rel=1e-15)


def test_cross_entropy_by_hand() -> None:
    score = cross_entropy(row(0.5, 0.5), row(0.25, 0.75), None, Options(base="2"))
    assert score.value == pytest.approx(1 + (2 - math.log2(3)) / 2, rel=1e-15)
    assert number(score, "entropy") == 1.0
    assert number(score, "kl_divergence") == pytest.approx(1 - math.log2(3) / 2, rel=1e-15)
    assert number(score, "perplexity") == pytest.approx(math.sqrt(16 / 3), rel=1e-15)


def test_kl_by_hand() -> None:
    score = kl(row(0.5, 0.25, 0.25), row(0.25, 0.25, 0.5), Options(base="2"))
    assert score.value == pytest.approx(0.25, rel=1e-15)
    assert number(score, "cross_entropy") == 1.75
    assert number(score, "entropy") == 1.5


def test_js_of_two_certainties_is_one_bit() -> None:
    score = js_divergence(row(1.0, 0.0), row(0.0, 1.0), Options(base="2"))
    assert score.value == 1.0
    assert number(score, "distance") == 1.0


def test_js_and_its_distance_in_nats() -> None:
    score = js_divergence(row(1.0, 0.0), row(0.0, 1.0), PLAIN)
    assert score.value == math.log(2)
    assert number(score, "distance") == pytest.approx(0.8325546111576977, rel=1e-15)


def test_one_outcome_has_no_uncertainty_and_no_share_of_it() -> None:
    score = entropy(row(1.0), None, PLAIN)
    assert score.value == 0.0
    assert reason(score, "normalized") == "one_outcome"
    assert cross_entropy(row(1.0), row(1.0), None, PLAIN).value == 0.0
    assert kl(row(1.0), row(1.0)).value == 0.0
    assert js_divergence(row(1.0), row(1.0), PLAIN).value == 0.0


def test_an_outcome_that_was_ruled_out_costs_infinity() -> None:
    score = kl(row(0.5, 0.25, 0.25), row(0.5, 0.5, 0.0), ROWS)
    assert score.status == "infinite"
    assert score.reason == "positive_infinity"
    assert score.diagnostics.infinite_rows == (0,)
    assert reason(score, "cross_entropy") == "positive_infinity"


def test_a_masked_outcome_that_is_impossible_costs_nothing() -> None:
    z, x = row(0.0, -np.inf, 1.0), row(0.0, -np.inf, 2.0)
    found = kl_divergence((None, z), (None, x), PLAIN).value
    without = kl_divergence((None, z[[0, 2]]), (None, x[[0, 2]]), PLAIN).value
    assert found == pytest.approx(without, rel=1e-15)


def test_a_mask_on_one_side_only() -> None:
    z, x = row(0.0, -np.inf), row(1.0, 1.0)
    assert kl_divergence((None, z), (None, x), PLAIN).value == pytest.approx(math.log(2), rel=1e-15)
    assert kl_divergence((None, x), (None, z), PLAIN).status == "infinite"


def test_js_of_a_subnormal_is_finite() -> None:
    score = js_divergence(row(0.0, 1.0), row(5e-324, 1.0), PLAIN)
    assert score.status == "finite"
    assert score.value == oracles.js([0.0, 1.0], [5e-324, 1.0])


def test_js_of_nearly_equal_vectors_is_a_number() -> None:
    p = row(0.22192196, 0.77807804)
    q = row(0.22192198, 0.77807802)
    found = js_divergence(p, q, PLAIN).value
    assert relative_error(found, oracles.js(p.tolist(), q.tolist())) < 1e-13


@pytest.mark.parametrize("shift", [1e-3, 1e-6, 1e-9, 1e-12, 2.0**-52])
def test_kl_of_a_small_shift_keeps_its_digits(shift: float) -> None:
    p, q = row(0.25, 0.25, 0.5), row(0.25 + shift, 0.25, 0.5 - shift)
    truth = oracles.kl(p.tolist(), q.tolist())
    assert relative_error(kl(p, q).value, truth) < 1e-14
    assert relative_error(kl(q, p).value, oracles.kl(q.tolist(), p.tolist())) < 1e-14


def test_kl_of_logits_that_differ_by_little_keeps_its_digits() -> None:
    z = row(1.0, 2.0, 3.0)
    x = z + 1e-8 * row(1.0, -1.0, 0.5)
    truth = oracles.softmax_kl(z.tolist(), x.tolist())
    found = kl_divergence((None, z), (None, x), PLAIN).value
    assert 1e-17 < truth < 1e-15
    assert relative_error(found, truth) < 1e-14


def test_kl_of_probabilities_and_logits() -> None:
    p, x = row(0.2, 0.3, 0.5), row(1.0, -2.0, 0.5)
    q = np.exp(oracles.log_softmax(x.tolist()))
    mixed = kl_divergence((p, None), (None, x), PLAIN).value
    assert mixed == pytest.approx(oracles.plain_kl(p.tolist(), q.tolist()), rel=1e-14)
    reverse = kl_divergence((None, x), (p, None), PLAIN).value
    assert reverse == pytest.approx(oracles.plain_kl(q.tolist(), p.tolist()), rel=1e-14)


def test_kl_of_rows_that_sum_to_one_within_the_tolerance_is_the_plain_sum() -> None:
    p, q = row(0.2, 0.8), row(0.7, 0.3 - 4e-7)
    assert kl(p, q).value == pytest.approx(oracles.plain_kl(p.tolist(), q.tolist()), rel=1e-14)


def test_a_row_that_sums_to_more_than_one_costs_nothing_less() -> None:
    certain, more = row(1.0, 0.0), row(1.0 + 5e-7, 0.0)
    assert cross_entropy(certain, more, None, PLAIN).value == 0.0
    assert entropy(more, None, PLAIN).value == 0.0


@pytest.mark.parametrize("k", [2, 3, 5, 7, 30, 199])
def test_the_uniform_distribution_has_all_the_uncertainty_there_is(k: int) -> None:
    score = entropy(np.full(k, 1.0 / k), None, PLAIN)
    assert score.value == pytest.approx(math.log(k), rel=1e-15)
    assert number(score, "normalized") <= 1.0


def test_a_hundred_thousand_outcomes_lose_no_digits() -> None:
    # fifty different sizes keep the 60 digits affordable; the order is that of a riffle
    sizes = np.resize(np.arange(1.0, 51.0), 100_000)
    p, q = sizes / sizes.sum(), np.roll(sizes, 1) / sizes.sum()
    pairs_of_sizes = list(zip(p[:50].tolist(), q[:50].tolist(), strict=True))
    one, other = [a for a, _ in pairs_of_sizes], [b for _, b in pairs_of_sizes]
    assert relative_error(entropy(p, None, PLAIN).value, 2000 * oracles.entropy(one)) < 1e-14
    found = cross_entropy(p, q, None, PLAIN).value
    assert relative_error(found, 2000 * oracles.cross_entropy(one, other)) < 1e-14
    assert relative_error(kl(p, q).value, 2000 * oracles.kl(one, other)) < 1e-13
    found = js_divergence(p, q, PLAIN).value
    assert relative_error(found, 2000 * oracles.js(one, other)) < 1e-13


@given(pairs)
def test_every_row_agrees_with_sixty_digits(pair: tuple[Array, Array]) -> None:
    p, q = pair
    found = {
        "H": per_row(entropy(p, None, ROWS)),
        "CE": per_row(cross_entropy(p, q, None, ROWS)),
        "KL": per_row(kl(p, q, ROWS)),
        "JS": per_row(js_divergence(p, q, ROWS)),
    }
    for i, (a, b) in enumerate(zip(p.tolist(), q.tolist(), strict=True)):
        truth = {
            "H": oracles.entropy(a),
            "CE": oracles.cross_entropy(a, b),
            "KL": oracles.kl(a, b),
            "JS": oracles.js(a, b),
        }
        for name, exact in truth.items():
            assert exact < TINY or relative_error(found[name][i], exact) < 1e-14, name


@given(logit_pairs)
@example((np.array([[1e4, 0.0, -1e4]]), np.array([[1e4, 1e-9, -1e4]])))
def test_every_row_of_logits_agrees_with_sixty_digits(pair: tuple[Array, Array]) -> None:
    z, x = pair
    uncertain = per_row(entropy(None, z, ROWS))
    distant = per_row(kl_divergence((None, z), (None, x), ROWS))
    for i, (a, b) in enumerate(zip(z.tolist(), x.tolist(), strict=True)):
        for found, exact in (
            (uncertain[i], oracles.softmax_entropy(a)),
            (distant[i], oracles.softmax_kl(a, b)),
        ):
            assert exact < TINY or relative_error(found, exact) < 1e-12


@given(pairs)
def test_cross_entropy_is_entropy_and_divergence(pair: tuple[Array, Array]) -> None:
    score = cross_entropy(*pair, None, PLAIN)
    if score.status == "finite":
        parts = number(score, "entropy") + number(score, "kl_divergence")
        assert score.value == pytest.approx(parts, rel=1e-13, abs=1e-14)
    else:
        assert reason(score, "kl_divergence") == "positive_infinity"


@given(pairs)
def test_kl_is_never_negative_and_zero_only_for_equals(pair: tuple[Array, Array]) -> None:
    p, q = pair
    found = per_row(kl(p, q, ROWS))
    for value, a, b in zip(found, p, q, strict=True):
        assert value >= 0.0
        if value == 0.0:
            assert np.abs(a - b).max() < 1e-150
        if (a == b).all():
            assert value == 0.0


@given(pairs)
def test_js_is_symmetric_and_bounded(pair: tuple[Array, Array]) -> None:
    p, q = pair
    there, back = (per_row(js_divergence(*ends, ROWS)) for ends in ((p, q), (q, p)))
    assert there == pytest.approx(back, rel=1e-15)
    assert all(0.0 <= value <= math.log(2) for value in there)


@given(pairs)
def test_js_is_at_most_half_of_both_divergences(pair: tuple[Array, Array]) -> None:
    p, q = pair
    middle = per_row(js_divergence(p, q, ROWS))
    there, back = per_row(kl(p, q, ROWS)), per_row(kl(q, p, ROWS))
    for found, a, b in zip(middle, there, back, strict=True):
        assert found <= (a + b) / 4 * (1 + 1e-12)


@given(triples)
def test_the_root_of_js_keeps_the_triangle_inequality(three: tuple[Array, Array, Array]) -> None:
    p, q, r = three
    ends = ((p, q), (q, r), (p, r))
    pq, qr, pr = (np.sqrt(per_row(js_divergence(*end, ROWS))) for end in ends)
    assert (pr <= (pq + qr) * (1 + 1e-12)).all()


@given(pairs, st.randoms())
def test_the_order_of_outcomes_changes_nothing(pair: tuple[Array, Array], random: Random) -> None:
    p, q = pair
    order = random.sample(range(p.shape[1]), p.shape[1])
    assert per_row(kl(p[:, order], q[:, order], ROWS)) == pytest.approx(
        per_row(kl(p, q, ROWS)), rel=1e-13
    )


@given(pairs)
def test_entropy_lies_between_certainty_and_the_uniform(pair: tuple[Array, Array]) -> None:
    p, _ = pair
    most = math.log(p.shape[1]) * (1 + 1e-15)
    assert all(0.0 <= value <= most for value in per_row(entropy(p, None, ROWS)))


@given(logit_pairs)
def test_logits_score_as_their_softmax(pair: tuple[Array, Array]) -> None:
    z, _ = pair
    p = np.exp([oracles.log_softmax(row) for row in z.tolist()])
    p /= p.sum(axis=1, keepdims=True)
    found = per_row(entropy(None, z, ROWS))
    assert found == pytest.approx(per_row(entropy(p, None, ROWS)), rel=1e-9, abs=1e-13)


@given(gentle)
def test_scipy_agrees(three: tuple[Array, Array, Array]) -> None:
    p, q, _ = three
    assert per_row(entropy(p, None, ROWS)) == pytest.approx(scipy_entropy(p, axis=1), rel=1e-13)
    assert per_row(kl(p, q, ROWS)) == pytest.approx(
        rel_entr(p, q).sum(axis=1), rel=1e-11, abs=1e-14
    )
    distances = np.sqrt(per_row(js_divergence(p, q, ROWS)))
    assert distances == pytest.approx(jensenshannon(p, q, axis=1), rel=1e-6, abs=1e-7)


@given(gentle)
def test_gradients_are_slopes(three: tuple[Array, Array, Array]) -> None:
    p, q, z = three
    for found, expected in (
        (entropy(p, None, GRADIENT), central_differences(lambda x: entropy(x, None, GRADIENT), p)),
        (entropy(None, z, GRADIENT), central_differences(lambda x: entropy(None, x, PLAIN), z)),
        (
            cross_entropy(p, q, None, GRADIENT),
            central_differences(lambda x: cross_entropy(p, x, None, GRADIENT), q),
        ),
        (
            cross_entropy(p, None, z, GRADIENT),
            central_differences(lambda x: cross_entropy(p, None, x, PLAIN), z),
        ),
        (
            kl_divergence((p, None), (None, z), GRADIENT),
            central_differences(lambda x: kl_divergence((p, None), (None, x), PLAIN), z),
        ),
        (
            js_divergence(p, q, GRADIENT),
            central_differences(lambda x: js_divergence(p, x, GRADIENT), q),
        ),
    ):
        assert slope(found) == pytest.approx(expected, rel=1e-6, abs=2e-9)


def test_the_gradient_of_kl_is_that_of_cross_entropy() -> None:
    p, q = row(0.2, 0.8, 0.0), row(0.5, 0.25, 0.25)
    found = kl(p, q, Options(gradient=True))
    assert slope(found) == [-0.4, -3.2, 0.0]
    assert slope(cross_entropy(p, q, None, Options(gradient=True))) == [-0.4, -3.2, 0.0]
    assert not has_negative_zero(found)


def test_the_gradient_of_one_distribution_is_one_row() -> None:
    found = entropy(row(0.5, 0.5), None, Options(gradient=True, base="2")).gradient
    assert found is not None
    assert found.shape == (2,)
    assert found[0] == pytest.approx(1 - 1 / math.log(2), rel=1e-14)


def test_the_gradient_of_js_where_an_outcome_is_impossible() -> None:
    found = js_divergence(row(0.0, 1.0, 0.0), row(0.0, 0.5, 0.5), Options(gradient=True))
    assert slope(found)[0] == pytest.approx(math.log(2) / 2)
    assert slope(found)[2] == pytest.approx(math.log(2) / 2)


def test_renormalized_rows_are_counted() -> None:
    options = Options(on_unnormalized="renormalize")
    score = cross_entropy(row(2.0, 2.0), row(1.0, 3.0), None, options)
    assert score.value == cross_entropy(row(0.5, 0.5), row(0.25, 0.75), None, PLAIN).value
    assert score.diagnostics.renormalized == 2
    assert score.diagnostics.max_sum_error == 3.0


def test_two_forms_of_one_side_are_refused() -> None:
    with refused("/p"):
        entropy(row(1.0), row(1.0), PLAIN)
    with refused("/p"):
        entropy(None, None, PLAIN)
    with refused("/q"):
        cross_entropy(row(1.0), row(1.0), row(1.0), PLAIN)
    with refused("/q"):
        kl_divergence((row(1.0), None), (None, None), PLAIN)


def test_two_shapes_are_refused() -> None:
    with refused("/q"):
        kl(row(0.5, 0.5), row(0.2, 0.3, 0.5))
    with refused("/q_logits"):
        cross_entropy(row(0.5, 0.5), None, row(0.2, 0.3, 0.5), PLAIN)
    with refused("/q"):
        js_divergence(np.full((2, 2), 0.5), np.full((3, 2), 0.5), PLAIN)


def test_what_is_no_distribution_is_refused_where_it_stands() -> None:
    with refused("/p/1"):
        entropy(row(1.5, -0.5), None, PLAIN)
    with refused("/q/1/0"):
        kl(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 0.0], [np.nan, 0.5]]))
    with refused("/q/1"):
        js_divergence(np.full((2, 2), 0.5), np.array([[0.5, 0.5], [0.5, 0.6]]), PLAIN)
    with refused("/logits"):
        entropy(None, row(-np.inf, -np.inf), PLAIN)
    with refused("/sample_weight/1"):
        entropy(np.full((2, 2), 0.5), None, Options(sample_weight=row(1.0, -1.0)))
