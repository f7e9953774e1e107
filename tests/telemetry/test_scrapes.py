"""Whoever scrapes sees each counter at 0 before it grows, and never less than it saw before."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from kullback.telemetry.scrapes import (
    CONNECTIONS,
    FORGOTTEN_SECONDS,
    IDLE_SECONDS,
    LOOK_BACK_SECONDS,
    SCRAPERS,
    Scraper,
    Scrapes,
)
from tests.monitoring.service import Clock

PROMETHEUS = Scraper("10.0.0.7", "Prometheus/2.42.0", 40_000)
TIMEOUT = {"x-prometheus-scrape-timeout-seconds": "10"}


class Process:
    """A process whose counters grow, and what it shows; its clock moves with each scrape."""

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.scrapes = Scrapes(self.clock)
        self.values: dict[str, float] = defaultdict(float)

    def metrics(self) -> Iterator[Metric]:
        family = CounterMetricFamily("rows", "Rows.", labels=["slice"])
        for name, value in self.values.items():
            family.add_metric([name], value)
        yield family

    def seen(self, scraper: Scraper = PROMETHEUS, after: float = 15.0) -> dict[str, float]:
        """What a scrape gives, some seconds later."""
        self.clock.now += after
        (family,) = self.scrapes.shown(self.metrics(), scraper)
        return {sample.labels["slice"]: sample.value for sample in family.samples}


def on(port: int, host: str = PROMETHEUS.host) -> Scraper:
    return Scraper(host, PROMETHEUS.agent, port)


def increase(samples: list[dict[str, float]], name: str) -> float:
    """What Prometheus makes of samples: differences, and what stands after a reset."""
    total, last = 0.0, None
    for sample in samples:
        value = sample.get(name)
        if value is not None and last is not None:
            total += value - last if value >= last else value
        last = value if value is not None else last
    return total


def test_a_new_series_is_zero_in_its_first_scrape_and_itself_in_the_next() -> None:
    process = Process()
    process.values["DE"] = 1000
    assert [process.seen(), process.seen()] == [{"DE": 0}, {"DE": 1000}]
    process.values["DE"] += 5
    process.values["FR"] = 7
    assert process.seen() == {"DE": 1005, "FR": 0}
    assert process.seen() == {"DE": 1005, "FR": 7}


def test_after_a_restart_everything_is_seen_at_zero_though_rows_came_first() -> None:
    before, after = Process(), Process()
    before.values["FR"], after.values["FR"] = 1000, 1500
    samples = [before.seen(), before.seen(), after.seen(), after.seen()]
    assert increase(samples, "FR") == 2500


def test_who_comes_to_an_old_process_knows_what_is_old() -> None:
    process = Process()
    process.values["DE"] = 1e6
    assert process.seen(after=LOOK_BACK_SECONDS + 1) == {"DE": 1e6}
    process.values["FR"] = 9
    assert process.seen() == {"DE": 1e6, "FR": 0}
    assert process.seen(on(1, host="10.0.0.8")) == {"DE": 1e6, "FR": 0}


def test_servers_of_one_address_wait_for_each_other() -> None:
    process = Process()
    fast, slow = on(1), on(2)
    process.seen(fast), process.seen(slow, 1)
    process.values["DE"] = 10
    assert [process.seen(fast, 1)["DE"] for _ in range(3)] == [0, 0, 0]
    assert process.seen(slow, 1) == {"DE": 0}
    assert process.seen(fast, 1) == process.seen(slow, 1) == {"DE": 10}


def test_servers_of_one_address_each_see_a_restart_at_zero() -> None:
    process = Process()
    process.values["DE"] = 10
    values = [process.seen(server, 1)["DE"] for server in (on(1), on(2)) * 2]
    assert values == [0, 0, 10, 10]


def test_a_server_that_is_gone_is_waited_for_no_longer_than_its_connection_is_kept() -> None:
    process = Process()
    process.seen(on(1)), process.seen(on(2))
    process.values["DE"] = 10
    assert [process.seen(on(1), IDLE_SECONDS / 2 - 1)["DE"] for _ in range(3)] == [0, 0, 10]


@pytest.mark.parametrize("port", [0, 2])
def test_who_connects_anew_for_each_scrape_sees_what_it_would_on_one(port: int) -> None:
    process = Process()
    process.seen(on(port and 1))
    process.values["DE"] = 10
    pause = IDLE_SECONDS + 1 if port else 15
    assert [process.seen(on(port and at), pause)["DE"] for at in (2, 3, 4)] == [0, 10, 10]


def test_who_never_comes_back_on_a_connection_sees_everything_in_the_end() -> None:
    process = Process()
    process.seen(on(1))
    process.values["DE"] = 10
    values = [process.seen(on(at))["DE"] for at in range(2, 40)]
    assert values == sorted(values)
    assert (values[0], values[int(LOOK_BACK_SECONDS / 15) + 1]) == (0, 10)


def test_who_stays_away_for_long_begins_anew() -> None:
    process = Process()
    process.values["DE"] = 10
    process.seen(), process.seen()
    process.values["FR"] = 5
    assert process.seen(after=FORGOTTEN_SECONDS - 1)["FR"] == 0
    process.values["IT"] = 5
    process.seen(on(1, "10.0.0.8"), LOOK_BACK_SECONDS + 1)
    assert process.seen(after=FORGOTTEN_SECONDS)["IT"] == 5


def test_a_series_that_went_and_came_again_is_new() -> None:
    process = Process()
    process.values["DE"] = 10
    process.seen(), process.seen()
    del process.values["DE"]
    assert process.seen() == {}
    process.values["DE"] = 20
    assert [process.seen(), process.seen()] == [{"DE": 0}, {"DE": 20}]


def test_gauges_are_what_they_are_and_histograms_begin_at_zero() -> None:
    scrapes = Scrapes(Clock(0.0))
    gauge = GaugeMetricFamily("rows_waiting", "Rows.", 5)
    seconds = HistogramMetricFamily("seconds", "Seconds.", [("1", 2), ("+Inf", 3)], 4.5)
    shown = scrapes.shown([gauge, seconds], PROMETHEUS)
    values = {sample.name: sample.value for metric in shown for sample in metric.samples}
    zeros = dict.fromkeys(("seconds_bucket", "seconds_count", "seconds_sum"), 0)
    assert values == {"rows_waiting": 5} | zeros


def test_what_is_remembered_of_scrapers_is_bounded() -> None:
    process = Process()
    for number in range(SCRAPERS * 2):
        process.seen(on(1, f"host {number}"), 0.01)
        process.seen(on(number), 0.01)
    memories = process.scrapes._memories  # noqa: SLF001 - nothing outside shows it
    assert len(memories) == SCRAPERS
    assert len(memories[PROMETHEUS[:2]].connections) == CONNECTIONS


def test_a_scrape_says_that_it_is_one() -> None:
    peer = ("10.0.0.7", 40_000)
    agent = {"user-agent": "Prometheus/2.42.0"}
    assert Scraper.of(agent, peer) == PROMETHEUS
    assert Scraper.of(TIMEOUT | {"user-agent": "vmagent"}, peer) == ("10.0.0.7", "vmagent", 40_000)
    assert Scraper.of(agent | {"connection": "Close"}, peer) == PROMETHEUS._replace(port=0)
    assert Scraper.of({"user-agent": "curl/8.5.0", "accept": "*/*"}, peer) is None
    assert Scraper.of(agent, None) is None


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("abc"), max_size=4),  # who scrapes once more
            st.permutations("abc"),
            st.sampled_from(["one", "two"]),  # what has grown
            st.integers(0, 50),
            st.sampled_from([0.5, IDLE_SECONDS / 8]),
        ),
        max_size=20,
    ),
)
def test_each_server_sees_all_that_came_and_nothing_twice(
    rounds: list[tuple[list[str], list[str], str, int, float]],
) -> None:
    """Whatever the order: a and b come from one address, on connections of their own."""
    process, samples = Process(), defaultdict[str, list[dict[str, float]]](list)
    servers = {"a": on(1), "b": on(2), "c": on(3, "10.0.0.8")}
    for name, server in servers.items():
        samples[name].append(process.seen(server, 1.0))
    for more, order, grown, rows, pause in rounds:
        for name in [*more, *order]:
            process.values[grown] += rows
            samples[name].append(process.seen(servers[name], pause))
    for name in "abcabc":
        samples[name].append(process.seen(servers[name]))
    for seen in samples.values():
        for grown, all_rows in process.values.items():
            values = [sample[grown] for sample in seen if grown in sample]
            assert values == sorted(values)
            assert (values[0], values[-1]) == (0, all_rows)
            assert increase(seen, grown) == all_rows
