"""The report says everything it promises, as JSON, whatever the rows were."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kullback.documents import to_json
from kullback.experiments.arm_tallies import tally_arms
from kullback.experiments.comparison import compare
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.report_warnings import (
    HEAVY,
    MANY_ROWS,
    NO_SEQUENCE,
    ONE_LOOK,
    OWN_TRAFFIC,
)
from kullback.experiments.reporting import (
    AUC_SCALE,
    arm_effect,
    arms_report,
)
from kullback.experiments.rows import ArmRows
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.metrics import TallyMetrics
from tests.experiments.arms import (
    PAIRED,
    PARALLEL,
    SLICED,
    found,
    of_arms,
    paired,
    split,
    taken,
)
from tests.experiments.reports import Document, entries, entry, written


def first(document: Document) -> Document:
    return entries(document, "comparisons")[0]


@pytest.mark.parametrize("plan", [PAIRED, PARALLEL], ids=["paired", "parallel"])
def test_of_no_rows_everything_is_there_and_nothing_is_known(plan: Plan) -> None:
    document = written(compare(plan, {}))
    one = first(document)
    assert (one["verdict"], one["reason_code"]) == ("invalid", "empty")
    assert one["effect"] is one["sequence"] is one["e_value"] is one["fixed_interval"] is None
    assert [arm["n"] for arm in entries(document, "arms")] == [0, 0]


def test_of_twenty_arms_all_are_told() -> None:
    arms = tuple(Arm(f"arm {place}", 0.05) for place in range(20))
    rng = np.random.default_rng(0)
    rows = ArmRows(
        np.where(rng.random(4000) < 0.3, 1.0, 0.0),
        rng.random(4000),
        np.arange(4000),
        [f"arm {place % 20}" for place in range(4000)],
    )
    document = written(found(Plan(arms, "arm 7", minimum_effect=0.1), rows))
    assert [arm["arm"] for arm in entries(document, "arms")] == [arm.name for arm in arms]
    assert len(entries(document, "comparisons")) == 19
    assert entry(entry(document, "sample_ratio"), "units") == {arm.name: 200 for arm in arms}


def test_it_says_what_was_planned() -> None:
    plan = replace(PARALLEL, alpha=0.01, minimum_units=50, convention="exact", metric="brier")
    document = written(found(plan, split(paired())))
    asked = ("design", "metric", "control", "alpha", "minimum_effect", "minimum_units")
    assert [document[name] for name in asked] == ["parallel", "brier", "a", 0.01, 0.02, 50]
    assert document["convention"] == "exact"


def test_numbers_are_those_of_the_findings() -> None:
    findings = found(PAIRED, paired(0.1))
    one, told = findings.comparisons[""][0], first(written(findings))
    assert not hasattr(one.effect, "reason")
    assert one.confidence_sequence is not None
    assert told["sequence"] == [one.confidence_sequence.low, one.confidence_sequence.high]
    assert told["e_value"] == one.confidence_sequence.e_value
    assert told["log_e_value"] == one.confidence_sequence.log_e_value
    assert told["p_value"] == one.confidence_sequence.p_value
    assert told["information"] == one.confidence_sequence.information
    assert (told["verdict"], told["reason"]) == (one.verdict.word, one.verdict.reason)
    assert told["relative_effect"] == one.relative
    assert one.explanation is not None
    why = entry(told, "why")
    assert why["statement"] == one.explanation.statement
    assert why["calibration"] == one.explanation.calibration
    assert one.adjusted is not None
    assert entry(told, "adjusted")["holm"] == one.adjusted.holm
    assert entry(told, "adjusted")["e_bh"] is True
    alone = json.loads(to_json(arm_effect(one, 0.05)))
    assert {name: told[name] for name in alone} == alone


def test_arms_are_told_as_their_tallies_read() -> None:
    rows = split(paired())
    parts = tally_arms(PARALLEL, rows)
    document = written(compare(PARALLEL, parts))
    for arm in entries(document, "arms"):
        tally = parts[""].tallies[str(arm["arm"])]
        log_loss = entry(entry(arm, "metrics"), "log_loss")
        assert log_loss["value"] == TallyMetrics(tally).metric("log_loss").value
        assert (arm["n"], arm["weight"]) == (tally.scalar("rows"), tally.scalar("rows"))
        assert arm["effective_sample_size"] == tally.scalar("rows")
        assert arm["units"] == parts[""].units[str(arm["arm"])].whole
        assert len(entries(arm, "reliability")) == 10
        assert 10 < len(entries(arm, "score_histogram")) <= 64
        assert entry(arm, "diagnosis").keys() == {
            *("miscalibration", "discrimination", "uncertainty", "slope", "intercept"),
            *("slope_standard_error", "intercept_standard_error"),
        }


def test_every_other_metric_is_told_and_corrected_for_their_number() -> None:
    document = written(found(PARALLEL, split(paired())))
    metrics = entry(first(document), "metrics")
    assert metrics.keys() == {*FUNCTIONALS, "auc"}
    for metric in metrics.values():
        assert isinstance(metric, dict)
        assert metric["reason"] is None
        assert metric["benjamini_hochberg"] >= metric["fixed_p_value"]
    assert entry(metrics, "log_loss")["effect"] == first(document)["effect"]


def test_a_metric_that_is_none_says_why() -> None:
    rows = replace(paired(), y_true=np.zeros(4000))
    metrics = entry(first(written(found(PAIRED, rows))), "metrics")
    for name, reason in (("normalized_entropy", "one_class"), ("auc", "one_class")):
        assert entry(metrics, name)["reason"] == reason
        assert entry(metrics, name)["effect"] is None
        assert entry(metrics, name)["benjamini_hochberg"] is None
    assert entry(metrics, "brier")["reason"] is None


def test_parallel_arms_come_with_a_warning_and_the_difference_of_base_rates() -> None:
    document = written(found(PARALLEL, split(paired())))
    assert document["warnings"] == [OWN_TRAFFIC.format(metric="log loss")]
    difference = entry(document, "base_rate_difference")
    assert difference == {"b": first(document)["base_rate_difference"]}
    assert isinstance(difference["b"], float)
    paired_document = written(found(PAIRED, paired()))
    assert paired_document["warnings"] == []
    assert "base_rate_difference" not in paired_document
    assert "base_rate_difference" not in first(paired_document)


def test_units_of_both_arms_are_warned_of() -> None:
    rows = split(paired())
    assert rows.arm is not None
    arm = ["a" if at % 20 == 0 else name for at, name in enumerate(rows.arm)]
    document = written(found(PARALLEL, replace(rows, arm=arm)))
    assert isinstance(document["crossover"], float)
    assert 0.01 < document["crossover"] < 0.1
    expected = f"{document['crossover']:.1%} of all units met more than one arm."
    assert document["warnings"] == [OWN_TRAFFIC.format(metric="log loss"), expected]


def test_what_would_mislead_is_warned_of_and_nothing_else() -> None:
    without = written(found(replace(PAIRED, minimum_effect=None), paired()))
    assert without["warnings"] == [NO_SEQUENCE]
    outcomes = written(found(replace(PARALLEL, metric="base_rate"), split(paired())))
    assert outcomes["warnings"] == []
    early = written(found(PAIRED, paired(noise=0.1, n=800)))
    assert first(early)["verdict"] == "not_worse"
    assert early["warnings"] == [ONE_LOOK.format(arm="b")]


def test_the_sample_ratio_names_its_arms() -> None:
    ratio = entry(written(found(PARALLEL, split(paired()))), "sample_ratio")
    units = entry(ratio, "units")
    assert units.keys() == entry(ratio, "expected").keys() == {"a", "b"}
    assert ratio["alarm"] is False
    unknown = entry(written(found(PARALLEL, replace(split(paired()), unit=None))), "sample_ratio")
    assert unknown["units"] is unknown["expected"] is unknown["e_value"] is None
    assert unknown["alarm"] is False
    of_pairs = entry(written(found(PAIRED, paired())), "sample_ratio")
    assert entry(of_pairs, "units")["a"] == entry(of_pairs, "units")["b"]
    assert of_pairs["expected"] is None


def test_thin_arms_have_no_metrics() -> None:
    w = np.ones(4000)
    w[:3] = 1e4
    document = written(found(PAIRED, replace(paired(), weight=w)))
    for arm in entries(document, "arms"):
        for metric in entry(arm, "metrics").values():
            assert isinstance(metric, dict)
            assert (metric["value"], metric["reason"]) == (None, "effective_sample_size")
        assert str(arm["refused"]).startswith("The weights leave")


def test_segments_are_told_in_order_or_of_one_slice_alone() -> None:
    plan = replace(PAIRED, slices=(*SLICED, "os"))
    country = ["DE" if at % 2 else "x=y" for at in range(4000)]
    rows = replace(paired(), slices={"country": country, "os": ["a"] * 4000})
    findings = found(plan, rows)
    groups = entries(written(findings), "groups")
    assert [group["slice"] for group in groups] == [
        {"country": "DE"},
        {"country": "x=y"},
        {"os": "a"},
    ]
    for group in groups:
        for arm in entries(group, "arms"):
            assert arm["units"] is None
            assert "reliability" not in arm
        assert "metrics" not in first(group)
    of_one = arms_report(findings, by="os")
    assert [group.slice for group in of_one.groups] == [{"os": "a"}]
    assert arms_report(findings, by="o").groups == ()


def test_an_arm_with_twice_the_rows_of_its_share_is_warned_of() -> None:
    rows = split(paired(0.2, n=4000))
    assert rows.arm is not None
    second = np.flatnonzero(np.array(rows.arm) == "b")
    twice = taken(rows, np.concatenate([np.arange(4000), second, second]))
    (_, warning) = arms_report(found(PARALLEL, twice)).warnings
    times = 3 * second.size / (4000 - second.size)
    assert warning == MANY_ROWS.format(arm="b", control="a", times=times)
    assert len(arms_report(found(PARALLEL, rows)).warnings) == 1
    planned = replace(PARALLEL, arms=(Arm("a", 0.25), Arm("b", 0.75)))
    assert len(arms_report(found(planned, twice)).warnings) == 1


def test_a_verdict_on_few_heavy_units_names_their_share() -> None:
    rows = paired(noise=3.0, n=4000)
    assert isinstance(rows.unit, np.ndarray)
    scores = of_arms(rows)
    far = np.argsort(np.abs(scores["b"] - scores["a"]))[-20:]
    whale = rows.unit.copy()
    whale[far] = 7
    report = arms_report(found(PAIRED, replace(rows, unit=whale)))
    (one,) = report.comparisons
    assert one.largest_share is not None
    assert one.largest_share > 0.1
    assert one.verdict in {"better", "worse"}
    assert HEAVY.format(arm="b", share=one.largest_share) in report.warnings


def test_auc_has_a_sequence_from_the_burn_in_on_and_other_metrics_have_none() -> None:
    findings = found(PAIRED, paired(noise=3.0))
    (one,) = arms_report(findings).comparisons
    sequences = {name: each.sequence for name, each in one.metrics.items()}
    (comparison,) = findings.comparisons[""]
    assert comparison.explanation is not None
    area = comparison.explanation.auc
    assert isinstance(area, Contrast)
    sequence = confidence_sequence(area, AUC_SCALE, 0.05)
    assert sequences.pop("auc") == (sequence.low, sequence.high)
    assert sequence.high < 0
    assert set(sequences.values()) == {None}
    (early,) = arms_report(found(PAIRED, paired(n=40))).comparisons
    assert early.metrics["auc"].sequence is None
    (one_class,) = arms_report(found(PAIRED, ones(paired()))).comparisons
    assert one_class.metrics["auc"].sequence is None


def ones(rows: ArmRows) -> ArmRows:
    return replace(rows, y_true=np.ones(len(rows)))
