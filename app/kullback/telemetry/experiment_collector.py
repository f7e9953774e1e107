"""Prometheus collector of experiments: the results of the last maintenance round."""

from collections.abc import Iterator, Mapping
from math import isfinite, nan

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kullback.experiments.compared import Comparison
from kullback.experiments.crossings import ExperimentSnapshot
from kullback.experiments.maintenance import ExperimentMaintenance
from kullback.experiments.verdict import VerdictWord
from kullback.numerics.types import Undefined

MAX_SERIES = 5_000
_PER_EXPERIMENT = 2

_PER_ARM = {
    "effect": "Treatment minus control, in the metric's unit.",
    "standard_error": "Of the effect, by buckets of units.",
    "effect_low": "Lower bound of the effect, valid at every look.",
    "effect_high": "Upper bound of the effect, valid at every look.",
    "e_value": "Evidence against no difference, at any time.",
}


class ExperimentCollector(Collector):
    """The gauges of each running experiment, of the first by name that there is room for."""

    def __init__(self, maintenance: ExperimentMaintenance, cap: int = MAX_SERIES) -> None:
        self._maintenance = maintenance
        self._cap = cap

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is changes with the experiments."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client.registry.Collector."""
        states = self._maintenance.running
        shown = _within(self._cap, states)
        for name in _PER_ARM:
            yield _of_arms(name, shown)
        yield _verdicts(shown)
        yield from _of_experiments(shown)
        dropped = GaugeMetricFamily(
            "kullback_experiments_not_shown", f"Experiments beyond {self._cap} series."
        )
        dropped.add_metric([], len(states) - len(shown))
        yield dropped


def _within(cap: int, states: Mapping[str, ExperimentSnapshot]) -> dict[str, ExperimentSnapshot]:
    """The first states by name whose series fit."""
    shown, left = {}, cap
    for name, state in sorted(states.items()):
        arms = len(state.findings.plan.arms)
        left -= (arms - 1) * (len(_PER_ARM) + len(VerdictWord)) + arms + _PER_EXPERIMENT
        if left < 0:
            break
        shown[name] = state
    return shown


def _of_arms(name: str, shown: Mapping[str, ExperimentSnapshot]) -> Metric:
    family = GaugeMetricFamily(
        f"kullback_experiment_{name}", _PER_ARM[name], labels=["experiment", "arm"]
    )
    for experiment, state in shown.items():
        for comparison in state.findings.comparisons[""]:
            value = _numbers(comparison).get(name, nan)
            if isfinite(value):
                family.add_metric([experiment, comparison.arm], value)
    return family


def _numbers(comparison: Comparison) -> dict[str, float]:
    """Those of _PER_ARM that there are of an arm."""
    effect, sequence = comparison.effect, comparison.confidence_sequence
    numbers: dict[str, float] = {}
    if not isinstance(effect, Undefined):
        numbers |= {"effect": effect.effect, "standard_error": effect.standard_error}
    if sequence is not None:
        numbers |= {"effect_low": sequence.low, "effect_high": sequence.high}
        numbers["e_value"] = sequence.e_value
    return numbers


def _verdicts(shown: Mapping[str, ExperimentSnapshot]) -> Metric:
    family = GaugeMetricFamily(
        "kullback_experiment_verdict",
        "1 for the verdict of an arm against the control, 0 for the others.",
        labels=["experiment", "arm", "verdict"],
    )
    for experiment, state in shown.items():
        for comparison in state.findings.comparisons[""]:
            for word in VerdictWord:
                family.add_metric(
                    [experiment, comparison.arm, word], float(comparison.verdict.word == word)
                )
    return family


def _of_experiments(shown: Mapping[str, ExperimentSnapshot]) -> Iterator[Metric]:
    ratio = GaugeMetricFamily(
        "kullback_experiment_sample_ratio_e_value",
        "Evidence that units are not split as planned; 1000 is an alarm.",
        labels=["experiment"],
    )
    units = GaugeMetricFamily(
        "kullback_experiment_units", "Units each arm has met.", labels=["experiment", "arm"]
    )
    version = GaugeMetricFamily(
        "kullback_experiment_version", "Writes so far.", labels=["experiment"]
    )
    for experiment, state in shown.items():
        version.add_metric([experiment], state.version)
        if state.findings.sample_ratio is not None:
            ratio.add_metric([experiment], state.findings.sample_ratio.e_value)
        for arm, count in (state.findings.units or {}).items():
            units.add_metric([experiment, arm], round(count))
    yield ratio
    yield units
    yield version
