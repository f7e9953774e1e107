"""Periods of constant shares within an epoch: a ramp, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kullback.errors import Conflict
from kullback.moments import KeptMoment
from kullback.numerics.types import Array, Indices

MOST_PERIODS = 100


@dataclass(frozen=True, slots=True)
class SharePeriod:
    """From when on arms were planned to have these shares; None from the first row on."""

    since: KeptMoment | None
    shares: Mapping[str, float]


def changed_shares(
    periods: Sequence[SharePeriod],
    before: Mapping[str, float],
    shares: Mapping[str, float],
    now: float,
) -> tuple[SharePeriod, ...]:
    """The periods of an epoch once its shares have changed.

    Args:
        periods: those before; none where shares have never changed.
        before: the shares until now.
        shares: those from now on.
        now: epoch seconds.

    Raises:
        Conflict: there are too many.
    """
    kept = [each for each in periods or [SharePeriod(None, before)] if (each.since or 0.0) < now]
    if len(kept) == MOST_PERIODS:
        raise Conflict.at(
            f"the shares of this epoch have changed {MOST_PERIODS - 1} times: ?epoch=new opens "
            "the next one",
            "arms",
        )
    return (*kept, SharePeriod(now, shares))


def period_of(periods: Sequence[SharePeriod], time: Array) -> Indices:
    """The number of the period of each row, from 1, by when it was."""
    since = np.array([each.since or 0.0 for each in periods[1:]])
    return np.searchsorted(since, time, side="right") + 1
