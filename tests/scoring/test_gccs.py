"""GCCS: latents against Gaussians around the corners of a simplex."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices
from kullback.scoring.gccs import Covariance, GccsOptions, Layout, corner, gccs
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests.scoring import oracles as oracle
from tests.scoring import strategies as draw

PLAIN = Options()
STANDARD = GccsOptions(mu=2.0, sigma=0.5)
LATENTS = np.array([[2.1, 0.2], [1.7, -0.4], [2.6, 0.3], [0.1, 1.6], [-0.5, 2.5], [0.4, 2.2]])
LABELS = np.array([0, 0, 0, 1, 1, 1])
FORMS: tuple[tuple[Layout, Covariance, int], ...] = (
    ("standard", "diag", 1),
    ("standard", "diag", 0),
    ("standard", "full", 1),
    ("regular_k_minus_1", "diag", 0),
    ("regular_k_minus_1", "full", 1),
)
Case = tuple[Array, Indices, GccsOptions]


def centroids(k: int, asked: GccsOptions) -> Array:
    d = k if asked.layout == "standard" else k - 1
    return np.stack([corner(label, d, asked) for label in range(k)])


@st.composite
def cases(pick: st.DrawFn) -> Case:
    """Latents of every class, spread widely enough to differ."""
    layout, covariance, ddof = pick(st.sampled_from(FORMS))
    d = pick(st.integers(1, 3))
    k = d if layout == "standard" else d + 1
    mu, sigma = pick(st.floats(0.5, 5.0)), pick(st.floats(0.3, 2.0))
    asked = GccsOptions(mu, sigma, layout, covariance, ddof)
    labels = np.repeat(np.arange(k), d + 3)
    rng = np.random.default_rng(pick(st.integers(0, 2**32 - 1)))
    return centroids(k, asked)[labels] + rng.normal(size=(labels.size, d)), labels, asked


def of(latents: Array, labels: Indices, asked: GccsOptions = STANDARD) -> Score:
    return gccs(latents, labels, None, asked, PLAIN)


def test_one_dimension_by_hand() -> None:
    # variance 2·σ², mean one σ off: ½(2 + 1 − 1 − ln 2)
    z: Array = 3.0 + 0.5 + 0.5 * np.array([[-1.0], [1.0]])
    score = of(z, np.array([0, 0]), GccsOptions(mu=3.0, sigma=0.5))

    assert score.value == pytest.approx(0.5 * (2 - math.log(2)), rel=1e-14)


def test_latents_of_just_these_moments_cost_nothing() -> None:
    z: Array = 3.0 + 0.5 * math.sqrt(0.5) * np.array([[-1.0], [1.0]])
    score = of(z, np.array([0, 0]), GccsOptions(mu=3.0, sigma=0.5))

    assert score.value == pytest.approx(0.0, abs=1e-30)


@pytest.mark.parametrize(
    ("covariance", "value", "gradient"),
    [
        (
            "diag",
            0.1469156218587626,
            [
                [0.1930783242258651, -0.2036175710594317],
                [0.37668488160291425, 0.6894056847545224],
                [-0.03642987249544627, -0.35245478036175737],
                [-0.03809523809523805, 0.3238095238095242],
                [0.19047619047619024, -0.01904761904761912],
                [-0.1523809523809522, 0.09523809523809526],
            ],
        ),
        (
            "full",
            1.1125381462224988,
            [
                [2.803418803418807, -3.083760683760687],
                [-1.0735042735042728, 1.1008547008547014],
                [-1.1965811965812008, 2.1162393162393194],
                [0.6761904761904756, 0.5619047619047617],
                [-0.04761904761904767, 0.45714285714285696],
                [-0.6285714285714279, -0.6190476190476183],
            ],
        ),
    ],
)
def test_the_numbers_of_torch_2_13_0_are_met(
    covariance: Covariance, value: float, gradient: list[list[float]]
) -> None:
    asked = GccsOptions(mu=2.0, sigma=0.5, covariance=covariance)
    score = gccs(LATENTS, LABELS, None, asked, Options(gradient=True))

    assert score.value == pytest.approx(value, rel=1e-13)
    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient == pytest.approx(np.array(gradient), rel=1e-12)


@given(cases())
def test_a_class_costs_what_60_digits_say(case: Case) -> None:
    z, labels, asked = case
    score = of(z, labels, asked)

    found = draw.detail(score, "kl_per_class")
    assert isinstance(found, list)
    corners = centroids(len(found), asked)
    for c, kl in enumerate(found):
        expected = oracle.gaussian_kl(
            z[labels == c].tolist(),
            corners[c].tolist(),
            asked.sigma,
            asked.ddof,
            full=asked.covariance == "full",
        )
        assert kl == pytest.approx(float(expected), rel=1e-11)
    assert score.value == pytest.approx(math.fsum(found), rel=1e-14)
    assert draw.number(score, "loss_mean") == pytest.approx(score.value / len(found), rel=1e-14)


@pytest.mark.parametrize("spread", [1e-12, 1e-8, 1e-3, 1e3, 1e9])
@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_a_spread_of_any_size_keeps_its_digits(spread: float, covariance: Covariance) -> None:
    z: Array = spread * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5], [0.25, -1.0]])
    asked = GccsOptions(mu=1e-3, sigma=1.0, covariance=covariance)

    score = of(z, np.zeros(4, np.int64), asked)

    full = covariance == "full"
    expected = oracle.gaussian_kl(z.tolist(), [1e-3, 0.0], 1.0, 1, full=full)
    assert score.value == pytest.approx(float(expected), rel=1e-13)


@settings(max_examples=8)
@given(cases())
def test_the_gradient_is_the_slope_of_the_value(case: Case) -> None:
    z, labels, asked = case
    options = Options(gradient=True, base="2")

    score = gccs(z, labels, None, asked, options)

    slope = draw.slope(lambda x: gccs(x, labels, None, asked, options).value, z)
    assert draw.agrees(score.gradient, slope)
    assert not draw.has_negative_zero(score)


@given(cases(), st.floats(0.1, 3.0))
def test_the_scale_of_everything_does_not_matter(case: Case, scale: float) -> None:
    z, labels, asked = case
    wider = GccsOptions(
        asked.mu * scale, asked.sigma * scale, asked.layout, asked.covariance, asked.ddof
    )

    scaled: Array = z * scale

    assert of(scaled, labels, wider).value == pytest.approx(of(z, labels, asked).value, rel=1e-10)


@given(cases())
def test_the_diagonal_of_a_covariance_costs_less_than_all_of_it(case: Case) -> None:
    z, labels, asked = case
    diagonal = GccsOptions(asked.mu, asked.sigma, asked.layout, "diag", asked.ddof)
    full = GccsOptions(asked.mu, asked.sigma, asked.layout, "full", asked.ddof)

    assert 0 <= of(z, labels, diagonal).value <= of(z, labels, full).value * (1 + 1e-12)


@pytest.mark.parametrize("k", [2, 3, 4, 9])
@pytest.mark.parametrize("layout", ["standard", "regular_k_minus_1"])
def test_corners_are_equally_far_from_each_other_and_from_their_centre(
    k: int, layout: Layout
) -> None:
    corners = centroids(k, GccsOptions(mu=3.0, sigma=1.0, layout=layout))

    gaps = np.linalg.norm(corners[:, None] - corners[None], axis=2)[~np.eye(k, dtype=np.bool_)]
    assert gaps == pytest.approx(math.sqrt(2) * 3.0, rel=1e-14)
    norms = np.linalg.norm(corners - corners.mean(axis=0), axis=1)
    assert norms == pytest.approx(3.0 * math.sqrt(1 - 1 / k), rel=1e-14)


@given(cases())
def test_decisions_are_of_the_nearest_corner(case: Case) -> None:
    z, labels, asked = case
    score = of(z, labels, asked)
    corners = centroids(int(labels.max()) + 1, asked)

    squares = ((z[:, None] - corners[None]) ** 2).sum(axis=2)
    assert draw.array(score, "predictions").tolist() == squares.argmin(axis=1).tolist()
    assert draw.number(score, "accuracy") == float((squares.argmin(axis=1) == labels).mean())
    weights = np.exp(-0.5 * (squares - squares.min(axis=1, keepdims=True)) / asked.sigma**2)
    assert draw.array(score, "posteriors") == pytest.approx(
        weights / weights.sum(axis=1, keepdims=True), rel=1e-10, abs=1e-13
    )
    if corners.shape[0] > 1:
        ordered = np.sort(squares, axis=1)
        margins = (ordered[:, 1] - ordered[:, 0]) / (2 * asked.mu * math.sqrt(2))
        assert draw.array(score, "margins") == pytest.approx(margins, rel=1e-9, abs=1e-12)


def test_the_margin_is_the_distance_to_the_boundary() -> None:
    score = of(LATENTS, LABELS)

    first = draw.array(score, "margins")[0]
    assert first == pytest.approx((2.1 - 0.2) / math.sqrt(2), rel=1e-14)


def test_a_moved_latent_within_its_margin_keeps_its_class() -> None:
    margin = draw.array(of(LATENTS, LABELS), "margins")[0]
    step = np.array([-1.0, 1.0]) / math.sqrt(2)
    moved = LATENTS.copy()

    moved[0] = LATENTS[0] + 0.999 * margin * step
    assert draw.array(of(moved, LABELS), "predictions")[0] == 0
    moved[0] = LATENTS[0] + 1.001 * margin * step
    assert draw.array(of(moved, LABELS), "predictions")[0] == 1


def test_one_class_has_no_boundary() -> None:
    score = of(np.array([[1.0], [2.0]]), np.array([0, 0]), GccsOptions(mu=1.0, sigma=1.0))

    assert draw.array(score, "margins").tolist() == [0.0, 0.0]
    assert draw.reason(score, "separation.ratio") == "one_class"
    assert draw.reason(score, "log10_ideal_error") == "negative_infinity"


def test_an_absent_class_is_null_and_not_in_the_mean() -> None:
    score = of(LATENTS[:3], LABELS[:3])

    found = draw.detail(score, "kl_per_class")
    assert found == [score.value, None]
    assert draw.reason(score, "kl_per_class") == "absent"
    assert draw.number(score, "loss_mean") == score.value
    assert draw.reason(score, "separation.min_centroid_distance") == "one_class"


@pytest.mark.parametrize("column", [0.1, 0.3, 1e9 + 0.1])
@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_latents_without_spread_are_infinitely_far(column: float, covariance: Covariance) -> None:
    z = np.stack([[0.5, 1.5, -0.25], np.full(3, column)], axis=1)
    asked = GccsOptions(mu=1.0, sigma=1.0, covariance=covariance)

    score = gccs(z, np.zeros(3, np.int64), None, asked, Options(gradient=True))

    assert (score.value, score.reason) == (math.inf, "positive_infinity")
    assert draw.reason(score, "loss_mean") == "positive_infinity"
    assert isinstance(score.gradient, np.ndarray)
    assert np.isnan(score.gradient).all()


def test_latents_on_a_line_have_no_full_covariance() -> None:
    along = np.array([0.1, 0.7, 1.9, 2.3])
    z = np.stack([along, 3 * along], axis=1)
    asked = GccsOptions(mu=1.0, sigma=1.0, covariance="full")

    assert of(z, np.zeros(4, np.int64), asked).value == math.inf
    assert of(z, np.zeros(4, np.int64), GccsOptions(1.0, 1.0)).status == "finite"


def test_points_that_do_not_spread_at_all_have_no_separation() -> None:
    z = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    score = of(z, np.array([0, 0, 1, 1]))

    assert draw.reason(score, "separation.ratio") == "no_spread"
    assert draw.number(score, "separation.min_centroid_distance") == math.sqrt(2)


def test_separation_is_distance_over_spread() -> None:
    score = of(LATENTS, LABELS)

    one, other = LATENTS[:3], LATENTS[3:]
    trace = (np.var(one, axis=0, ddof=1).sum() + np.var(other, axis=0, ddof=1).sum()) / 2
    gap = float(np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)))
    assert draw.number(score, "separation.intra_class_trace") == pytest.approx(trace, rel=1e-14)
    assert draw.number(score, "separation.min_centroid_distance") == pytest.approx(gap, rel=1e-14)
    assert draw.number(score, "separation.ratio") == pytest.approx(
        gap / math.sqrt(trace), rel=1e-14
    )


def test_the_ideal_accuracy_of_targets_70_deviations_out_needs_logarithms() -> None:
    score = of(LATENTS, LABELS, GccsOptions(mu=70.0, sigma=1.0))

    assert draw.number(score, "ideal_accuracy") == 1.0
    assert round(draw.number(score, "log10_ideal_error"), 1) == -534.1
    assert draw.number(score, "pairwise_distance") == 70 * math.sqrt(2)


def test_an_attack_by_hand() -> None:
    # right → right, right → wrong, right → wrong, wrong → right, wrong → wrong
    clean = np.array([[2.0, 0.0], [2.0, 1.0], [0.0, 2.0], [2.0, 1.0], [2.0, 1.0]])
    attacked = np.array([[2.0, 0.0], [2.0, 4.0], [3.0, 2.0], [2.0, 5.0], [2.0, 0.0]])
    score = gccs(clean, np.array([0, 0, 1, 1, 1]), attacked, STANDARD, PLAIN)

    assert draw.number(score, "robustness.clean_accuracy") == 3 / 5
    assert draw.number(score, "robustness.adversarial_accuracy") == 2 / 5
    assert draw.number(score, "robustness.robust_accuracy") == 1 / 5
    assert draw.number(score, "robustness.attack_success_rate") == 2 / 3
    assert draw.number(score, "robustness.mean_shift") == (0 + 3 + 3 + 4 + 1) / 5


def test_an_attack_on_what_was_never_right_has_no_rate() -> None:
    score = gccs(LATENTS, 1 - LABELS, LATENTS, STANDARD, PLAIN)

    assert draw.number(score, "robustness.clean_accuracy") == 0.0
    assert draw.reason(score, "robustness.attack_success_rate") == "none_correct"


def test_without_an_attack_there_is_no_robustness() -> None:
    assert draw.reason(of(LATENTS, LABELS), "robustness") == "no_adversarial_latents"


@pytest.mark.parametrize(("covariance", "least"), [("diag", "needs 2"), ("full", "needs 3")])
def test_a_class_with_too_few_latents_is_refused(covariance: Covariance, least: str) -> None:
    asked = GccsOptions(mu=1.0, sigma=1.0, covariance=covariance)
    few = 1 if covariance == "diag" else 2
    with draw.refused("/y_true", least):
        of(LATENTS[: 3 + few], LABELS[: 3 + few], asked)


def test_a_label_of_no_corner_is_refused() -> None:
    with draw.refused("/y_true/5", "not among 0..1"):
        of(LATENTS, np.array([0, 0, 0, 1, 1, 2]))


def test_labels_of_other_latents_are_refused() -> None:
    with draw.refused("/y_true", "6 rows but latents has 5"):
        of(LATENTS[:5], LABELS)


def test_a_flat_list_of_latents_is_refused() -> None:
    with draw.refused("/latents", "[n][d] is expected"):
        of(LATENTS[0], LABELS[:2])


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e61])
def test_a_coordinate_is_a_finite_number_of_a_sensible_size(bad: float) -> None:
    z = LATENTS.copy()
    z[2, 1] = bad
    with draw.refused("/latents/2/1"):
        of(z, LABELS)


def test_attacked_latents_of_another_shape_are_refused() -> None:
    with draw.refused("/adversarial_latents", "[5][2]"):
        gccs(LATENTS, LABELS, LATENTS[:5], STANDARD, PLAIN)


@pytest.mark.parametrize("bad", [0.0, -1.0, 1e200, 1e-200, math.nan])
def test_impossible_targets_are_refused(bad: float) -> None:
    with draw.refused("/mu"):
        of(LATENTS, LABELS, GccsOptions(mu=bad, sigma=1.0))
    with draw.refused("/sigma"):
        of(LATENTS, LABELS, GccsOptions(mu=1.0, sigma=bad))


def test_latents_have_no_weights() -> None:
    with draw.refused("/sample_weight"):
        gccs(LATENTS, LABELS, None, STANDARD, Options(sample_weight=np.ones(6)))
