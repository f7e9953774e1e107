"""Regions of an image: the largest part, its box, overlap, and images made larger."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from kullback.numerics.types import Array, Flags
from kullback.scoring.regions import Box, largest_region, overlap, resized
from tests.scoring import strategies as draw


@st.composite
def masks(pick: st.DrawFn) -> Flags:
    """Masks from empty to full, some a checkerboard."""
    height, width = pick(st.integers(1, 7)), pick(st.integers(1, 7))
    cells = pick(draw.tables(height, width, st.integers(0, pick(st.integers(1, 4))).map(float)))
    return cells > 0


boxes = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8), st.integers(1, 8)).map(
    lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]], np.float64)
)


@given(masks())
def test_the_largest_part_is_that_of_scipy(mask: Flags) -> None:
    labels, parts = ndimage.label(mask, np.ones((3, 3)))

    region = largest_region(mask)

    if parts == 0:
        assert region is None
        return
    areas = np.bincount(labels.reshape(-1))[1:]
    best = int(areas.argmax())  # scipy numbers parts in reading order
    rows, columns = ndimage.find_objects(labels)[best]
    assert region is not None
    assert region.box == (columns.start, rows.start, columns.stop, rows.stop)
    assert (region.area, region.components) == (int(areas[best]), parts)


def box_of(*rows: str) -> Box:
    region = largest_region(np.array([[cell == "#" for cell in row] for row in rows]))
    assert region is not None
    return region.box


def test_pixels_that_touch_at_a_corner_are_one_part() -> None:
    assert box_of("#..", ".#.", "..#") == (0, 0, 3, 3)


def test_of_equal_parts_the_first_in_reading_order_is_taken() -> None:
    assert box_of("..#", "#..", "...") == (2, 0, 3, 1)


def test_a_single_pixel_is_a_part() -> None:
    assert box_of("...", ".#.", "...") == (1, 1, 2, 2)


def test_arms_that_meet_below_are_one_part() -> None:
    assert box_of("#.#.#", "#.#.#", "#####") == (0, 0, 5, 3)


def test_a_spiral_is_one_part() -> None:
    region = largest_region(
        np.array(
            [[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
            np.bool_,
        )
    )

    assert region is not None
    assert (region.area, region.components) == (17, 1)


@given(masks())
def test_a_mirror_changes_neither_area_nor_parts(mask: Flags) -> None:
    one, other = largest_region(mask), largest_region(mask[:, ::-1])

    if one is None or other is None:
        assert one is other
    else:
        assert (one.area, one.components) == (other.area, other.components)


@given(boxes, boxes)
def test_overlap_is_that_of_the_pixels(one: Array, other: Array) -> None:
    painted = np.zeros((2, 16, 16), np.bool_)
    for layer, box in zip(painted, (one, other), strict=True):
        x0, y0, x1, y1 = box.astype(np.int64).tolist()
        layer[y0:y1, x0:x1] = True

    expected = (painted[0] & painted[1]).sum() / (painted[0] | painted[1]).sum()
    assert overlap(one, other) == pytest.approx(float(expected), rel=1e-15)
    assert overlap(one, other) == overlap(other, one)


def test_boxes_apart_do_not_overlap() -> None:
    assert overlap(np.array([0.0, 0, 10, 10]), np.array([20.0, 20, 30, 30])) == 0.0


def test_boxes_that_touch_do_not_overlap() -> None:
    assert overlap(np.array([0.0, 0, 1, 1]), np.array([1.0, 0, 2, 1])) == 0.0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (
            (4, 7),
            [
                [
                    1.0,
                    1.1428571428571428,
                    1.5714285714285714,
                    2.0,
                    2.8571428571428568,
                    3.714285714285714,
                    4.0,
                ],
                [1.5, 1.5, 1.5, 1.5, 2.678571428571428, 3.8571428571428568, 4.25],
                [
                    2.5,
                    2.2142857142857144,
                    1.3571428571428572,
                    0.5,
                    2.3214285714285707,
                    4.142857142857142,
                    4.75,
                ],
                [
                    3.0,
                    2.5714285714285716,
                    1.2857142857142858,
                    0.0,
                    2.142857142857142,
                    4.285714285714286,
                    5.0,
                ],
            ],
        ),
        ((1, 2), [[1.75, 3.625]]),
        ((3, 3), [[1.0, 2.0, 4.0], [2.0, 1.0, 4.5], [3.0, 0.0, 5.0]]),
    ],
)
def test_interpolation_is_that_of_torch_2_13_0(
    size: tuple[int, int], expected: list[list[float]]
) -> None:
    image = np.array([[1.0, 2.0, 4.0], [3.0, 0.0, 5.0]])

    assert resized(image, *size) == pytest.approx(np.array(expected), rel=1e-13, abs=1e-14)


@given(draw.some_tables(draw.mild))
def test_an_image_at_its_own_size_stays_as_it_is(image: Array) -> None:
    assert resized(image, *image.shape).tolist() == image.tolist()


@given(st.floats(-9, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_flat_image_stays_exactly_flat(value: float, height: int, width: int) -> None:
    grown = resized(np.full((2, 3), value), height, width)

    assert (grown == value).all()
    assert grown.shape == (height, width)


@given(draw.some_tables(draw.mild), st.integers(1, 12), st.integers(1, 12))
def test_interpolation_stays_between_the_least_and_the_greatest(
    image: Array, height: int, width: int
) -> None:
    grown = resized(image, height, width)

    assert image.min() - 1e-14 <= grown.min()
    assert grown.max() <= image.max() + 1e-14
