"""Whole runs: many kills of servers on one store, with a count at the end."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from random import Random, SystemRandom

from tests.torture.arms import PLANS, compared
from tests.torture.pages import WINDOW_SECONDS
from tests.torture.proof import ANSWERS, Disasters, Figures, Proof
from tests.torture.replicas import replicas
from tests.torture.streams import SOURCES
from tests.torture.supply import Supply
from tests.torture.toxic import ToxicProxy

FAULTS = 7  # kinds of them


def seed() -> int:
    """What chance begins with: TORTURE_SEED repeats what was sent and how it was meant to end."""
    return int(os.environ.get("TORTURE_SEED") or SystemRandom().randrange(10**6))


def supply(rng: Random) -> Supply:
    """Rows of monitors as they come in real life, and of arms, of the last hours."""
    newest = int(time.time()) // WINDOW_SECONDS * WINDOW_SECONDS
    sources = [source(name, newest, rng) for name, source in SOURCES.items()]
    return Supply([*sources, *(compared(name, newest, rng) for name in PLANS)], rng)


def set_up(proof: Proof) -> None:
    """Create what the supply is for."""
    for monitor in SOURCES:
        proof.set_up(monitor)
    for experiment in PLANS:
        proof.set_up_experiment(experiment)


def survived(
    kills: int,
    *urls: str,
    told: Callable[[Figures], None] = lambda _: None,
    disasters: Disasters | None = None,
    answers: int = ANSWERS,
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
        proof.kill(kills, told, disasters or {}, answers)
        return proof.finish()


def survived_faults(
    faults: int, *urls: str, told: Callable[[Figures], None] = lambda _: None
) -> Figures:
    """Break so many exchanges with servers, one for each URL; the figures, when nothing is wrong.

    Raises:
        AssertionError: something was lost, or doubled.
    """
    number = seed()
    with replicas(*urls) as servers, ExitStack() as proxies:
        targets = list[ToxicProxy]()
        for place, server in enumerate(servers):
            proxy = ToxicProxy(lambda server=server: server.address, number + place)  # type: ignore[misc]
            proxies.callback(proxy.close)
            targets.append(proxy)
        proof = Proof(servers, supply(Random(number)), number, targets)  # noqa: S311 - chance that can be repeated
        set_up(proof)
        with proof.load() as wait_for:
            while proof.figures.faults < faults:
                wait_for(20)
                proof.figures.faults = sum(proxy.faults.total() for proxy in targets)
                told(proof.count())
        proxies.close()  # what comes late has come
        assert all(len(proxy.faults) == FAULTS for proxy in targets), "a fault was not tried"
        proof.look()
        return proof.finish()
