"""Reports as callers read them: JSON, with all the names that are promised."""

import json
from collections.abc import Mapping

from kullback.documents import to_json
from kullback.experiments.comparison import Findings
from kullback.experiments.reporting import arms_report

Document = dict[str, object]
ARM = {"arm", "share", "units", "clusters", "n", "weight", "metrics", "clipped", "infinite"}
COMPARISON = {
    *("arm", "control", "effect", "relative_effect", "standard_error", "degrees_of_freedom"),
    *("fixed_interval", "fixed_p_value", "sequence", "e_value", "p_value", "verdict", "reason"),
    *("why", "reason_code", "information_needed", "adjusted", "clusters", "largest_share"),
}
RATIO = {"e_value", "p_value", "alarm", "units", "expected"}
METRICS = {
    *("log_loss", "normalized_entropy", "relative_information_gain", "calibration_ratio"),
    *("brier", "ece", "auc", "base_rate", "mean_prediction"),
}
WHOLE = {"design", "metric", "arms", "comparisons", "sample_ratio", "groups", "warnings"}
VERDICTS = {"better", "worse", "equivalent", "not_worse", "undecided", "invalid"}


def written(findings: Findings) -> Document:
    """The report as a caller reads it."""
    document: Document = json.loads(to_json(arms_report(findings)))
    check(document)
    return document


def entries(document: Mapping[str, object], name: str) -> list[Document]:
    found = document[name]
    assert isinstance(found, list)
    return found


def entry(document: Mapping[str, object], name: str) -> Document:
    found = document[name]
    assert isinstance(found, dict)
    return found


def check(document: Document) -> None:
    """Every name that callers rely on is there."""
    assert document.keys() >= WHOLE
    assert entry(document, "sample_ratio").keys() >= RATIO
    for part in (document, *entries(document, "groups")):
        for arm in entries(part, "arms"):
            assert arm.keys() >= ARM
            assert entry(arm, "metrics").keys() == METRICS
        for one in entries(part, "comparisons"):
            assert one.keys() >= COMPARISON
            assert one["verdict"] in VERDICTS
            assert one["reason"]
