"""Losses of adversarial training, game by game."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.gan_loss import GanKind, gan_loss
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

KINDS: tuple[GanKind, ...] = (
    "minimax",
    "non_saturating",
    "hinge",
    "wasserstein",
    "least_squares",
)
REAL, FAKE = np.array([0.3, -1.2, 2.5]), np.array([-0.7, 0.4])
PLAIN = Options()
Sides = Mapping[str, Array]


def sides(score: Score) -> Sides:
    """The gradient with respect to each of the two samples."""
    assert score.gradients is not None
    return score.gradients


# loss, its slope at real and fake, the generator's loss and slope
TORCH_2_13_0: dict[GanKind, tuple[float, list[float], list[float], float, list[float]]] = {
    "minimax": (
        1.3569431326757413,
        [-0.14185249439611367, -0.2561749278330059, -0.02528606000708115],
        [0.16590611391591695, 0.299343830056226],
        -0.6581006506427053,
        [-0.16590611391591695, -0.299343830056226],
    ),
    "non_saturating": (
        1.3569431326757413,
        [-0.14185249439611367, -0.2561749278330059, -0.02528606000708115],
        [0.16590611391591695, 0.299343830056226],
        0.8081006506427053,
        [-0.3340938860840831, -0.200656169943774],
    ),
    "hinge": (
        1.8166666666666669,
        [-0.3333333333333333, -0.3333333333333333, 0.0],
        [0.5, 0.5],
        0.14999999999999997,
        [-0.5, -0.5],
    ),
    "wasserstein": (
        -0.6833333333333333,
        [-0.3333333333333333, -0.3333333333333333, -0.3333333333333333],
        [0.5, 0.5],
        0.14999999999999997,
        [-0.5, -0.5],
    ),
    "least_squares": (
        1.4258333333333333,
        [-0.2333333333333333, -0.7333333333333334, 0.5],
        [-0.35, 0.2],
        0.8124999999999999,
        [-0.85, -0.3],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_of_torch_2_13_0_are_met(kind: GanKind) -> None:
    loss, at_real, at_fake, generator, generator_slope = TORCH_2_13_0[kind]

    score = gan_loss(REAL, FAKE, kind, Options(gradient=True))

    assert score.value == pytest.approx(loss, rel=1e-14)
    assert sides(score)["real_logits"].tolist() == pytest.approx(at_real, rel=1e-14)
    assert sides(score)["fake_logits"].tolist() == pytest.approx(at_fake, rel=1e-14)
    assert draw.number(score, "generator") == pytest.approx(generator, rel=1e-14)
    assert draw.array(score, "generator_gradient").tolist() == pytest.approx(
        generator_slope, rel=1e-14
    )


@pytest.mark.parametrize("kind", KINDS)
@given(real=draw.samples(draw.logit), fake=draw.samples(draw.logit))
def test_a_loss_is_what_60_digits_say(kind: GanKind, real: Array, fake: Array) -> None:
    score = gan_loss(real, fake, kind, PLAIN)

    expected = float(oracle.discriminator(kind, real.tolist(), fake.tolist()))
    scale = 1e-15 * float(np.abs(real).max() + np.abs(fake).max())  # signs may cancel
    cancels = scale if kind in ("wasserstein", "hinge") else 0.0
    assert score.value == pytest.approx(expected, rel=1e-12, abs=cancels)
    generated = float(oracle.generator(kind, fake.tolist()))
    assert draw.number(score, "generator") == pytest.approx(generated, rel=1e-12, abs=scale)
    assert not draw.has_negative_zero(score)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@given(real=draw.samples(draw.mild), fake=draw.samples(draw.mild))
def test_the_gradients_are_slopes(kind: GanKind, reduction: str, real: Array, fake: Array) -> None:
    real, fake = _off_the_kinks(real), _off_the_kinks(fake)
    options = Options(base="2", gradient=True, reduction="sum" if reduction == "sum" else "mean")

    score = gan_loss(real, fake, kind, options)

    def generator(f: Array) -> float:
        return draw.number(gan_loss(real, f, kind, options), "generator")

    at_real = draw.slope(lambda r: gan_loss(r, fake, kind, options).value, real)
    at_fake = draw.slope(lambda f: gan_loss(real, f, kind, options).value, fake)
    assert draw.agrees(sides(score)["real_logits"], at_real)
    assert draw.agrees(sides(score)["fake_logits"], at_fake)
    assert draw.agrees(score.details["generator_gradient"], draw.slope(generator, fake))
    assert not draw.has_negative_zero(score)


def _off_the_kinks(x: Array) -> Array:
    return np.where(np.abs(np.abs(x) - 1.0) < 1e-3, x + 0.01, x)


@pytest.mark.parametrize("kind", KINDS)
@given(real=draw.samples(draw.mild), fake=draw.samples(draw.mild))
def test_a_sum_counts_every_sample(kind: GanKind, real: Array, fake: Array) -> None:
    score = gan_loss(real, fake, kind, Options(reduction="sum", per_row=True))

    assert score.per_row is not None
    assert score.value == pytest.approx(math.fsum(score.per_row.tolist()), rel=1e-12, abs=1e-13)
    assert score.n == real.size + fake.size
    mean = gan_loss(real, fake, kind, PLAIN)
    assert score.details == mean.details


@pytest.mark.parametrize("kind", ["minimax", "non_saturating"])
def test_a_coin_toss_costs_two_ln_2_and_bounds_nothing(kind: GanKind) -> None:
    score = gan_loss(np.zeros(3), np.zeros(2), kind, PLAIN)

    assert score.value == pytest.approx(2 * math.log(2), rel=1e-15)
    assert draw.number(score, "jsd_lower_bound") == pytest.approx(0.0, abs=1e-16)
    assert draw.number(score, "discriminator_accuracy") == 0.0


def test_a_bad_discriminator_bounds_from_far_below() -> None:
    score = gan_loss(np.array([-3.0]), np.array([3.0]), "minimax", PLAIN)

    assert draw.number(score, "jsd_lower_bound") == pytest.approx(
        math.log(2) - 3 - math.log1p(math.exp(-3)), rel=1e-14
    )


counted = st.lists(st.integers(1, 6), min_size=2, max_size=4)


@given(counted, counted, draw.vectors(4, draw.mild))
def test_the_bound_never_exceeds_the_divergence_and_the_best_discriminator_meets_it(
    real: list[int], fake: list[int], other: Array
) -> None:
    k = min(len(real), len(fake))
    p, q = np.array(real[:k]), np.array(fake[:k])
    best = np.log(p / p.sum()) - np.log(q / q.sum())

    def bound(scores: Array) -> float:
        score = gan_loss(np.repeat(scores, p), np.repeat(scores, q), "non_saturating", PLAIN)
        return draw.number(score, "jsd_lower_bound")

    middle = (p / p.sum() + q / q.sum()) / 2
    divergence = 0.5 * float(
        (
            p / p.sum() * np.log(p / p.sum() / middle) + q / q.sum() * np.log(q / q.sum() / middle)
        ).sum()
    )
    assert bound(best) == pytest.approx(divergence, abs=1e-14)
    assert bound(other[:k]) <= divergence + 1e-14


def test_base_2_is_for_losses_in_nats_alone() -> None:
    bits = Options(base="2")

    assert gan_loss(np.zeros(1), np.zeros(1), "minimax", bits).value == pytest.approx(2.0)
    assert gan_loss(np.zeros(1), np.zeros(1), "minimax", bits).unit == "bits"
    assert gan_loss(np.zeros(1), np.zeros(1), "hinge", bits).value == 2.0
    assert gan_loss(np.zeros(1), np.zeros(1), "hinge", bits).unit == "dimensionless"


def test_each_sample_is_told_on_its_side_of_the_boundary() -> None:
    real, fake = np.array([0.6, 0.4]), np.array([0.1, 0.2, 0.3, 0.7])

    squares = gan_loss(real, fake, "least_squares", PLAIN)
    logs = gan_loss(real, fake, "minimax", PLAIN)

    assert draw.number(squares, "discriminator_accuracy") == 0.5 * (1 / 2 + 3 / 4)
    assert draw.number(logs, "discriminator_accuracy") == 0.5


def test_only_games_in_nats_bound_the_divergence() -> None:
    score = gan_loss(REAL, FAKE, "hinge", PLAIN)

    assert draw.reason(score, "jsd_lower_bound") == "not_of_this_game"


def test_the_saturating_generator_has_no_slope_where_it_loses() -> None:
    options = Options(gradient=True)
    lost = np.array([-60.0])

    saturated = gan_loss(REAL, lost, "minimax", options)
    steep = gan_loss(REAL, lost, "non_saturating", options)

    assert draw.array(saturated, "generator_gradient")[0] == pytest.approx(-math.exp(-60))
    assert draw.array(steep, "generator_gradient")[0] == pytest.approx(-1.0)


def test_the_error_is_that_of_two_means() -> None:
    score = gan_loss(REAL, FAKE, "wasserstein", PLAIN)

    expected = math.sqrt(np.var(REAL, ddof=1) / 3 + np.var(FAKE, ddof=1) / 2)
    assert score.standard_error == pytest.approx(expected, rel=1e-14)


def test_one_sample_has_no_error() -> None:
    assert gan_loss(REAL, FAKE[:1], "hinge", PLAIN).standard_error is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1e61])
def test_a_score_that_is_no_finite_number_of_a_sensible_size_is_refused(bad: float) -> None:
    with draw.refused("/fake_logits/1", "1e60"):
        gan_loss(REAL, np.array([0.0, bad]), "hinge", PLAIN)


def test_an_empty_sample_is_refused() -> None:
    with draw.refused("/real_logits", "[n] is expected"):
        gan_loss(np.empty(0), FAKE, "hinge", PLAIN)


def test_rows_of_scores_are_refused() -> None:
    with draw.refused("/fake_logits", "[2][2]"):
        gan_loss(REAL, np.zeros((2, 2)), "hinge", PLAIN)


def test_two_samples_have_no_weights() -> None:
    with draw.refused("/sample_weight"):
        gan_loss(REAL, FAKE, "hinge", Options(sample_weight=np.ones(3)))
