"""Mutual information as classifiers and scores of pairs bound it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from kullback.numerics.types import Array, Indices
from kullback.scoring.mutual_information import (
    LogitKind,
    PairEstimator,
    information_of_classifier,
    information_of_pairs,
)
from kullback.scoring.options import Options
from kullback.scoring.pc_softmax import pc_softmax
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

Case = tuple[Array, Indices, Array]
PLAIN = Options()
BOUNDS = {"infonce": oracle.infonce, "dv": oracle.dv, "nwj": oracle.nwj}
ESTIMATORS: tuple[PairEstimator, ...] = ("infonce", "dv", "nwj")
KINDS: tuple[LogitKind, ...] = ("posterior", "pc")


@pytest.mark.parametrize("kind", KINDS)
@given(case=draw.classified())
def test_a_classifier_tells_what_60_digits_say(kind: LogitKind, case: Case) -> None:
    logits, labels, prior = case
    score = information_of_classifier(logits, labels, prior, kind, Options(per_row=True))

    assert score.per_row is not None
    for z, y, found in zip(logits.tolist(), labels.tolist(), score.per_row.tolist(), strict=True):
        if kind == "pc":
            expected = oracle.pointwise_information(z, y, prior.tolist())
        else:
            expected = oracle.log_softmax(z, y) - oracle.mp.log(prior[y])
        assert found == pytest.approx(float(expected), rel=1e-12, abs=2e-15)


@given(draw.classified(draw.mild))
def test_the_logits_of_the_one_are_those_of_the_other_less_ln_prior(case: Case) -> None:
    logits, labels, prior = case

    posterior = information_of_classifier(logits, labels, prior, "posterior", PLAIN)
    corrected = information_of_classifier(logits - np.log(prior), labels, prior, "pc", PLAIN)

    assert corrected.value == pytest.approx(posterior.value, rel=1e-11, abs=1e-13)
    for name in ("entropy_y", "cross_entropy", "upper_bound"):
        assert draw.number(corrected, name) == pytest.approx(
            draw.number(posterior, name), rel=1e-11, abs=1e-13
        )


@given(draw.classified(draw.mild))
def test_it_is_entropy_less_the_cross_entropy_of_scikit_learn(case: Case) -> None:
    logits, labels, _ = case
    score = information_of_classifier(logits, labels, None, None, PLAIN)

    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    expected = float(log_loss(labels, shares, labels=np.arange(logits.shape[1])))
    assert draw.number(score, "cross_entropy") == pytest.approx(expected, rel=1e-12)
    assert score.value == pytest.approx(math.log(logits.shape[1]) - expected, rel=1e-11, abs=1e-13)


@given(draw.classified())
def test_it_is_the_probability_corrected_loss_turned_round(case: Case) -> None:
    loss = pc_softmax(*case, PLAIN).value

    assert information_of_classifier(*case, "pc", PLAIN).value == 0.0 - loss


@pytest.mark.parametrize("kind", KINDS)
@given(case=draw.classified(draw.mild))
def test_the_gradient_of_a_classifier_is_its_slope(kind: LogitKind, case: Case) -> None:
    logits, labels, prior = case
    options = Options(gradient=True, base="10", sample_weight=np.linspace(1.0, 2.0, labels.size))

    score = information_of_classifier(logits, labels, prior, kind, options)

    def value(z: Array) -> float:
        return information_of_classifier(z, labels, prior, kind, options).value

    assert draw.agrees(score.gradient, draw.slope(value, logits))
    assert not draw.has_negative_zero(score)


def gaussians(d: int, prior: Array) -> tuple[Array, Array]:
    """Log densities of five unit Gaussians on a grid, (n, 5), and the mass of each cell."""
    step = 1 / 64
    x = np.arange(-30.0, 30.0, step)
    means = np.array([0.0, 2.0, -2.0, 4.0, -4.0]) * math.sqrt(d)  # along their common axis
    logs = -0.5 * (x[:, None] - means) ** 2 - 0.5 * math.log(2 * math.pi)
    mass: Array = np.exp(logs) * prior * step
    return logs, mass


@pytest.mark.parametrize(
    ("d", "balanced", "imbalanced"),
    [
        (1, 1.0314200, 1.0223772),
        (2, 1.3003467, 1.2392832),
        (5, 1.5543774, 1.4449105),
        (10, 1.6058406, 1.4868121),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_exact_logits_of_five_gaussians_give_their_information(
    d: int, balanced: float, imbalanced: float, kind: LogitKind
) -> None:
    for prior, expected in (
        (np.full(5, 0.2), balanced),
        (np.array([1, 2, 3, 4, 5]) / 15, imbalanced),
    ):
        logs, mass = gaussians(d, prior)
        logits = logs + np.log(prior) if kind == "posterior" else logs
        labels = np.repeat(np.arange(5), mass.shape[0])

        score = information_of_classifier(
            np.tile(logits, (5, 1)),
            labels,
            prior,
            kind,
            Options(sample_weight=mass.T.reshape(-1)),
        )

        assert score.value == pytest.approx(expected, abs=6e-8)
        assert score.value < draw.number(score, "upper_bound")


def test_posterior_logits_taken_for_corrected_ones_count_the_prior_twice() -> None:
    prior = np.array([1, 2, 3, 4, 5]) / 15
    logs, mass = gaussians(1, prior)
    labels = np.repeat(np.arange(5), mass.shape[0])
    options = Options(sample_weight=mass.T.reshape(-1))

    wrong = information_of_classifier(
        np.tile(logs + np.log(prior), (5, 1)), labels, prior, "pc", options
    )

    assert wrong.value < 1.0223772 - 0.01


def test_an_estimate_of_a_misleading_classifier_stays_negative() -> None:
    score = information_of_classifier(
        np.array([[3.0, 0.0], [0.0, 3.0]]), np.array([1, 0]), None, None, PLAIN
    )

    assert score.value == pytest.approx(math.log(2) - 3 - math.log1p(math.exp(-3)), rel=1e-14)


def test_a_classifier_of_one_class_is_refused() -> None:
    with draw.refused("/logits", "always 1"):
        information_of_classifier(np.array([[2.0]]), np.array([0]), None, None, PLAIN)


def test_a_uniform_prior_needs_no_kind_of_logits() -> None:
    third = np.full(3, 1 / 3)
    one = information_of_classifier(np.eye(3), np.arange(3), third, None, PLAIN)
    other = information_of_classifier(np.eye(3), np.arange(3), third, "pc", PLAIN)

    assert one.value == pytest.approx(other.value, rel=1e-14)
    assert draw.detail(one, "estimator") == "prior_corrected"
    assert draw.detail(other, "estimator") == "pc_softmax"


def test_a_prior_that_is_not_uniform_needs_the_kind_of_logits() -> None:
    with draw.refused("/logit_kind", "posterior"):
        information_of_classifier(np.eye(2), np.array([0, 1]), np.array([0.4, 0.6]), None, PLAIN)


def test_a_prior_of_other_classes_is_refused() -> None:
    with draw.refused("/prior"):
        information_of_classifier(np.eye(3), np.arange(3), np.array([0.5, 0.5]), "pc", PLAIN)


def test_a_label_without_mass_is_refused() -> None:
    with draw.refused("/y_true/1", "no mass"):
        information_of_classifier(
            np.eye(2), np.array([0, 1]), np.array([1.0, 0.0]), "posterior", PLAIN
        )


def test_too_few_labels_are_refused() -> None:
    with draw.refused("/y_true", "[1]; [2] or [2][2] is expected (logits is [2][2])"):
        information_of_classifier(np.eye(2), np.array([0]), None, None, PLAIN)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@given(scores=draw.squares(st.floats(-20.0, 20.0)))
def test_a_bound_is_what_60_digits_say(estimator: PairEstimator, scores: Array) -> None:
    score = information_of_pairs(scores, estimator, PLAIN)

    expected = float(BOUNDS[estimator](scores.tolist()))
    assert score.value == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@given(scores=draw.squares(draw.mild))
def test_the_gradient_of_a_bound_is_its_slope(
    estimator: PairEstimator, reduction: str, scores: Array
) -> None:
    options = Options(gradient=True, base="2", reduction="sum" if reduction == "sum" else "mean")
    score = information_of_pairs(scores, estimator, options)

    slope = draw.slope(lambda f: information_of_pairs(f, estimator, options).value, scores)
    assert draw.agrees(score.gradient, slope)
    assert not draw.has_negative_zero(score)


@given(draw.squares(draw.logit, low=1))
def test_infonce_never_exceeds_ln_n(scores: Array) -> None:
    score = information_of_pairs(scores, "infonce", PLAIN)

    assert score.value <= math.log(len(scores)) + 1e-15
    assert draw.number(score, "upper_bound") == math.log(len(scores))


@given(draw.squares(draw.mild))
def test_donsker_and_varadhan_are_never_below_nguyen_wainwright_and_jordan(scores: Array) -> None:
    dv = information_of_pairs(scores, "dv", PLAIN).value

    assert dv >= information_of_pairs(scores, "nwj", PLAIN).value - 1e-13


@given(draw.squares(draw.mild), st.floats(-50, 50))
def test_a_constant_changes_only_nguyen_wainwright_and_jordan(scores: Array, c: float) -> None:
    for estimator in ("infonce", "dv"):
        moved = information_of_pairs(scores + c, estimator, PLAIN).value
        assert moved == pytest.approx(
            information_of_pairs(scores, estimator, PLAIN).value, abs=1e-12
        )


def test_perfect_scores_reach_ln_n() -> None:
    score = information_of_pairs(100 * np.eye(4), "infonce", PLAIN)

    assert score.value == pytest.approx(math.log(4), rel=1e-15)
    assert score.standard_error == pytest.approx(0.0, abs=1e-15)


def test_only_infonce_is_a_mean_of_rows_with_an_error() -> None:
    scores = np.arange(9.0).reshape(3, 3) / 4

    assert information_of_pairs(scores, "infonce", PLAIN).standard_error is not None
    assert information_of_pairs(scores, "dv", PLAIN).standard_error is None
    assert draw.reason(information_of_pairs(scores, "nwj", PLAIN), "upper_bound") == "unbounded"


@pytest.mark.parametrize(
    ("estimator", "value"), [("infonce", 0.0), ("dv", -2e308), ("nwj", -2e308)]
)
def test_scores_beyond_a_double_are_infinite(estimator: PairEstimator, value: float) -> None:
    scores = np.array([[-1.7e308, 1.7e308], [-1.7e308, 1.7e308]])
    score = information_of_pairs(scores, estimator, Options(gradient=True))

    assert score.value == -math.inf
    assert value <= 0


def test_pairs_that_are_ruled_out_tell_infinitely_much() -> None:
    scores = np.array([[0.0, -np.inf], [-np.inf, 0.0]])

    assert information_of_pairs(scores, "infonce", PLAIN).value == math.log(2)
    score = information_of_pairs(scores, "dv", Options(gradient=True))
    assert (score.status, score.reason) == ("infinite", "positive_infinity")


def test_scores_that_are_not_square_are_refused() -> None:
    with draw.refused("/pair_scores", "[2][3]"):
        information_of_pairs(np.zeros((2, 3)), "infonce", PLAIN)


@pytest.mark.parametrize("estimator", ["dv", "nwj"])
def test_one_pair_has_no_other(estimator: PairEstimator) -> None:
    with draw.refused("/pair_scores", "two rows"):
        information_of_pairs(np.zeros((1, 1)), estimator, PLAIN)


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with draw.refused("/pair_scores/0/1", "not a logit"):
        information_of_pairs(np.array([[0.0, math.nan], [0.0, 0.0]]), "infonce", PLAIN)


def test_pairs_have_no_weights() -> None:
    with draw.refused("/sample_weight"):
        information_of_pairs(np.eye(2), "dv", Options(sample_weight=np.ones(2)))
