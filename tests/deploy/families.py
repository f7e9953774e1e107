"""The series that Prometheus can know here, each with its labels."""

import re
from collections.abc import Iterator, Mapping

import yaml

from tests.deploy.files import RULES

TARGET = frozenset({"job", "instance"})  # what scraping adds to every series
HISTOGRAM_SUFFIXES = ("_bucket", "_count", "_sum")

EXPOSED: Mapping[str, frozenset[str]] = {
    "http_requests_total": frozenset({"method", "route", "status"}),
    "kullback_backfilled_total": frozenset({"monitor"}),
    "kullback_build_info": frozenset({"version"}),
    "kullback_check": frozenset({"monitor", "check"}),
    "kullback_check_since_timestamp_seconds": frozenset({"monitor", "check"}),
    "kullback_check_value": frozenset({"monitor", "check"}),
    "kullback_clipped_total": frozenset({"monitor"}),
    "kullback_corrected_total": frozenset({"monitor"}),
    "kullback_defaulted_total": frozenset({"monitor"}),
    "kullback_drift_js_nats": frozenset({"monitor", "of"}),
    "kullback_drift_p_value": frozenset({"monitor", "of"}),
    "kullback_drift_psi": frozenset({"monitor", "of"}),
    "kullback_duplicates_total": frozenset({"monitor"}),
    "kullback_examples_total": frozenset({"monitor"}),
    "kullback_infinite_total": frozenset({"monitor"}),
    "kullback_label_lag_seconds": frozenset({"monitor"}),
    "kullback_label_weight_total": frozenset({"monitor"}),
    "kullback_labelled_share": frozenset({"monitor"}),
    "kullback_last_observation_timestamp_seconds": frozenset({"monitor"}),
    "kullback_late_total": frozenset({"monitor"}),
    "kullback_loss_nats_squared_total": frozenset({"monitor"}),
    "kullback_loss_nats_total": frozenset({"monitor"}),
    "kullback_monitor_created_timestamp_seconds": frozenset({"monitor"}),
    "kullback_monitor_info": frozenset({"monitor", "task"}),
    "kullback_prediction_weight_total": frozenset({"monitor"}),
    "kullback_predictions_total": frozenset({"monitor"}),
    "kullback_recent_auc": frozenset({"monitor"}),
    "kullback_recent_calibration_ratio": frozenset({"monitor"}),
    "kullback_recent_ece": frozenset({"monitor"}),
    "kullback_recent_examples": frozenset({"monitor"}),
    "kullback_recent_log_loss_nats": frozenset({"monitor"}),
    "kullback_recent_log_loss_standard_error_nats": frozenset({"monitor"}),
    "kullback_recent_normalized_entropy": frozenset({"monitor"}),
    "kullback_recent_predictions": frozenset({"monitor"}),
    "kullback_recent_timestamp_seconds": frozenset({"monitor"}),
    "kullback_rejected_total": frozenset({"monitor"}),
    "kullback_score_bin_prediction_weight_total": frozenset({"monitor", "bin"}),
    "kullback_score_bin_weight_total": frozenset({"monitor", "bin", "label"}),
    "kullback_scores_rows_total": frozenset({"metric"}),
    "kullback_scores_total": frozenset({"metric", "status"}),
    "kullback_series_dropped_total": frozenset(),
    "kullback_slice_examples_total": frozenset({"monitor", "slice"}),
    "kullback_slice_label_weight_total": frozenset({"monitor", "slice"}),
    "kullback_slice_loss_nats_total": frozenset({"monitor", "slice"}),
    "kullback_slice_prediction_weight_total": frozenset({"monitor", "slice"}),
    "kullback_slice_predictions_total": frozenset({"monitor", "slice"}),
    "kullback_slice_weight_total": frozenset({"monitor", "slice"}),
    "kullback_store_writes_total": frozenset({"outcome"}),
    "kullback_waiting_labels": frozenset({"monitor"}),
    "kullback_waiting_predictions": frozenset({"monitor"}),
    "kullback_weight_total": frozenset({"monitor"}),
    "process_cpu_seconds_total": frozenset(),
    "process_max_fds": frozenset(),
    "process_open_fds": frozenset(),
    "process_resident_memory_bytes": frozenset(),
    "process_start_time_seconds": frozenset(),
}
OF_EXPERIMENTS: Mapping[str, frozenset[str]] = {
    "kullback_experiment_e_value": frozenset({"experiment", "arm"}),
    "kullback_experiment_effect": frozenset({"experiment", "arm"}),
    "kullback_experiment_effect_high": frozenset({"experiment", "arm"}),
    "kullback_experiment_effect_low": frozenset({"experiment", "arm"}),
    "kullback_experiment_sample_ratio_e_value": frozenset({"experiment"}),
    "kullback_experiment_standard_error": frozenset({"experiment", "arm"}),
    "kullback_experiment_units": frozenset({"experiment", "arm"}),
    "kullback_experiment_verdict": frozenset({"experiment", "arm", "verdict"}),
    "kullback_experiment_version": frozenset({"experiment"}),
    "kullback_experiments_not_shown": frozenset(),
}
HISTOGRAMS: Mapping[str, frozenset[str]] = {
    "http_request_body_bytes": frozenset({"route"}),
    "http_request_duration_seconds": frozenset({"method", "route"}),
    "kullback_store_commit_seconds": frozenset(),
}
OF_PROMETHEUS: Mapping[str, frozenset[str]] = {
    "ALERTS": frozenset({"alertname", "alertstate", "check", "experiment", "monitor", "severity"}),
    "up": frozenset(),
}

_KEYWORDS = {"and", "bool", "offset", "or", "unless"}
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")


def recorded() -> dict[str, frozenset[str]]:
    """What the recording rules add, with the labels that their level names."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    names = [rule["record"] for group in groups for rule in group["rules"] if "record" in rule]
    return {name: frozenset(name.split(":")[0].split("_")) for name in names}


def known() -> dict[str, frozenset[str]]:
    """Every series by name, with the labels it may be selected by."""
    exposed = {**EXPOSED, **OF_EXPERIMENTS}
    scraped = {name: labels | TARGET for name, labels in exposed.items()}
    scraped |= {
        name + suffix: labels | TARGET | ({"le"} if suffix == "_bucket" else set())
        for name, labels in HISTOGRAMS.items()
        for suffix in HISTOGRAM_SUFFIXES
    }
    scraped |= {name: labels | TARGET for name, labels in OF_PROMETHEUS.items()}
    return scraped | recorded()


def series_named(expression: str) -> set[str]:
    """The series a PromQL expression reads."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = _GROUPING.sub("", bare)
    return set(_NAME.findall(bare)) - _KEYWORDS


def labels_selected(expression: str) -> Iterator[tuple[str, str]]:
    """Each series with each label it is selected by."""
    blanked = re.sub(r'"(?:\\.|[^"\\])*"', '""', expression)
    for name, matchers in _SELECTOR.findall(blanked):
        for label in re.findall(r"(\w+)\s*[=!]", matchers):
            yield name, label


def strangers(expression: str) -> list[str]:
    """What an expression reads or selects by and nothing here has."""
    names = known()
    unknown = sorted(series_named(expression) - names.keys())
    return unknown + [
        f"{name}{{{label}}}"
        for name, label in labels_selected(expression)
        if name in names and label not in names[name]
    ]
