"""Losses of adversarial training: a discriminator against a generator."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import sigmoid, softplus
from kullback.numerics.means import Mean, share
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.scoring.arrays import shown
from kullback.scoring.magnitudes import moderate
from kullback.scoring.options import Options
from kullback.scoring.score import Context, Score, conventions, diagnostics, explained

GanKind = Literal[
    "minimax", "non_saturating", "hinge", "wasserstein", "least_squares", "relativistic_average"
]
_Term = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class _Game:
    """Loss and slope of each side, per entry; where real is told from fake; whether in nats.

    `bounds` says whether the losses bound a divergence, `has_labels` whether the label of a real
    sample, 1, may be smoothed.
    """

    real: tuple[_Term, _Term]
    fake: tuple[_Term, _Term]
    generator: tuple[_Term, _Term]
    boundary: float = 0.0
    in_nats: bool = False
    bounds: bool = False
    has_labels: bool = False


def _zero_or(x: Array) -> Array:
    return np.where(x > 0, 1.0, 0.0)


_REAL = (lambda r: softplus(-r), lambda r: 0.0 - sigmoid(-r))
_FAKE = (softplus, sigmoid)
_NEGATED = (lambda f: 0.0 - f, lambda f: np.full_like(f, -1.0))
_GAMES: dict[GanKind, _Game] = {
    "minimax": _Game(
        _REAL,
        _FAKE,
        (lambda f: 0.0 - softplus(f), lambda f: 0.0 - sigmoid(f)),
        in_nats=True,
        bounds=True,
        has_labels=True,
    ),
    "non_saturating": _Game(
        _REAL,
        _FAKE,
        (lambda f: softplus(-f), lambda f: 0.0 - sigmoid(-f)),
        in_nats=True,
        bounds=True,
        has_labels=True,
    ),
    "hinge": _Game(
        (lambda r: np.maximum(1.0 - r, 0.0), lambda r: 0.0 - _zero_or(1.0 - r)),
        (lambda f: np.maximum(1.0 + f, 0.0), lambda f: _zero_or(1.0 + f)),
        _NEGATED,
    ),
    "wasserstein": _Game(_NEGATED, (lambda f: f, np.ones_like), _NEGATED),
    "least_squares": _Game(
        (lambda r: 0.5 * (r - 1.0) ** 2, lambda r: r - 1.0),
        (lambda f: 0.5 * f**2, lambda f: f),
        (lambda f: 0.5 * (f - 1.0) ** 2, lambda f: f - 1.0),
        boundary=0.5,
        has_labels=True,
    ),
    "relativistic_average": _Game(
        _REAL, _FAKE, (lambda f: softplus(-f), lambda f: 0.0 - sigmoid(-f)), in_nats=True
    ),
}


@dataclass(frozen=True, slots=True)
class GanOptions:
    """What adversarial losses can be asked beside Options."""

    kind: GanKind = "non_saturating"
    label_smoothing: float = 0.0


def gan_loss(
    real_logits: Array, fake_logits: Array, settings: GanOptions, options: Options
) -> Score:
    """What a discriminator pays on real and on generated samples, and what the generator pays.

        minimax, non_saturating  d = mean sp(−r) + mean sp(f);  g = −mean sp(f), or mean sp(−f)
        hinge                    d = mean (1 − r)⁺ + mean (1 + f)⁺;  g = −mean f
        wasserstein              d = mean f − mean r;  g = −mean f
        least_squares            d = ½ mean (r − 1)² + ½ mean f²;  g = ½ mean (f − 1)²
        relativistic_average     d = mean sp(−a) + mean sp(b);  g = mean sp(a) + mean sp(−b),
                                 a = r − mean f,  b = f − mean r

    With `label_smoothing` ε the label of a real sample is 1 − ε: it pays (1 − ε) sp(−r) + ε sp(r),
    or ½ (r − (1 − ε))².

    Args:
        real_logits: r, scores of real samples (n,); or (n, 1), or maps of patches (n, h, w) and
            (n, c, h, w), of which a sample pays the mean.
        fake_logits: f, scores of generated samples (m,), or of patches.
        settings: which game, and ε in [0, 1).
        options: see Options; the `gradients` are of the value, with respect to `real_logits`
            and to `fake_logits`.

    Returns:
        The discriminator's loss d. `generator` is g; `jsd_lower_bound` is ln 2 − d/2 without
        smoothing, negative for a bad discriminator, of minimax and non_saturating only;
        `discriminator_accuracy` the mean of the two shares told rightly. No standard error of
        relativistic_average, whose samples depend on each other.

    Raises:
        InvalidInput: a score is not finite or beyond 1e60, an array is empty, weights were sent,
            or labels of a game without labels are to be smoothed.

    Source: Goodfellow et al., NIPS (2014); Lim & Ye, arXiv:1705.02894 (2017); Arjovsky, Chintala
        & Bottou, ICML (2017); Mao et al., ICCV (2017); Salimans et al., NIPS (2016), §3.4, for
        smoothing; Jolicoeur-Martineau, ICLR (2019), eq. 8, for relativistic_average.
    """
    real, fake = _checked("real_logits", real_logits), _checked("fake_logits", fake_logits)
    if options.sample_weight is not None:
        raise InvalidInput.at("sample_weight does not apply to two samples", "sample_weight")
    kind = settings.kind
    game = _smoothed(_GAMES[kind], settings)
    relative = kind == "relativistic_average"
    if relative:
        real, fake = real - _mean(fake), fake - _mean(real)
    nats = options.nats if game.in_nats else 1.0
    on_real, on_fake = game.real[0](real), game.fake[0](fake)
    parts = (_mean(on_real), _mean(on_fake))
    factors = (len(real), len(fake)) if options.reduction == "sum" else (1, 1)
    generator = _mean(game.generator[0](fake))
    if relative:
        generator += _mean(softplus(real))
    details: dict[str, object] = {
        "generator": generator / nats,
        "discriminator_real": parts[0] / nats,
        "discriminator_fake": parts[1] / nats,
        "discriminator_accuracy": 0.5 * (share(real > game.boundary) + share(fake < game.boundary)),
        "jsd_lower_bound": _bound(game, real, fake, nats),
    }
    if options.gradient:
        slope = game.generator[1](fake) / (fake.size * nats)
        if relative:
            slope -= _mean(sigmoid(real)) / (fake.size * nats)
        details["generator_gradient"] = slope.reshape(fake_logits.shape) + 0.0
    chosen = {"kind": kind, "label_smoothing": settings.label_smoothing}
    context = Context("gan_loss", options, conventions=chosen)
    rows = np.concatenate((on_real.mean(axis=1), on_fake.mean(axis=1)))
    gradients = None
    if options.gradient:
        slopes = _gradients(game, real, fake, relative=relative, mean=options.reduction == "mean")
        gradients = {
            "real_logits": slopes[0].reshape(real_logits.shape) / nats + 0.0,
            "fake_logits": slopes[1].reshape(fake_logits.shape) / nats + 0.0,
        }
    return Score(
        metric="gan_loss",
        value=math.fsum(p * factor for p, factor in zip(parts, factors, strict=True)) / nats + 0.0,
        reason=None,
        unit=options.unit if game.in_nats else "dimensionless",
        n=rows.size,
        weight=float(rows.size),
        standard_error=None if relative else _error(on_real, on_fake, factors, nats),
        per_row=rows / nats + 0.0 if options.per_row else None,
        gradients=gradients,
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(np.empty(0), context),
    )


def _checked(name: str, values: Array) -> Array:
    """Scores as (n, patches)."""
    if values.ndim == 0 or values.size == 0 or (values.ndim == 2 and values.shape[1] > 1):
        detail = f"{name} has shape {shown(values)}; [n] is expected, or maps [n][h][w] of patches"
        raise InvalidInput.at(detail, name)
    return moderate(name, values).reshape(values.shape[0], -1)


def _smoothed(game: _Game, settings: GanOptions) -> _Game:
    """The same, where a real sample is told as real by 1 − ε only."""
    amount = settings.label_smoothing
    if amount == 0:
        return game
    if not game.has_labels:
        detail = f"{settings.kind} has no labels to smooth"
        raise InvalidInput.at(detail, "label_smoothing")
    if not game.in_nats:
        return replace(
            game,
            real=(lambda r: 0.5 * (r - (1.0 - amount)) ** 2, lambda r: r - (1.0 - amount)),
        )
    real, fake = game.real, game.fake

    def mixed(at: int) -> _Term:
        return lambda r: (1.0 - amount) * real[at](r) + amount * fake[at](r)

    return replace(game, real=(mixed(0), mixed(1)))


def _bound(game: _Game, real: Array, fake: Array, nats: float) -> float | Undefined:
    if not game.bounds:
        return Undefined(Reason.NOT_OF_THIS_GAME)
    loss = math.fsum((_mean(softplus(-real)), _mean(softplus(fake))))
    return (math.log(2.0) - loss / 2) / nats


def _mean(values: Array) -> float:
    mean = Mean()
    mean.add(values, None)
    value = mean.value()
    assert isinstance(value, float)  # the arrays are not empty
    return value


def _error(real: Array, fake: Array, factors: tuple[int, int], nats: float) -> float | None:
    """Of two independent means over samples: √(s²_r/n + s²_f/m)."""
    if len(real) < 2 or len(fake) < 2:
        return None
    variances = [
        factor**2 * float(np.var(side.mean(axis=1), ddof=1)) / len(side)
        for side, factor in zip((real, fake), factors, strict=True)
    ]
    return math.sqrt(math.fsum(variances)) / nats


def _gradients(
    game: _Game, real: Array, fake: Array, *, relative: bool, mean: bool
) -> tuple[Array, Array]:
    """Of the value; each side pulls on the other where that is measured from its mean."""
    sizes = (real.size, fake.size) if mean else (real.shape[1], fake.shape[1])
    on_real, on_fake = game.real[1](real) / sizes[0], game.fake[1](fake) / sizes[1]
    if relative:
        pulls = float(on_real.sum()) / fake.size, float(on_fake.sum()) / real.size
        on_real, on_fake = on_real - pulls[1], on_fake - pulls[0]
    return on_real, on_fake
