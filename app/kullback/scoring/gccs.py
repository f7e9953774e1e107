"""GCCS: latents that should be Gaussians around the corners of a simplex."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax, phi
from kullback.numerics.means import share, sum_up
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.scoring.arrays import same_shape, shown
from kullback.scoring.gaussian import ideal_accuracy
from kullback.scoring.labels import Labels, hard_labels, row_count
from kullback.scoring.magnitudes import moderate, positive
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Score, conventions, diagnostics, explained

Layout = Literal["standard", "regular_k_minus_1"]
Covariance = Literal["diag", "full"]


@dataclass(frozen=True, slots=True)
class GccsOptions:
    """The targets N(μ·v_k, σ² I), and how a class's own Gaussian is estimated."""

    mu: float
    sigma: float
    layout: Layout = "standard"
    covariance: Covariance = "diag"
    ddof: int = 1


@dataclass(frozen=True, slots=True)
class _ClassFit:
    """KL of one class's Gaussian to its target, its mean and trace, and the slope of its KL."""

    kl: float
    mean: Array
    trace: float
    slope: Array


def corner(label: int, d: int, settings: GccsOptions) -> Array:
    """Where a class should be: μ·e_k of d axes, or Helmert coordinates. All √2·μ apart."""
    axis = np.arange(d)
    if settings.layout == "standard":
        return np.where(axis == label, settings.mu, 0.0)
    steps = _helmert_steps(d, settings)
    place: Array = np.where(
        label < axis + 1, steps, np.where(label == axis + 1, -label * steps, 0.0)
    )
    return place


def affinities(z: Array, settings: GccsOptions) -> Array:
    """The inner products of latents (n, d) with all corners, (n, k): in n·k steps, not n·d·k."""
    if settings.layout == "standard":
        return settings.mu * z
    n, d = z.shape
    parts = z * _helmert_steps(d, settings)
    products = np.zeros((n, d + 1))
    products[:, :-1] = np.cumsum(parts[:, ::-1], axis=1)[:, ::-1]
    products[:, 1:] -= np.arange(1, d + 1) * parts
    return products


def _helmert_steps(d: int, settings: GccsOptions) -> Array:
    j = np.arange(1, d + 1)
    steps: Array = settings.mu / np.sqrt(j * (j + 1.0))
    return steps


def gccs(
    latents: Array,
    y_true: Labels,
    adversarial_latents: Array | None,
    settings: GccsOptions,
    options: Options,
) -> Score:
    """How far each class's latents are from the Gaussian around its corner of a simplex.

        KL_k = ½ [tr S_k/σ² + ‖m_k − μ_k‖²/σ² − d + d ln σ² − ln det S_k],  value = Σ_k KL_k

    Args:
        latents: z, shape (n, d); d classes for layout standard, d + 1 for regular_k_minus_1.
        y_true: class indices (n,).
        adversarial_latents: of the same rows under attack, shape (n, d), or None.
        settings: μ and σ of the targets, the layout, the covariance and its ddof.
        options: see Options; the gradient is with respect to latents.

    Returns:
        At least 0 nats, summed over the classes present; infinite where a class has no spread.
        Decisions go to the nearest corner; `margins` are distances to the nearest boundary.

    Raises:
        InvalidInput: a shape, a label, μ or σ is impossible, or a class has too few latents.

    Source: Ali et al., arXiv:2010.15487 (2020), for the method; the formulas are those of the
        divergence of Gaussians.
    """
    positive("mu", settings.mu)
    positive("sigma", settings.sigma)
    z = _checked("latents", latents)
    n, d = z.shape
    k = d if settings.layout == "standard" else d + 1
    if row_count(y_true) != n:
        raise InvalidInput.at(f"y_true has {row_count(y_true)} rows but latents has {n}", "y_true")
    if options.sample_weight is not None:
        raise InvalidInput.at("sample_weight does not apply to gccs", "sample_weight")
    index = hard_labels("y_true", y_true, None, k, options)
    fits = {c: _fit(z[index == c], c, settings) for c in np.unique(index).tolist()}
    present = list(fits.values())
    kl_per_class: list[float | Undefined] = [Undefined(Reason.ABSENT)] * k
    for c, fit in fits.items():
        kl_per_class[c] = fit.kl / options.nats
    loss = sum_up([fit.kl for fit in present])
    decisions = _Decisions.of(z, settings)
    details: dict[str, object] = {
        "loss_mean": loss / len(present) / options.nats,
        "kl_per_class": kl_per_class,
        "predictions": decisions.nearest,
        "accuracy": share(decisions.nearest == index),
        "margins": decisions.margins + 0.0,
        "posteriors": decisions.posteriors,
        "pairwise_distance": math.sqrt(2.0) * settings.mu,
        **ideal_accuracy(k, settings.mu / settings.sigma),
        "separation": _separation(present),
        "robustness": _robustness(z, index, adversarial_latents, settings),
    }
    context = Context(
        "gccs",
        options,
        conventions={
            "layout": settings.layout,
            "covariance": settings.covariance,
            "ddof": settings.ddof,
        },
    )
    return Score(
        metric="gccs",
        value=loss / options.nats,
        reason=Reason.of_infinity(loss),
        unit=options.unit,
        n=n,
        weight=float(n),
        gradient=_gradient(z, index, fits, options) if options.gradient else None,
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(np.empty(0), context),
    )


