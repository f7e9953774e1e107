"""Whole runs: many kills of servers on one store, with a count at the end."""

import os
import time
from collections.abc import Callable
from random import Random, SystemRandom

from tests.torture.arms import PLANS, compared
from tests.torture.pages import WINDOW_SECONDS, Supply, joined, observed
from tests.torture.proof import Disasters, Figures, Proof
from tests.torture.replicas import replicas


def seed() -> int:
    """What chance begins with: TORTURE_SEED repeats what was sent and how it was meant to end."""
    return int(os.environ.get("TORTURE_SEED") or SystemRandom().randrange(10**6))


def supply(rng: Random) -> Supply:
    """Observations, predictions and labels, and rows of arms, of the last hours."""
    newest = int(time.time()) // WINDOW_SECONDS * WINDOW_SECONDS
    sources = [observed("observed", newest, rng), joined("joined", newest, rng)]
    return Supply([*sources, *(compared(name, newest, rng) for name in PLANS)], rng)


def set_up(proof: Proof) -> None:
    """Create what the supply is for."""
    for monitor in ("observed", "joined"):
        proof.set_up(monitor)
    for experiment in PLANS:
        proof.set_up_experiment(experiment)


def survived(
    kills: int,
    *urls: str,
    told: Callable[[Figures], None] = lambda _: None,
    disasters: Disasters | None = None,
) -> Figures:
    """Kill servers, one for each URL, so many times; the figures, when nothing is wrong.

    A disaster happens under load once so many kills have.

    Raises:
        AssertionError: something was lost, or doubled.
    """
    number = seed()
    with replicas(*urls) as servers:
        proof = Proof(servers, supply(Random(number)), number)  # noqa: S311 - chance that can be repeated
        set_up(proof)
        proof.kill(kills, told, disasters or {})
        return proof.finish()
