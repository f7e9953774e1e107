"""Worlds: streams where nothing is wrong, and streams in which something breaks.

What is to be found of a broken one, and how soon, is a row of the same table.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.moments import DAY, HOUR
from tests.statistics.monitoring import faults
from tests.statistics.monitoring.streams import ONSET, WEEK, Breakage, Delays, Phase, Traffic
from tests.statistics.worlds import probability

MINUTE = 60
DIFFERENT_DELAYS = Delays(2 * MINUTE, 30 * MINUTE)
CONVERSIONS = Delays(90 * MINUTE, 6 * HOUR)
FEATURES = Traffic(sends_features=True)
LATE = Delays(3 * HOUR, 3 * HOUR, spread=0.05)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be found of a broken stream.

    Attributes:
        checks: any of these is right.
        within: hours, by when.
        of: what the hours are counted from: the onset, or the end of the first hour after it whose
            labels are in.
        named: what the check names: the value of a slice, or a feature; "" where nothing.
    """

    checks: tuple[str, ...]
    within: float
    of: str = "mature"
    named: str = ""


@dataclass(frozen=True, slots=True)
class MonitoredWorld:
    """A stream, the monitor that watches it, and what is to be said of it.

    Attributes:
        traffic: the stream.
        settings: of the monitor, beside its task, labels and slices.
        reference: the first week as a `batch` or as a `period`; or `moving`, the week before.
        breakage: what breaks; None where nothing does.
        expected: what is to be found; None where nothing is wrong.
        slices: of the monitor.
    """

    traffic: Traffic = field(default_factory=Traffic)
    settings: Mapping[str, object] = field(default_factory=dict)
    reference: str = ""
    breakage: Breakage | None = None
    expected: Expected | None = None
    slices: tuple[str, ...] = ("country",)

    def breaking_at(self, hour: float) -> "MonitoredWorld":
        """The same, and what breaks does so at this hour since the origin."""
        if self.breakage is None:
            return self
        return replace(self, breakage=replace(self.breakage, start=hour))

    @property
    def hours_to_mature(self) -> float:
        """From the onset to the end of the first hour whose labels are in, about."""
        delays, upload = self.traffic.delays, self.traffic.upload / HOUR
        if upload:
            return upload + 2.0
        if delays is None:
            return 1.0
        return 1.0 + max(delays.positive, delays.negative) * math.exp(2 * delays.spread) / HOUR


def _holiday(**fields: object) -> tuple[Phase, ...]:
    return (Phase(4 * WEEK, fields, 4 * WEEK + 72),)


HEALTHY: dict[str, MonitoredWorld] = {
    "by hour of day": MonitoredWorld(),
    "clicks after 2 min, others after 30": MonitoredWorld(Traffic(delays=DIFFERENT_DELAYS)),
    "conversions after 90 min, others after 6 h": MonitoredWorld(Traffic(delays=CONVERSIONS)),
    "labels 3 h late": MonitoredWorld(Traffic(delays=LATE)),
    "labels a day late, 2 in 10 never": MonitoredWorld(Traffic(delays=Delays(DAY, DAY, share=0.8))),
    "weekly cycle": MonitoredWorld(Traffic(weekend=-0.6, rate_weekend=0.3)),
    "holiday: 3 times the traffic and a higher rate": MonitoredWorld(
        Traffic(phases=_holiday(rows=6000.0, rate=0.1))
    ),
    "20 rows an hour": MonitoredWorld(Traffic(rows=20.0, rate=0.2, auc=0.75)),
    "5 rows an hour": MonitoredWorld(Traffic(rows=5.0, rate=0.2, auc=0.75)),
    "200,000 rows an hour": MonitoredWorld(Traffic(rows=200_000.0, noise=0.02)),
    "three classes": MonitoredWorld(Traffic(classes=3, auc=0.75)),
    "deploy of a better model": MonitoredWorld(
        Traffic(phases=(Phase(ONSET, {"auc": 0.70, "version": "v2"}),)),
        slices=("country", "version"),
    ),
    "the same without a version slice": MonitoredWorld(
        Traffic(phases=(Phase(ONSET, {"auc": 0.70}),))
    ),
    "rate 0.5 %, AUC 0.9": MonitoredWorld(Traffic(rate=0.005, auc=0.9, rows=5000.0)),
    "rate 30 %, AUC 0.6": MonitoredWorld(Traffic(rate=0.3, auc=0.6, rows=500.0)),
    "5 % too high, always": MonitoredWorld(Traffic(bias=1.05, rows=8000.0)),
    "rate of an hour off by 6 %": MonitoredWorld(Traffic(noise=0.06, rows=8000.0)),
    "rows of users, 8 an hour each": MonitoredWorld(Traffic(visits=8.0, taste=0.7)),
    "the same, and units are sent": MonitoredWorld(Traffic(visits=8.0, taste=0.7, sends_unit=True)),
    "weights": MonitoredWorld(Traffic(weights=1.0)),
    "uploads once a day": MonitoredWorld(Traffic(upload=DAY)),
    "nights and weekends without rows": MonitoredWorld(
        Traffic(asleep=(22, 23, 0, 1, 2, 3, 4, 5), weekend=-1.0)
    ),
    "nights without rows": MonitoredWorld(Traffic(asleep=(22, 23, 0, 1, 2, 3, 4, 5), weekend=-0.3)),
    "batch as reference": MonitoredWorld(reference="batch"),
    "period as reference": MonitoredWorld(reference="period"),
    "last week as reference": MonitoredWorld(reference="moving"),
    "only clicks are sent, 0 after an hour": MonitoredWorld(
        Traffic(delays=Delays(10 * MINUTE, HOUR, positives_only=True)),
        settings={"default_label": 0, "label_window": HOUR},
    ),
    "countries have rates of their own": MonitoredWorld(
        Traffic(country_rates={"US": 1.8, "IT": 0.5})
    ),
    "40 countries, few rows": MonitoredWorld(
        Traffic(countries={f"c{k:02}": 1 / k for k in range(1, 41)})
    ),
    "a new version each week": MonitoredWorld(
        Traffic(phases=tuple(Phase(k * WEEK + 34, {"version": f"v{k}"}) for k in range(2, 60))),
        slices=("country", "version"),
    ),
    "5 % more traffic, 2 % more clicks, each week": MonitoredWorld(Traffic(trend=0.02)),
    "three labels": MonitoredWorld(Traffic(labels=3)),
    "features with a day of their own": MonitoredWorld(FEATURES),
    "the same, and a batch as reference": MonitoredWorld(FEATURES, reference="batch"),
    "a sound new country": MonitoredWorld(
        Traffic(phases=(Phase(ONSET, {"countries": {"DE": 0.4, "FR": 0.3, "US": 0.2, "ES": 0.1}}),))
    ),
}