def _checked(name: str, values: Array) -> Array:
    if values.ndim != 2 or values.size == 0:
        raise InvalidInput.at(f"{name} has shape {shown(values)}; [n][d] is expected", name)
    return moderate(name, values)


def _fit(z: Array, label: int, settings: GccsOptions) -> _ClassFit:
    n, d = z.shape
    least = max(d + 1 if settings.covariance == "full" else 2, settings.ddof + 1)
    if n < least:
        detail = f"class {label} has {n} latents; {settings.covariance} covariance needs {least}"
        raise InvalidInput.at(detail, "y_true")
    shift = (z - z[0]).mean(axis=0)  # from the first latent: equal coordinates deviate by 0
    spread = (z - z[0] - shift) / settings.sigma
    offset = (z[0] - corner(label, d, settings) + shift) / settings.sigma
    freedom = n - settings.ddof
    deviations, axes = _deviations(spread / math.sqrt(freedom), settings.covariance)
    trace = float((deviations**2).sum()) * settings.sigma**2
    if (deviations == 0).any():
        return _ClassFit(math.inf, z[0] + shift, trace, np.full_like(z, np.nan))
    kl = 0.5 * (float(_excess(deviations).sum()) + float(offset @ offset))
    with np.errstate(over="ignore", invalid="ignore"):
        pull = 1.0 - (1.0 / deviations) ** 2
        turned = spread * pull if axes is None else (spread @ axes.T) * pull @ axes
        slope = (offset / n + turned / freedom) / settings.sigma
    return _ClassFit(kl, z[0] + shift, trace, slope)


def _deviations(scaled: Array, covariance: Covariance) -> tuple[Array, Array | None]:
    """Standard deviations along the axes, in units of σ, and the axes where not the coordinates'.

    A deviation of 0, or lost in the rounding of the largest, is 0.
    """
    if covariance == "full":
        _, deviations, axes = np.linalg.svd(scaled, full_matrices=False)
        lost = deviations <= deviations[0] * max(scaled.shape) * np.finfo(np.float64).eps
        return np.where(lost, 0.0, deviations), axes
    largest = np.abs(scaled).max(axis=0)
    safe = np.where(largest > 0, largest, 1.0)  # squares of tiny deviations underflow
    lengths: Array = largest * np.sqrt(((scaled / safe) ** 2).sum(axis=0))
    return lengths, None


def _excess(s: Array) -> Array:
    """s² − 1 − ln s² ≥ 0, by φ near s = 1."""
    near = np.abs(s - 1.0) < 0.25
    rise = np.where(near, (s - 1.0) * (s + 1.0), 0.0)
    excess: Array = np.where(near, phi(rise), s * s - 1.0 - 2.0 * np.log(s))
    return excess


@dataclass(frozen=True, slots=True)
class _Decisions:
    nearest: Indices
    margins: Array
    posteriors: Array

    @classmethod
    def of(cls, z: Array, settings: GccsOptions) -> "_Decisions":
        """Nearest corners; equal norms make the distances a matter of inner products."""
        affinity = affinities(z, settings)
        nearest = affinity.argmax(axis=1)
        first = affinity[np.arange(z.shape[0]), nearest]
        runner_up = affinity.copy()
        runner_up[np.arange(z.shape[0]), nearest] = -np.inf
        margins = np.zeros(z.shape[0])
        if affinity.shape[1] > 1:
            margins = (first - runner_up.max(axis=1)) / (math.sqrt(2.0) * settings.mu)
        posteriors = np.exp(log_softmax(affinity / settings.sigma**2))
        return cls(nearest, margins, posteriors)


def _separation(present: list[_ClassFit]) -> dict[str, object]:
    """Spread within classes against the least distance between their means."""
    trace = sum_up([fit.trace for fit in present]) / len(present)
    if len(present) < 2:
        undefined = Undefined(Reason.ONE_CLASS)
        return {"intra_class_trace": trace, "min_centroid_distance": undefined, "ratio": undefined}
    means = np.stack([fit.mean for fit in present])
    squares = (((means[i + 1 :] - means[i]) ** 2).sum(axis=1).min() for i in range(len(means) - 1))
    least = math.sqrt(min(squares))
    ratio = least / math.sqrt(trace) if trace > 0 else Undefined(Reason.NO_SPREAD)
    return {"intra_class_trace": trace, "min_centroid_distance": least, "ratio": ratio}


def _robustness(z: Array, index: Indices, attacked: Array | None, settings: GccsOptions) -> object:
    if attacked is None:
        return Undefined(Reason.NO_ADVERSARIAL_LATENTS)
    moved = _checked("adversarial_latents", attacked)
    same_shape("adversarial_latents", moved, "latents", z)
    before = _Decisions.of(z, settings).nearest == index
    after = _Decisions.of(moved, settings).nearest == index
    right = int(np.count_nonzero(before))
    flipped = int(np.count_nonzero(before & ~after))
    return {
        "clean_accuracy": share(before),
        "adversarial_accuracy": share(after),
        "robust_accuracy": share(before & after),
        "attack_success_rate": flipped / right if right else Undefined(Reason.NONE_CORRECT),
        "mean_shift": float(np.sqrt(((moved - z) ** 2).sum(axis=1)).mean()),
    }


def _gradient(z: Array, index: Indices, fits: dict[int, _ClassFit], options: Options) -> Array:
    gradient: Array = np.zeros_like(z)
    for label, fit in fits.items():
        gradient[index == label] = fit.slope
    return gradient / options.nats + 0.0
