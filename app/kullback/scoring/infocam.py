"""infoCAM: where in an image the information about its label lies."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices, Undefined
from kullback.scoring.arrays import shown
from kullback.scoring.arrays import weights as checked_weights
from kullback.scoring.labels import Labels, class_indices, row_count
from kullback.scoring.magnitudes import moderate
from kullback.scoring.options import Options
from kullback.scoring.refusals import refuse
from kullback.scoring.regions import Region, largest_region, overlap, resized
from kullback.scoring.score import Context, Losses, Score, reduce_rows, score_rows

Mode = Literal["mean_others", "argmin", "pair", "cam"]
_NOISE = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class InfocamOptions:
    """What infoCAM can be asked beside Options."""

    mode: Mode = "mean_others"
    target: Labels | None = None
    reference: int | None = None
    window: int | None = None
    threshold: float = 0.2
    upsample_to: tuple[int, int] | None = None
    truth_box: Array | None = None


@dataclass(frozen=True, slots=True)
class _Located:
    """What was found in one image."""

    map: Array
    region: Region | None
    value: float
    iou: float | Undefined


def infocam(
    features: Array,
    class_weights: Array,
    bias: Array | None,
    settings: InfocamOptions,
    options: Options,
) -> Score:
    """Where in an image the information about its label lies.

        M_k = Σ_c W_kc F_c,  z_k = b_k + mean M_k
        D = M_y − mean of the other M_k (mean_others), − M of the least z (argmin), − M_reference
            (pair), or M_y itself (cam)
        box of the largest 8-connected part where (D − min D)/(max D − min D) > threshold

    Args:
        features: F of the last convolution, shape (c, h, w), or (n, c, h, w) for a batch.
        class_weights: W, shape (k, c).
        bias: b, shape (k,), or None.
        settings: mode, target class (the arg max of z where None), a window whose sums smooth D,
            the threshold, a size to scale D up to, and a true box [x0, y0, x1, y1).
        options: see Options; the gradient is with respect to features, at the box found.

    Returns:
        Σ D inside the box / (h·w): the information difference that the box carries, nats. An
        image whose D is flat has no box: `degenerate`, and its value is undefined (`no_region`).
        For a batch the value is the mean over images and each detail a list of n.

    Raises:
        InvalidInput: channels or classes do not match, or an option is impossible.

    Source: Qin, Kim & Gedeon, arXiv:1911.10688 (2019), §4.
    """
    batch, single = _batch(features)
    n, c, h, w = batch.shape
    k = _check_weights(class_weights, c)
    offset = np.zeros(k) if bias is None else bias
    if offset.shape != (k,):
        raise InvalidInput.at(f"bias has shape {shown(offset)}; [{k}] is expected", "bias")
    moderate("bias", offset)
    options = replace(
        options, sample_weight=checked_weights("sample_weight", options.sample_weight, n)
    )
    _check_options(settings, k)
    pooled = batch.reshape(n, c, h * w).mean(axis=2)
    z = pooled @ class_weights.T + offset
    target = _targets(settings.target, z)
    direction = _directions(class_weights, z, target, settings)
    truth = _truth(settings.truth_box, n, single=single)
    maps = np.matmul(direction[:, None, :], batch.reshape(n, c, h * w)).reshape(n, h, w) + 0.0
    noise = _rounding(batch, direction)
    located = [
        _locate(maps[i], settings, noise[i], None if truth is None else truth[i]) for i in range(n)
    ]
    values = np.array([item.value for item in located])
    flat = np.array([item.region is None for item in located])
    gradient = _gradient(located, direction, (h, w), settings) if options.gradient else None
    rows = Losses(values, None, flat, None, gradient)
    reduced = reduce_rows(rows, options.sample_weight)
    if reduced.reason is Reason.EMPTY:
        reduced = replace(reduced, reason=Reason.NO_REGION)
    details = _details(located, z, target, options, single=single)
    context = Context(
        "infocam",
        options,
        conventions={
            "mode": settings.mode,
            "threshold": settings.threshold,
            "window": settings.window,
        },
        single=single,
    )
    return score_rows(rows, details, context, reduced)


def _batch(features: Array) -> tuple[Array, bool]:
    if features.ndim not in (3, 4) or features.size == 0:
        detail = f"features has shape {shown(features)}; [c][h][w] or [n][c][h][w] is expected"
        raise InvalidInput.at(detail, "features")
    moderate("features", features)
    single = features.ndim == 3
    return features[None] if single else features, single


def _check_weights(class_weights: Array, channels: int) -> int:
    if class_weights.ndim != 2 or class_weights.shape[1] != channels:
        detail = f"weights has shape {shown(class_weights)}; [k][{channels}] is expected"
        raise InvalidInput.at(detail, "weights")
    if class_weights.size == 0:
        raise InvalidInput.at("weights is empty", "weights")
    moderate("weights", class_weights)
    return int(class_weights.shape[0])


def _check_options(settings: InfocamOptions, k: int) -> None:
    if settings.mode == "pair" and settings.reference is None:
        raise InvalidInput.at("mode pair needs a reference class", "reference")
    if settings.reference is not None and not 0 <= settings.reference < k:
        raise InvalidInput.at(f"the class is not among 0..{k - 1}", "reference")
    if settings.mode in ("mean_others", "argmin") and k < 2:
        raise InvalidInput.at(f"mode {settings.mode} needs two classes", "weights")


def _targets(target: Labels | None, z: Array) -> Indices:
    if target is None:
        likeliest: Indices = z.argmax(axis=1)
        return likeliest
    if row_count(target) != z.shape[0]:
        detail = f"{row_count(target)} targets for {z.shape[0]} images"
        raise InvalidInput.at(detail, "target")
    return class_indices("target", target, None, z.shape[1])


def _directions(class_weights: Array, z: Array, target: Indices, settings: InfocamOptions) -> Array:
    """The weights whose map is D, by linearity: one row per image."""
    direction: Array = class_weights[target]
    if settings.mode == "pair":
        direction = direction - class_weights[settings.reference]
    elif settings.mode == "argmin":
        direction = direction - class_weights[z.argmin(axis=1)]
    elif settings.mode == "mean_others":  # differences first: those of equal classes are exactly 0
        classes, place = np.unique(target, return_inverse=True)
        sums = [(class_weights[y] - class_weights).sum(axis=0) for y in classes.tolist()]
        direction = (np.stack(sums) / (class_weights.shape[0] - 1))[place]
    return direction


def _truth(truth_box: Array | None, n: int, *, single: bool) -> Array | None:
    if truth_box is None:
        return None
    boxes = truth_box[None] if single and truth_box.ndim == 1 else truth_box
    if boxes.shape != (n, 4):
        wanted = "[4]" if single else f"[{n}][4]"
        detail = f"truth_box has shape {shown(truth_box)}; {wanted} is expected"
        raise InvalidInput.at(detail, "truth_box")
    moderate("truth_box", truth_box)
    empty = ~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
    refuse("truth_box", empty, lambda _: "the box is empty: [x0, y0, x1, y1)", single=single)
    return boxes


def _rounding(batch: Array, direction: Array) -> list[float]:
    """What rounding may add to each D: equal columns of F give D that differ by so much."""
    flat = batch.reshape(batch.shape[0], -1)
    largest = np.maximum(flat.max(axis=1), -flat.min(axis=1))
    noise: list[float] = (_NOISE * np.abs(direction).sum(axis=1) * largest).tolist()
    return noise


def _locate(
    difference: Array, settings: InfocamOptions, noise: float, truth: Array | None
) -> _Located:
    smooth = difference if settings.window is None else _window_sums(difference, settings.window)
    scale = 1.0
    if settings.upsample_to is not None:
        height, width = settings.upsample_to
        scale = smooth.size / (height * width)
        smooth = resized(smooth, height, width)
    mask = _mask(smooth, settings.threshold, noise * (settings.window or 1) ** 2)
    region = None if mask is None else largest_region(mask)
    if region is None:
        return _Located(smooth, None, 0.0, Undefined(Reason.NO_REGION))
    x0, y0, x1, y1 = region.box
    value = float(smooth[y0:y1, x0:x1].sum()) * scale / difference.size
    box = np.array(region.box, dtype=np.float64)
    iou = Undefined(Reason.NO_TRUTH_BOX) if truth is None else overlap(box, truth)
    return _Located(smooth, region, value, iou)


def _mask(smooth: Array, threshold: float, noise: float) -> Flags | None:
    """Where the normalized map is above the threshold; None where it is flat."""
    low, high = float(smooth.min()), float(smooth.max())
    if high - low <= noise:
        return None
    mask: Flags = (smooth - low) / (high - low) > threshold
    return mask


def _window_sums(image: Array, size: int) -> Array:
    """Sums over size × size windows, zeros around: (h, w) → (h + size − 1, w + size − 1)."""
    down = _running_sums(np.pad(image, ((size - 1, size - 1), (0, 0))), size)
    return _running_sums(np.pad(down, ((0, 0), (size - 1, size - 1))).T, size).T


def _running_sums(image: Array, size: int) -> Array:
    """Sums over `size` consecutive rows, by doubling: few additions and no differences."""
    count = image.shape[0] - size + 1
    sums: Array = np.zeros((count, image.shape[1]))
    start, span, doubled = 0, 1, image
    while start < size:
        if size & span:
            sums += doubled[start : start + count]
            start += span
        doubled = doubled[:-span] + doubled[span:]
        span *= 2
    return sums


def _gradient(
    located: list[_Located], direction: Array, shape: tuple[int, int], settings: InfocamOptions
) -> Array | None:
    """∂value/∂F_c = direction_c / (h·w) inside the box; of the plain map only."""
    if settings.window is not None or settings.upsample_to is not None:
        detail = "the gradient is that of the plain map: leave window and upsample_to out"
        raise InvalidInput.at(detail, "gradient")
    h, w = shape
    inside = np.zeros((len(located), 1, h, w))
    for i, item in enumerate(located):
        if item.region is not None:
            x0, y0, x1, y1 = item.region.box
            inside[i, 0, y0:y1, x0:x1] = 1.0 / (h * w)
    gradient: Array = direction[:, :, None, None] * inside
    return gradient


def _details(
    located: list[_Located], z: Array, target: Indices, options: Options, *, single: bool
) -> dict[str, object]:
    k = z.shape[1]
    information = (log_softmax(z) + math.log(k)) / options.nats
    columns: dict[str, list[object]] = {
        "map": [item.map for item in located],
        "box": [_box(item.region) for item in located],
        "area": [0 if item.region is None else item.region.area for item in located],
        "components": [0 if item.region is None else item.region.components for item in located],
        "degenerate": [item.region is None for item in located],
        "logits": list(z + 0.0),
        "target": target.tolist(),
        "iou": [item.iou for item in located],
        "pointwise_information": list(information + 0.0),
    }
    return {name: column[0] if single else column for name, column in columns.items()}


def _box(region: Region | None) -> list[int] | Undefined:
    return Undefined(Reason.NO_REGION) if region is None else list(region.box)