BROKEN: dict[str, MonitoredWorld] = {
    "joined to the wrong rows": MonitoredWorld(
        breakage=Breakage(model=faults.misjoined(1.0)),
        expected=Expected(("no_skill", "log_loss"), 1),
    ),
    "a new country, 3.97 times too high": MonitoredWorld(
        breakage=Breakage(model=faults.new_country("XX", 0.3, 3.97)),
        expected=Expected(("slice",), 1, named="XX"),
    ),
    "labels stop": MonitoredWorld(
        Traffic(delays=DIFFERENT_DELAYS),
        slices=(),
        breakage=Breakage(outcome=faults.unlabelled),
        expected=Expected(("maturity", "silence"), 2 * 0.7, of="onset"),
    ),
    "labels stop, 3 h late before": MonitoredWorld(
        Traffic(delays=LATE),
        slices=(),
        breakage=Breakage(outcome=faults.unlabelled),
        expected=Expected(("maturity", "silence"), 2 * 3.2, of="onset"),
    ),
    "scaling bug, labels 3 h late": MonitoredWorld(
        Traffic(delays=LATE),
        slices=(),
        breakage=Breakage(model=faults.scaled(1.85)),
        expected=Expected(("score_drift",), 0.5, of="onset"),
    ),
    "half the clicks lost": MonitoredWorld(
        Traffic(delays=DIFFERENT_DELAYS),
        slices=(),
        breakage=Breakage(outcome=faults.lost_positives(0.5)),
        expected=Expected(("calibration", "log_loss", "label_drift"), 1),
    ),
    "a campaign doubles the clicks of a country": MonitoredWorld(
        breakage=Breakage(model=faults.likelier(2.0, "FR")),
        expected=Expected(("slice", "calibration"), 2, named="FR"),
    ),
    "stale features: half of the rows": MonitoredWorld(
        breakage=Breakage(model=faults.misjoined(0.5)),
        expected=Expected(("no_skill", "log_loss", "calibration"), 12),
    ),
    "a feature is null": MonitoredWorld(
        breakage=Breakage(model=faults.null_feature(-1.0)),
        expected=Expected(("score_drift", "feature_drift"), 1, of="onset"),
    ),
    "a class is no longer predicted": MonitoredWorld(
        Traffic(classes=3, auc=0.75),
        breakage=Breakage(model=faults.class_unpredicted(2)),
        expected=Expected(("calibration", "log_loss", "score_drift"), 1),
    ),
    "a class is no longer labelled": MonitoredWorld(
        Traffic(classes=3, auc=0.75),
        breakage=Breakage(outcome=faults.class_unlabelled(2)),
        expected=Expected(("calibration", "label_drift"), 1),
    ),
    "decay over 5 days": MonitoredWorld(
        breakage=Breakage(model=faults.decaying(120, 0.5)),
        expected=Expected(("calibration", "log_loss", "no_skill", "score_drift"), 72),
    ),
    "labels flipped": MonitoredWorld(
        breakage=Breakage(outcome=faults.flipped),
        expected=Expected(("calibration", "no_skill", "log_loss", "label_drift"), 1),
    ),
    "scores constant": MonitoredWorld(
        breakage=Breakage(model=faults.rescored(lambda p: 0 * p + 0.08)),
        expected=Expected(("score_drift", "no_skill"), 0.5, of="onset"),
    ),
    "sigmoid twice": MonitoredWorld(
        breakage=Breakage(model=faults.rescored(probability)),
        expected=Expected(("score_drift", "calibration"), 0.5, of="onset"),
    ),
    "one country 3 times too high": MonitoredWorld(
        breakage=Breakage(model=faults.scaled(3.0, "IT")),
        expected=Expected(("slice", "calibration"), 2, named="IT"),
    ),
    "a country vanishes": MonitoredWorld(
        breakage=Breakage(model=faults.without("FR")),
        expected=Expected(("slice", "silence"), 1, of="onset", named="FR"),
    ),
    "predictions stop": MonitoredWorld(
        breakage=Breakage(model=faults.without("")),
        expected=Expected(("silence",), 1, of="onset"),
    ),
    "predictions stop, labels go on": MonitoredWorld(
        Traffic(delays=LATE),
        breakage=Breakage(model=faults.without("")),
        expected=Expected(("silence",), 1, of="onset"),
    ),
    "negatives are no longer labelled": MonitoredWorld(
        Traffic(delays=DIFFERENT_DELAYS),
        breakage=Breakage(phase={"delays": Delays(2 * MINUTE, 30 * MINUTE, positives_only=True)}),
        expected=Expected(("maturity", "silence"), 2 * 0.7, of="onset"),
    ),
    "labels 8 h later than they were": MonitoredWorld(
        Traffic(delays=DIFFERENT_DELAYS),
        breakage=Breakage(outcome=faults.later(8)),
        expected=Expected(("maturity",), 4, of="onset"),
    ),
    "a new version is 1.5 times too high": MonitoredWorld(
        slices=("country", "version"),
        breakage=Breakage(model=faults.scaled(1.5), phase={"version": "v2"}),
        expected=Expected(("slice", "calibration", "score_drift"), 2, named="v2"),
    ),
    "20 rows an hour, 3 times too high": MonitoredWorld(
        Traffic(rows=20.0, rate=0.2, auc=0.75),
        breakage=Breakage(model=faults.scaled(3.0)),
        expected=Expected(("calibration", "log_loss", "score_drift"), 12),
    ),
    "20 rows an hour, joined to the wrong rows": MonitoredWorld(
        Traffic(rows=20.0, rate=0.2, auc=0.75),
        slices=(),
        breakage=Breakage(model=faults.misjoined(1.0)),
        expected=Expected(("no_skill", "log_loss"), 36),
    ),
    "5 rows an hour, joined to the wrong rows": MonitoredWorld(
        Traffic(rows=5.0, rate=0.2, auc=0.75),
        slices=(),
        breakage=Breakage(model=faults.misjoined(1.0)),
        expected=Expected(("no_skill", "log_loss"), 120),
    ),
    "uploads once a day, half the clicks lost": MonitoredWorld(
        Traffic(upload=DAY),
        breakage=Breakage(outcome=faults.lost_positives(0.5)),
        expected=Expected(("calibration", "log_loss", "label_drift"), 1),
    ),
    "one of three labels twice as frequent": MonitoredWorld(
        Traffic(labels=3),
        breakage=Breakage(model=faults.label_likelier(1, 2.0)),
        expected=Expected(("calibration", "label_drift"), 5),
    ),
    "a sent feature is missing": MonitoredWorld(
        FEATURES,
        breakage=Breakage(model=faults.resent("age", lambda age: np.full(age.size, np.nan))),
        expected=Expected(("feature_drift",), 1, of="onset", named="age"),
    ),
    "a sent feature is its default": MonitoredWorld(
        FEATURES,
        breakage=Breakage(model=faults.resent("device", lambda _: np.array("phone"))),
        expected=Expected(("feature_drift",), 1, of="onset", named="device"),
    ),
    "a sent feature in another unit": MonitoredWorld(
        FEATURES,
        breakage=Breakage(model=faults.repriced),
        expected=Expected(("feature_drift",), 1, of="onset", named="price"),
    ),
    "a new category at a fifth of the rows": MonitoredWorld(
        FEATURES,
        breakage=Breakage(model=faults.resent("device", lambda _: np.array("tv"), 0.2)),
        expected=Expected(("feature_drift",), 1, of="onset", named="device"),
    ),
    "a sent feature is stale": MonitoredWorld(
        FEATURES,
        breakage=Breakage(model=faults.stale_price),
        expected=Expected(("feature_drift",), 12, of="onset", named="price"),
    ),
}
WORLDS = HEALTHY | BROKEN
