"""Losses of adversarial training, game by game."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array
from kullback.scoring.gan_loss import GanKind, GanOptions, gan_loss
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
EVERY: tuple[GanKind, ...] = (*KINDS, "relativistic_average")
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

    score = gan_loss(REAL, FAKE, GanOptions(kind), Options(gradient=True))

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
    score = gan_loss(real, fake, GanOptions(kind), PLAIN)

    expected = float(oracle.discriminator(kind, real.tolist(), fake.tolist()))
    scale = 1e-15 * float(np.abs(real).max() + np.abs(fake).max())  # signs may cancel
    cancels = scale if kind in ("wasserstein", "hinge") else 0.0
    assert score.value == pytest.approx(expected, rel=1e-12, abs=cancels)
    generated = float(oracle.generator(kind, fake.tolist()))
    assert draw.number(score, "generator") == pytest.approx(generated, rel=1e-12, abs=scale)
    assert not draw.has_negative_zero(score)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@given(real=draw.samples(draw.mild), fake=draw.samples(draw.mild))
def test_the_gradients_are_slopes(kind: GanKind, reduction: str, real: Array, fake: Array) -> None:
    real, fake = _off_the_kinks(real), _off_the_kinks(fake)
    options = Options(base="2", gradient=True, reduction="sum" if reduction == "sum" else "mean")

    score = gan_loss(real, fake, GanOptions(kind), options)

    def generator(f: Array) -> float:
        return draw.number(gan_loss(real, f, GanOptions(kind), options), "generator")

    at_real = draw.slope(lambda r: gan_loss(r, fake, GanOptions(kind), options).value, real)
    at_fake = draw.slope(lambda f: gan_loss(real, f, GanOptions(kind), options).value, fake)
    assert draw.agrees(sides(score)["real_logits"], at_real)
    assert draw.agrees(sides(score)["fake_logits"], at_fake)
    assert draw.agrees(score.details["generator_gradient"], draw.slope(generator, fake))
    assert not draw.has_negative_zero(score)


def _off_the_kinks(x: Array) -> Array:
    return np.where(np.abs(np.abs(x) - 1.0) < 1e-3, x + 0.01, x)


@pytest.mark.parametrize("kind", EVERY)
@given(real=draw.samples(draw.mild), fake=draw.samples(draw.mild))
def test_a_sum_counts_every_sample(kind: GanKind, real: Array, fake: Array) -> None:
    score = gan_loss(real, fake, GanOptions(kind), Options(reduction="sum", per_row=True))

    assert score.per_row is not None
    assert score.value == pytest.approx(math.fsum(score.per_row.tolist()), rel=1e-12, abs=1e-13)
    assert score.n == real.size + fake.size
    mean = gan_loss(real, fake, GanOptions(kind), PLAIN)
    assert score.details == mean.details


@pytest.mark.parametrize("kind", ["minimax", "non_saturating"])
def test_a_coin_toss_costs_two_ln_2_and_bounds_nothing(kind: GanKind) -> None:
    score = gan_loss(np.zeros(3), np.zeros(2), GanOptions(kind), PLAIN)

    assert score.value == pytest.approx(2 * math.log(2), rel=1e-15)
    assert draw.number(score, "jsd_lower_bound") == pytest.approx(0.0, abs=1e-16)
    assert draw.number(score, "discriminator_accuracy") == 0.0


def test_a_bad_discriminator_bounds_from_far_below() -> None:
    score = gan_loss(np.array([-3.0]), np.array([3.0]), GanOptions("minimax"), PLAIN)

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
        score = gan_loss(
            np.repeat(scores, p), np.repeat(scores, q), GanOptions("non_saturating"), PLAIN
        )
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

    assert gan_loss(np.zeros(1), np.zeros(1), GanOptions("minimax"), bits).value == pytest.approx(
        2.0
    )
    assert gan_loss(np.zeros(1), np.zeros(1), GanOptions("minimax"), bits).unit == "bits"
    assert gan_loss(np.zeros(1), np.zeros(1), GanOptions("hinge"), bits).value == 2.0
    assert gan_loss(np.zeros(1), np.zeros(1), GanOptions("hinge"), bits).unit == "dimensionless"


def test_each_sample_is_told_on_its_side_of_the_boundary() -> None:
    real, fake = np.array([0.6, 0.4]), np.array([0.1, 0.2, 0.3, 0.7])

    squares = gan_loss(real, fake, GanOptions("least_squares"), PLAIN)
    logs = gan_loss(real, fake, GanOptions("minimax"), PLAIN)

    assert draw.number(squares, "discriminator_accuracy") == 0.5 * (1 / 2 + 3 / 4)
    assert draw.number(logs, "discriminator_accuracy") == 0.5


def test_only_games_in_nats_bound_the_divergence() -> None:
    score = gan_loss(REAL, FAKE, GanOptions("hinge"), PLAIN)

    assert draw.reason(score, "jsd_lower_bound") == "not_of_this_game"


def test_the_saturating_generator_has_no_slope_where_it_loses() -> None:
    options = Options(gradient=True)
    lost = np.array([-60.0])

    saturated = gan_loss(REAL, lost, GanOptions("minimax"), options)
    steep = gan_loss(REAL, lost, GanOptions("non_saturating"), options)

    assert draw.array(saturated, "generator_gradient")[0] == pytest.approx(-math.exp(-60))
    assert draw.array(steep, "generator_gradient")[0] == pytest.approx(-1.0)


def test_the_error_is_that_of_two_means() -> None:
    score = gan_loss(REAL, FAKE, GanOptions("wasserstein"), PLAIN)

    expected = math.sqrt(np.var(REAL, ddof=1) / 3 + np.var(FAKE, ddof=1) / 2)
    assert score.standard_error == pytest.approx(expected, rel=1e-14)


def test_one_sample_has_no_error() -> None:
    assert gan_loss(REAL, FAKE[:1], GanOptions("hinge"), PLAIN).standard_error is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1e61])
def test_a_score_that_is_no_finite_number_of_a_sensible_size_is_refused(bad: float) -> None:
    with draw.refused("/fake_logits/1", "1e60"):
        gan_loss(REAL, np.array([0.0, bad]), GanOptions("hinge"), PLAIN)


def test_an_empty_sample_is_refused() -> None:
    with draw.refused("/real_logits", "[n] is expected"):
        gan_loss(np.empty(0), FAKE, GanOptions("hinge"), PLAIN)


def test_one_number_is_no_sample() -> None:
    with draw.refused("/real_logits", "[n] is expected"):
        gan_loss(np.array(0.5), FAKE, GanOptions(), PLAIN)


def test_rows_of_scores_are_no_map() -> None:
    with draw.refused("/fake_logits", "[2][2]"):
        gan_loss(REAL, np.zeros((2, 2)), GanOptions("hinge"), PLAIN)


def test_two_samples_have_no_weights() -> None:
    with draw.refused("/sample_weight"):
        gan_loss(REAL, FAKE, GanOptions("hinge"), Options(sample_weight=np.ones(3)))


@given(real=draw.samples(draw.mild), fake=draw.samples(draw.mild))
def test_relative_scores_are_what_60_digits_say(real: Array, fake: Array) -> None:
    score = gan_loss(real, fake, GanOptions("relativistic_average"), PLAIN)

    found = (score.value, draw.number(score, "generator"))
    expected = oracle.relativistic(real.tolist(), fake.tolist())
    assert found == pytest.approx(tuple(map(float, expected)), rel=1e-13)
    assert draw.reason(score, "jsd_lower_bound") == "not_of_this_game"
    assert score.standard_error is None


def test_relative_scores_by_hand() -> None:
    """r = 2 and f = 0, 2: a = 1, b = −2, 0."""
    score = gan_loss(
        np.array([2.0]), np.array([0.0, 2.0]), GanOptions("relativistic_average"), PLAIN
    )

    def sp(x: float) -> float:
        return math.log1p(math.exp(x))

    assert score.value == pytest.approx(sp(-1) + (sp(-2) + sp(0)) / 2, rel=1e-15)
    assert draw.number(score, "generator") == pytest.approx(sp(1) + (sp(2) + sp(0)) / 2, rel=1e-15)


@pytest.mark.parametrize("kind", EVERY)
@given(real=draw.samples(draw.mild))
def test_only_differences_matter_to_relative_scores(kind: GanKind, real: Array) -> None:
    at, moved = (
        gan_loss(real + shift, FAKE + shift, GanOptions(kind), PLAIN).value for shift in (0.0, 3.0)
    )

    is_relative = kind in ("relativistic_average", "wasserstein")
    assert (at == pytest.approx(moved, rel=1e-12, abs=1e-12)) or not is_relative


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("shape", [(2, 1), (2, 2, 2), (2, 1, 2, 2)])
def test_maps_of_patches_are_their_means(kind: GanKind, shape: tuple[int, ...]) -> None:
    real = np.linspace(-2.03, 3.0, math.prod(shape)).reshape(shape)
    fake = np.linspace(1.0, -4.0, 4)
    asked = Options(per_row=True, gradient=True)

    maps = gan_loss(real, fake, GanOptions(kind), asked)
    flat = gan_loss(real.reshape(-1), fake, GanOptions(kind), asked)

    assert maps.value == pytest.approx(flat.value, rel=1e-14)
    assert maps.n == 2 + 4
    assert sides(maps)["real_logits"].shape == shape
    assert sides(maps)["real_logits"].reshape(-1).tolist() == pytest.approx(
        sides(flat)["real_logits"].tolist(), rel=1e-13
    )
    assert maps.per_row is not None
    assert flat.per_row is not None
    patches = flat.per_row[:-4].reshape(2, -1).mean(axis=1)
    assert maps.per_row[:2].tolist() == pytest.approx(patches.tolist(), rel=1e-13)
    assert maps.details["discriminator_accuracy"] == flat.details["discriminator_accuracy"]
    summed = gan_loss(real, fake, GanOptions(kind), replace(asked, reduction="sum"))
    slopes = draw.slope(
        lambda r: (
            gan_loss(r.reshape(shape), fake, GanOptions(kind), Options(reduction="sum")).value
        ),
        real.reshape(-1),
    )
    assert draw.agrees(sides(summed)["real_logits"].reshape(-1), slopes)


@pytest.mark.parametrize("kind", ["minimax", "non_saturating", "least_squares"])
@pytest.mark.parametrize("amount", [0.1, 0.9])
def test_a_smoothed_label_is_torch_s_target_below_one(kind: GanKind, amount: float) -> None:
    """binary_cross_entropy_with_logits(r, 1 − ε), or ½ mse_loss(r, 1 − ε); fakes stay at 0."""
    score = gan_loss(REAL, FAKE, GanOptions(kind, amount), Options(gradient=True))

    target = 1 - amount
    if kind == "least_squares":
        expected = float((0.5 * (REAL - target) ** 2).mean())
    else:
        expected = float((np.logaddexp(0, REAL) - target * REAL).mean())
    plain = gan_loss(REAL, FAKE, GanOptions(kind), PLAIN)
    assert draw.number(score, "discriminator_real") == pytest.approx(expected, rel=1e-14)
    for name in ("discriminator_fake", "generator", "jsd_lower_bound"):
        assert score.details[name] == plain.details[name]
    at_real = draw.slope(lambda r: gan_loss(r, FAKE, GanOptions(kind, amount), PLAIN).value, REAL)
    assert draw.agrees(sides(score)["real_logits"], at_real)


@pytest.mark.parametrize("kind", ["hinge", "wasserstein", "relativistic_average"])
def test_a_game_without_labels_has_none_to_smooth(kind: GanKind) -> None:
    with draw.refused("/label_smoothing", "no labels"):
        gan_loss(REAL, FAKE, GanOptions(kind, 0.1), PLAIN)
