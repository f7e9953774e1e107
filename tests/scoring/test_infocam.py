"""infoCAM: the map, its box, and the information that the box carries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from kullback.numerics.types import Array
from kullback.scoring.infocam import InfocamOptions, Mode, infocam
from kullback.scoring.options import Options
from kullback.scoring.score import Score
from tests.scoring import strategies as draw

PLAIN = Options()
ALL = InfocamOptions()
MODES: tuple[Mode, ...] = ("mean_others", "argmin", "pair", "cam")
Case = tuple[Array, Array, Array]


def asked(mode: Mode) -> InfocamOptions:
    return InfocamOptions(mode=mode, reference=0 if mode == "pair" else None)


@st.composite
def cases(pick: st.DrawFn) -> Case:
    """Features (n, c, h, w), weights (k, c) and a bias (k,)."""
    n, c, k = pick(st.integers(1, 3)), pick(st.integers(1, 3)), pick(st.integers(2, 5))
    h, w = pick(st.integers(1, 4)), pick(st.integers(1, 4))
    rng = np.random.default_rng(pick(st.integers(0, 2**32 - 1)))
    features = rng.normal(size=(n, c, h, w))
    return features, rng.normal(size=(k, c)), rng.normal(size=k)


def test_two_classes_by_hand() -> None:
    # one channel that is class 1: D = 2F, of which the bright corner passes 0.2·6
    features = np.array([[[3.0, 0.0, 0.0], [0.0, 0.0, 0.5]]])
    score = infocam(features, np.array([[-1.0], [1.0]]), None, ALL, PLAIN)

    assert draw.array(score, "map").tolist() == [[6.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert draw.detail(score, "box") == [0, 0, 1, 1]
    assert (draw.detail(score, "area"), draw.detail(score, "components")) == (1, 1)
    assert score.value == 1.0
    assert draw.detail(score, "target") == 1
    assert draw.array(score, "logits") == pytest.approx(np.array([-3.5, 3.5]) / 6)
    assert draw.array(score, "pointwise_information")[1] == pytest.approx(
        math.log(2) - math.log1p(math.exp(-7 / 6)), rel=1e-14
    )


@pytest.mark.parametrize("mode", MODES)
@given(case=cases())
def test_the_map_and_its_box_follow_the_definition(mode: Mode, case: Case) -> None:
    features, weights, bias = case
    score = infocam(features, weights, bias, asked(mode), Options(per_row=True))

    maps = np.einsum("kc,nchw->nkhw", weights, features)
    logits = maps.mean(axis=(2, 3)) + bias
    for i, (m, z) in enumerate(zip(maps, logits, strict=True)):
        y = int(z.argmax())
        others = [k for k in range(z.size) if k != y]
        differences = {
            "mean_others": m[y] - m[others].mean(axis=0),
            "argmin": m[y] - m[z.argmin()],
            "pair": m[y] - m[0],
            "cam": m[y],
        }
        expected = differences[mode]
        assert item(score, "map", i) == pytest.approx(expected, rel=1e-11, abs=1e-13)
        assert item(score, "target", i) == y
        check_box(score, i)


def item(score: Score, name: str, i: int) -> object:
    found = draw.detail(score, name)
    assert isinstance(found, list)
    return found[i]


def check_box(score: Score, i: int) -> None:
    """The box is that of the largest part by scipy, and the value what it holds."""
    found = item(score, "map", i)
    assert isinstance(found, np.ndarray)
    assert score.per_row is not None
    if np.ptp(found) < 1e-14:
        assert (item(score, "degenerate", i), item(score, "box", i)) == (True, None)
        return
    labels, parts = ndimage.label(
        (found - found.min()) / np.ptp(found) > 0.2, np.ones((3, 3), np.int64)
    )
    areas = np.bincount(labels.reshape(-1))[1:]
    rows, columns = ndimage.find_objects(labels)[int(areas.argmax())]
    assert item(score, "box", i) == [columns.start, rows.start, columns.stop, rows.stop]
    assert (item(score, "area", i), item(score, "components", i)) == (areas.max(), parts)
    inside = float(found[rows, columns].sum()) / found.size
    assert score.per_row[i] == pytest.approx(inside, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("mode", MODES)
@given(case=cases())
def test_a_batch_is_a_list_of_its_images(mode: Mode, case: Case) -> None:
    features, weights, bias = case
    batch = infocam(features, weights, bias, asked(mode), Options(per_row=True))

    assert batch.per_row is not None
    for i, image in enumerate(features):
        single = infocam(image, weights, bias, asked(mode), PLAIN)
        for name in ("box", "area", "components", "degenerate", "target"):
            assert item(batch, name, i) == draw.detail(single, name)
        assert item(batch, "map", i) == pytest.approx(
            draw.array(single, "map"), rel=1e-12, abs=1e-13
        )
        if single.status == "finite":
            assert batch.per_row[i] == pytest.approx(single.value, rel=1e-11, abs=1e-14)


@given(cases())
def test_the_whole_map_is_the_difference_of_logits_but_for_their_bias(case: Case) -> None:
    features, weights, bias = case
    score = infocam(features[0], weights, bias, asked("pair"), PLAIN)

    y = draw.detail(score, "target")
    assert isinstance(y, int)
    logits = draw.array(score, "logits")
    expected = logits[y] - logits[0] - (bias[y] - bias[0])
    assert draw.array(score, "map").mean() == pytest.approx(expected, rel=1e-10, abs=1e-12)


@given(cases())
def test_with_two_classes_every_difference_is_the_same(case: Case) -> None:
    features, weights, bias = case
    one = infocam(features[0], weights[:2], bias[:2], ALL, PLAIN)
    other = infocam(features[0], weights[:2], bias[:2], asked("argmin"), PLAIN)

    assert draw.array(one, "map").tolist() == draw.array(other, "map").tolist()


@pytest.mark.parametrize("mode", MODES)
@given(case=cases())
def test_the_gradient_is_the_slope_of_the_value(mode: Mode, case: Case) -> None:
    features, weights, bias = case
    first = infocam(features, weights, bias, asked(mode), Options(gradient=True, base="2"))
    z = np.array(draw.detail(first, "logits"))
    target = z.argmax(axis=1)
    fixed = InfocamOptions(mode="pair", reference=0, target=target)
    if mode in ("argmin", "mean_others"):
        fixed = InfocamOptions(mode="cam", target=target)

    score = infocam(features, weights, bias, fixed, Options(gradient=True, base="2"))
    if score.status != "finite":
        return

    def value(x: Array) -> float:
        return infocam(x, weights, bias, fixed, Options(base="2")).value

    assert draw.agrees(score.gradient, draw.slope(value, features, 1e-7))
    assert not draw.has_negative_zero(score)


def test_the_gradient_of_one_image_has_its_shape() -> None:
    features = np.random.default_rng(0).normal(size=(2, 2, 3))
    score = infocam(features, np.eye(2), None, ALL, Options(gradient=True))

    assert isinstance(score.gradient, np.ndarray)
    assert score.gradient.shape == features.shape


@pytest.mark.parametrize("window", [1, 2, 3, 4, 7])
def test_a_window_sums_what_it_covers(window: int) -> None:
    image = np.random.default_rng(1).normal(size=(5, 6))
    score = infocam(
        image[None],
        np.array([[0.0], [1.0]]),
        None,
        InfocamOptions(mode="cam", window=window),
        PLAIN,
    )

    sign = 1.0 if image.mean() > 0 else 0.0
    expected = sign * signal.convolve2d(image, np.ones((window, window)))
    assert draw.array(score, "map").shape == (5 + window - 1, 6 + window - 1)
    assert draw.array(score, "map") == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(("window", "size"), [(3, (7, 8)), (4, (8, 9))])
def test_the_windows_of_the_paper_widen_the_map(window: int, size: tuple[int, int]) -> None:
    features = np.arange(30.0).reshape(1, 5, 6)
    score = infocam(features, np.array([[0.0], [1.0]]), None, InfocamOptions(window=window), PLAIN)

    assert draw.array(score, "map").shape == size


def test_a_larger_map_carries_as_much() -> None:
    features = np.arange(12.0).reshape(1, 3, 4)
    weights = np.array([[0.0], [1.0]])
    every = InfocamOptions(mode="cam", threshold=0.0, upsample_to=(30, 40))

    plain = infocam(features, weights, None, InfocamOptions(mode="cam", threshold=0.0), PLAIN)
    large = infocam(features, weights, None, every, PLAIN)

    assert draw.array(large, "map").shape == (30, 40)
    assert large.value == pytest.approx(plain.value, rel=0.02)


def test_a_threshold_is_strict() -> None:
    features = np.array([[[0.0, 0.5, 1.0]]])
    weights = np.array([[0.0], [1.0]])
    half = InfocamOptions(mode="cam", threshold=0.5)

    assert draw.detail(infocam(features, weights, None, half, PLAIN), "box") == [2, 0, 3, 1]


def test_the_box_meets_the_truth() -> None:
    features = np.zeros((1, 4, 4))
    features[0, :2, :2] = 1.0
    truth = InfocamOptions(truth_box=np.array([1.0, 0.0, 3.0, 2.0]))
    apart = InfocamOptions(truth_box=np.array([2.0, 2.0, 4.0, 4.0]))
    weights = np.array([[0.0], [1.0]])

    assert draw.number(infocam(features, weights, None, truth, PLAIN), "iou") == 2 / 6
    assert draw.number(infocam(features, weights, None, apart, PLAIN), "iou") == 0.0
    nothing = infocam(features, weights, None, ALL, PLAIN)
    assert draw.reason(nothing, "iou") == "no_truth_box"


def test_a_batch_has_a_true_box_for_each() -> None:
    features = np.zeros((2, 1, 2, 2))
    features[0, 0, 0, 0] = features[1, 0, 1, 1] = 1.0
    truth = InfocamOptions(truth_box=np.array([[0.0, 0, 1, 1], [0.0, 0, 1, 1]]))

    score = infocam(features, np.array([[0.0], [1.0]]), None, truth, PLAIN)

    assert draw.detail(score, "iou") == [1.0, 0.0]


def test_a_flat_map_has_no_box_and_no_value() -> None:
    truth = InfocamOptions(truth_box=np.array([0.0, 0.0, 1.0, 1.0]))
    score = infocam(
        np.ones((1, 2, 2)), np.array([[0.0], [1.0]]), None, truth, Options(gradient=True)
    )

    assert (score.status, score.reason) == ("undefined", "no_region")
    assert draw.detail(score, "degenerate") is True
    assert draw.reason(score, "box") == "no_region"
    assert draw.reason(score, "iou") == "no_region"
    assert (draw.detail(score, "area"), draw.detail(score, "components")) == (0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_equal_features_are_flat_whatever_the_rounding(mode: Mode) -> None:
    rng = np.random.default_rng(4)
    for c in (3, 50, 512):
        features = np.broadcast_to(rng.normal(size=(4, c, 1, 1)), (4, c, 7, 9)).copy()
        score = infocam(features, rng.normal(size=(6, c)), None, asked(mode), PLAIN)

        assert draw.detail(score, "degenerate") == [True] * 4


def test_equal_classes_do_not_differ_anywhere() -> None:
    rng = np.random.default_rng(4)
    weights = np.tile(rng.normal(size=(1, 30)), (7, 1))
    score = infocam(rng.normal(size=(30, 4, 4)), weights, None, ALL, PLAIN)

    assert draw.detail(score, "degenerate") is True
    assert (draw.array(score, "map") == 0).all()


def test_a_flat_image_does_not_count_among_others() -> None:
    features = np.zeros((2, 1, 1, 2))
    features[0] = [[[0.0, 1.0]]]
    score = infocam(features, np.array([[0.0], [1.0]]), None, ALL, Options(gradient=True))

    assert (score.value, score.n) == (0.5, 1)
    assert isinstance(score.gradient, np.ndarray)
    assert (score.gradient[1] == 0).all()


def test_images_without_weight_have_no_value() -> None:
    options = Options(sample_weight=np.zeros(1))
    features = np.array([[[0.0, 1.0]]])

    assert infocam(features, np.array([[0.0], [1.0]]), None, ALL, options).reason == "zero_weight"


def test_least_likely_is_the_last_of_few_classes() -> None:
    features = np.array([[[2.0, 1.0]]])
    score = infocam(features, np.array([[1.0], [-1.0], [3.0]]), None, asked("argmin"), PLAIN)

    assert draw.array(score, "map").tolist() == [[8.0, 4.0]]


def test_one_channel_is_its_class_map() -> None:
    score = infocam(np.array([[[0.0, 2.0]]]), np.array([[1.0]]), None, asked("cam"), PLAIN)

    assert draw.array(score, "map").tolist() == [[0.0, 2.0]]


def test_no_answer_holds_a_negative_zero() -> None:
    features = np.array([[[0.0, 1.0], [-0.0, 0.0]]])
    bias = np.array([-0.0, -0.0])
    options = Options(gradient=True, per_row=True)
    score = infocam(features, np.array([[-1.0], [-2.0]]), bias, asked("cam"), options)

    assert not draw.has_negative_zero(score)


FEATURES, WEIGHTS = np.arange(12.0).reshape(2, 2, 3), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_features_of_other_channels_are_refused() -> None:
    with draw.refused("/weights", "[k][2] is expected"):
        infocam(FEATURES, np.ones((3, 4)), None, ALL, PLAIN)


def test_no_classes_are_refused() -> None:
    with draw.refused("/weights", "empty"):
        infocam(FEATURES, np.ones((0, 2)), None, ALL, PLAIN)


def test_a_bias_of_other_classes_is_refused() -> None:
    with draw.refused("/bias", "[3] is expected"):
        infocam(FEATURES, WEIGHTS, np.ones(2), ALL, PLAIN)


def test_features_without_channels_are_refused() -> None:
    with draw.refused("/features", "is expected"):
        infocam(FEATURES[0], WEIGHTS, None, ALL, PLAIN)
    with draw.refused("/features"):
        infocam(np.empty((2, 0, 3)), WEIGHTS, None, ALL, PLAIN)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1e61])
def test_what_is_no_finite_number_of_a_sensible_size_is_refused(bad: float) -> None:
    features, weights = FEATURES.copy(), WEIGHTS.copy()
    features[1, 0, 2] = weights[2, 1] = bad
    with draw.refused("/features/1/0/2"):
        infocam(features, WEIGHTS, None, ALL, PLAIN)
    with draw.refused("/weights/2/1"):
        infocam(FEATURES, weights, None, ALL, PLAIN)
    with draw.refused("/bias/1"):
        infocam(FEATURES, WEIGHTS, np.array([0.0, bad, 0.0]), ALL, PLAIN)


@pytest.mark.parametrize("mode", ["mean_others", "argmin"])
def test_a_difference_needs_two_classes(mode: Mode) -> None:
    with draw.refused("/weights", "two classes"):
        infocam(FEATURES, WEIGHTS[:1], None, InfocamOptions(mode=mode), PLAIN)


def test_a_pair_needs_its_other_class() -> None:
    with draw.refused("/reference", "needs a reference"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(mode="pair"), PLAIN)


@pytest.mark.parametrize("bad", [-1, 3])
def test_a_reference_is_a_class(bad: int) -> None:
    with draw.refused("/reference", "not among 0..2"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(mode="pair", reference=bad), PLAIN)


def test_targets_of_other_images_are_refused() -> None:
    with draw.refused("/target", "2 targets for 1 images"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(target=np.array([0, 1])), PLAIN)


def test_a_target_is_a_class() -> None:
    with draw.refused("/target/0", "not among 0..2"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(target=np.array([3])), PLAIN)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 2)])
def test_a_true_box_has_four_sides(shape: tuple[int, ...]) -> None:
    with draw.refused("/truth_box", "[4] is expected"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(truth_box=np.ones(shape)), PLAIN)


@pytest.mark.parametrize("box", [[1.0, 0.0, 1.0, 2.0], [0.0, 3.0, 1.0, 2.0]])
def test_an_empty_true_box_is_refused(box: list[float]) -> None:
    with draw.refused("/truth_box", "empty"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(truth_box=np.array(box)), PLAIN)


def test_a_true_box_is_of_finite_numbers() -> None:
    box = np.array([0.0, 0.0, math.inf, 1.0])
    with draw.refused("/truth_box/2"):
        infocam(FEATURES, WEIGHTS, None, InfocamOptions(truth_box=box), PLAIN)


@pytest.mark.parametrize("option", [InfocamOptions(window=2), InfocamOptions(upsample_to=(4, 4))])
def test_the_gradient_is_of_the_plain_map(option: InfocamOptions) -> None:
    with draw.refused("/gradient", "plain map"):
        infocam(FEATURES, WEIGHTS, None, option, Options(gradient=True))


def test_weights_of_other_images_are_refused() -> None:
    with draw.refused("/sample_weight"):
        infocam(FEATURES, WEIGHTS, None, ALL, Options(sample_weight=np.ones(2)))
