"""Losses of adversarial training: a discriminator against a generator."""

import math
from collections.abc import Callable
from dataclasses import dataclass
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

GanKind = Literal["minimax", "non_saturating", "hinge", "wasserstein", "least_squares"]
_Term = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class _Game:
    """Loss and slope of each side, per sample; where real is told from fake; whether in nats."""

    real: tuple[_Term, _Term]
    fake: tuple[_Term, _Term]
    generator: tuple[_Term, _Term]
    boundary: float = 0.0
    in_nats: bool = False


def _zero_or(x: Array) -> Array:
    return np.where(x > 0, 1.0, 0.0)


_REAL = (lambda r: softplus(-r), lambda r: 0.0 - sigmoid(-r))
_FAKE = (softplus, sigmoid)
_NEGATED = (lambda f: 0.0 - f, lambda f: np.full_like(f, -1.0))
_GAMES: dict[GanKind, _Game] = {
    "minimax": _Game(
        _REAL, _FAKE, (lambda f: 0.0 - softplus(f), lambda f: 0.0 - sigmoid(f)), in_nats=True
    ),
    "non_saturating": _Game(
        _REAL, _FAKE, (lambda f: softplus(-f), lambda f: 0.0 - sigmoid(-f)), in_nats=True
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
    ),
}


def gan_loss(real_logits: Array, fake_logits: Array, kind: GanKind, options: Options) -> Score:
    """What a discriminator pays on real and on generated samples, and what the generator pays.

        minimax, non_saturating  d = mean sp(−r) + mean sp(f);  g = −mean sp(f), or mean sp(−f)
        hinge                    d = mean (1 − r)⁺ + mean (1 + f)⁺;  g = −mean f
        wasserstein              d = mean f − mean r;  g = −mean f
        least_squares            d = ½ mean (r − 1)² + ½ mean f²;  g = ½ mean (f − 1)²

    Args:
        real_logits: r, scores of real samples (n,).
        fake_logits: f, scores of generated samples (m,).
        kind: which game.
        options: see Options; the `gradients` are of the value, with respect to `real_logits`
            and to `fake_logits`.

    Returns:
        The discriminator's loss d. `generator` is g; `jsd_lower_bound` is ln 2 − d/2, negative
        for a bad discriminator, of minimax and non_saturating only; `discriminator_accuracy` the
        mean of the two shares told rightly.

    Raises:
        InvalidInput: a score is not finite or beyond 1e60, an array is empty, or weights were sent.

    Source: Goodfellow et al., NIPS (2014); Lim & Ye, arXiv:1705.02894 (2017); Arjovsky, Chintala
        & Bottou, ICML (2017); Mao et al., ICCV (2017).
    """
    real, fake = _checked("real_logits", real_logits), _checked("fake_logits", fake_logits)
    if options.sample_weight is not None:
        raise InvalidInput.at("sample_weight does not apply to two samples", "sample_weight")
    game = _GAMES[kind]
    nats = options.nats if game.in_nats else 1.0
    on_real, on_fake = game.real[0](real), game.fake[0](fake)
    parts = (_mean(on_real), _mean(on_fake))
    factors = (real.size, fake.size) if options.reduction == "sum" else (1, 1)
    loss = math.fsum(parts)
    details: dict[str, object] = {
        "generator": _mean(game.generator[0](fake)) / nats,
        "discriminator_real": parts[0] / nats,
        "discriminator_fake": parts[1] / nats,
        "discriminator_accuracy": 0.5 * (share(real > game.boundary) + share(fake < game.boundary)),
        "jsd_lower_bound": (
            (math.log(2.0) - loss / 2) / nats
            if game.in_nats
            else Undefined(Reason.NOT_OF_THIS_GAME)
        ),
    }
    if options.gradient:
        details["generator_gradient"] = game.generator[1](fake) / (fake.size * nats) + 0.0
    context = Context("gan_loss", options, conventions={"kind": kind})
    return Score(
        metric="gan_loss",
        value=math.fsum(p * factor for p, factor in zip(parts, factors, strict=True)) / nats + 0.0,
        reason=None,
        unit=options.unit if game.in_nats else "dimensionless",
        n=real.size + fake.size,
        weight=float(real.size + fake.size),
        standard_error=_error(on_real, on_fake, factors, nats),
        per_row=np.concatenate((on_real, on_fake)) / nats + 0.0 if options.per_row else None,
        gradients=_gradients(game, real, fake, nats, options) if options.gradient else None,
        details=explained(details),
        conventions=conventions(context),
        diagnostics=diagnostics(np.empty(0), context),
    )


def _checked(name: str, values: Array) -> Array:
    if values.ndim != 1 or values.size == 0:
        raise InvalidInput.at(f"{name} has shape {shown(values)}; [n] is expected", name)
    return moderate(name, values)


def _mean(values: Array) -> float:
    mean = Mean()
    mean.add(values, None)
    value = mean.value()
    assert isinstance(value, float)  # the arrays are not empty
    return value


def _error(real: Array, fake: Array, factors: tuple[int, int], nats: float) -> float | None:
    """Of two independent means: √(s²_r/n + s²_f/m)."""
    if real.size < 2 or fake.size < 2:
        return None
    variances = [
        factor**2 * float(np.var(side, ddof=1)) / side.size
        for side, factor in zip((real, fake), factors, strict=True)
    ]
    return math.sqrt(math.fsum(variances)) / nats


def _gradients(
    game: _Game, real: Array, fake: Array, nats: float, options: Options
) -> dict[str, Array]:
    sizes = (1, 1) if options.reduction == "sum" else (real.size, fake.size)
    return {
        "real_logits": game.real[1](real) / (sizes[0] * nats) + 0.0,
        "fake_logits": game.fake[1](fake) / (sizes[1] * nats) + 0.0,
    }
