"""A report as Markdown: its words, its tables and its numbers."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.documents import extended
from kullback.experiments import wording
from kullback.experiments.comparison import compare
from kullback.experiments.page import escaped, markdown
from kullback.experiments.report import (
    ExperimentReport,
    FirstAnswer,
    FirstCrossing,
    ParallelComparison,
)
from kullback.experiments.reporting import arms_report
from kullback.experiments.stops import Stop
from kullback.experiments.verdict import VerdictWord
from kullback.numerics.reasons import Reason
from kullback.tally.report_types import AucValue, MetricValue
from tests.experiments import documents
from tests.experiments.arms import PAIRED, found, paired
from tests.experiments.documents import HOSTILE

DOCUMENTS = documents.all_of_them()
CROSSING = FirstCrossing(
    version=7,
    at=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
    arm="new",
    verdict=VerdictWord.BETTER,
    effect=-0.25,
    standard_error=0.05,
    sequence=(-0.4, -0.1),
    e_value=4021.0,
    log_e_value=math.log(4021.0),
)
CELL = re.compile(r"(?<!\\)\|")


def tables(page: str) -> list[list[list[str]]]:
    """The cells of each table, without the line below the head."""
    blocks = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    found = [[[cell.strip() for cell in CELL.split(line)[1:-1]] for line in one] for one in blocks]
    return [[head, *rows] for head, _, *rows in found]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_row_of_a_table_has_a_cell_for_each_title(name: str) -> None:
    found = tables(markdown(DOCUMENTS[name]))
    assert len(found) >= 2
    for head, *rows in found:
        assert rows
        assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        (VerdictWord.BETTER, "**new is better than old**"),
        ("worse", "**new is worse than old**"),
        ("without_minimum", "**new against old: not decided yet**"),
        ("unbalanced", "**new against old: no verdict, as the data cannot carry one**"),
        ("thin", "**new against old: no verdict, as the data cannot carry one**"),
        ("empty", "**new against old: no verdict, as the data cannot carry one**"),
    ],
)
def test_a_page_says_the_verdict_in_words(name: str, claim: str) -> None:
    assert claim in markdown(DOCUMENTS[name])


def test_the_headline_has_effect_unit_sequence_and_e_value() -> None:
    document = DOCUMENTS[VerdictWord.BETTER]
    (one,) = document.comparisons
    assert one.effect is not None
    assert one.sequence is not None
    assert one.standard_error is not None
    (line,) = [line for line in markdown(document).splitlines() if line.startswith("**")]
    found = [float(word) for word in re.findall(r"[-+]\d\.\d+(?!%)", line)[:4]]
    effect, low, high = found[0], found[-2], found[-1]
    digits = one.standard_error / 10
    assert effect == pytest.approx(one.effect, abs=digits)
    assert (low, high) == pytest.approx(one.sequence, abs=digits)
    assert " nats " in line
    assert "e-value" in line
    assert one.reason.replace("_", "\\_") in line


def test_the_arms_have_the_numbers_of_the_document() -> None:
    document = DOCUMENTS[VerdictWord.BETTER]
    (head, *rows), *_ = tables(markdown(document))
    at = head.index("Log loss (nats)")
    for row, arm in zip(rows, document.arms, strict=True):
        assert row[0] == arm.arm
        assert row[1] == f"{arm.n:,}"
        value = arm.metrics["log_loss"].value
        shown, error = map(float, row[at].split(" ± "))
        assert shown == pytest.approx(value, abs=error / 10)
        assert error == pytest.approx(arm.metrics["log_loss"].standard_error, rel=0.05)


def test_the_interval_of_one_look_is_called_so() -> None:
    _, (head, *_) = tables(markdown(DOCUMENTS[VerdictWord.BETTER]))
    assert "95% interval (one look)" in head
    assert "95% confidence sequence (every look)" in head


def test_segments_stand_beside_all_rows_with_what_e_bh_claims() -> None:
    *_, (head, *rows) = tables(markdown(DOCUMENTS["segmented"]))
    claims = {(row[0], row[1]): row[head.index("Claimed among all (e-BH)")] for row in rows}
    assert claims["all rows", escaped(HOSTILE)] == "yes"
    assert claims["country = x", "like"] == "no"
    assert len(rows) == 6


def test_names_mean_nothing_to_markdown() -> None:
    page = markdown(DOCUMENTS["segmented"])
    assert "<" not in page.replace("\\<", "")
    assert "`" not in page.replace("\\`", "")
    assert "](" not in page.replace("\\](", "")


@given(st.text())
def test_an_escaped_text_is_one_cell_and_loses_no_word(text: str) -> None:
    found = escaped(text)
    assert len(found.splitlines()) <= 1
    assert not CELL.search(found.replace("\\\\", ""))
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", found)
    assert plain == " ".join(text.split())


def test_no_address_becomes_a_link() -> None:
    assert "://" not in escaped("see http://example.org")


def test_a_sample_ratio_that_alarms_is_told_with_its_units() -> None:
    page = markdown(DOCUMENTS["unbalanced"])
    assert "Sample ratio: mismatch." in page
    assert re.search(r"chi-square p-value of this one look [\d.]+ × 10⁻\S+\.", page)
    assert "Crossover: 0% of units" in page
    assert "Its base rate differs by" in page


def test_thin_weights_are_told_beside_the_arms() -> None:
    page = markdown(DOCUMENTS["thin"])
    assert "- old: The weights leave" in page
    assert "Without a verdict this describes the rows at hand and no more." in page


def test_what_was_excluded_is_counted_by_cause() -> None:
    page = markdown(
        replace(DOCUMENTS[VerdictWord.BETTER], excluded={"y_true": 1203, "y_proba.b": 0})
    )
    assert "Excluded: 1,203 rows without y\\_true." in page
    assert "y\\_proba.b" not in page


def test_an_experiment_is_named_with_its_version_and_first_verdicts() -> None:
    document = extended(
        ExperimentReport,
        arms_report(compare(documents.plan("old", "new"), {})),
        experiment="home-ranking",
        epoch=2,
        version=41,
        ignored=1,
        stopped=Stop(1767312000.0, "shipped"),
        first_crossing=(CROSSING,),
        first_answers=(extended(FirstAnswer, CROSSING, question="margin"),),
    )
    page = markdown(document)
    assert page.startswith("# Experiment home-ranking\n")
    assert "Epoch: 2 · Stopped: 2026-01-02T00:00:00Z: shipped" in page
    assert "Left out: 1 of arms that are not planned" in page
    words = (
        "new: better since 2026-01-01T00:00:00Z; then the effect was -0.250 ± 0.050, and the "
        "evidence of a difference very strong (4,021)"
    )
    assert f"- {words}" in page
    assert "- new, margin: better since 2026-01-01T00:00:00Z; then the effect was" in page
    assert "First verdicts" not in markdown(DOCUMENTS[VerdictWord.BETTER])


def test_a_metric_is_told_with_its_error_and_no_digit_beyond_it() -> None:
    assert wording.measured(AucValue(0.5, "finite", None, 0.01, 0.002)) == "0.500 ± 0.010"
    assert wording.measured(AucValue(0.5, "finite", None, 0.0012, 0.02)) == "0.500 ± 0.001"
    assert wording.measured(AucValue(1.0, "finite", None, 0.0, 0.0)) == "1.000"
    assert wording.measured(AucValue(None, "undefined", Reason.ONE_CLASS, None, None)) == "—"
    assert wording.measured(MetricValue(None, "undefined", Reason.ONE_CLASS, None)) == "—"


@pytest.mark.parametrize(
    ("e_value", "told"),
    [
        (0.999, "none"),
        (1.0, "hardly worth a mention"),
        (2.99, "hardly worth a mention"),
        (3.0, "positive"),
        (19.9, "positive"),
        (20.0, "strong"),
        (149.0, "strong"),
        (150.0, "very strong"),
        (1e308, "very strong"),
    ],
)
def test_evidence_has_words_on_the_scale_of_kass_and_raftery(e_value: float, told: str) -> None:
    assert wording.strength(e_value) == told


@pytest.mark.parametrize(("p", "told"), [(None, "—"), (9e-4, "< 0.001"), (0.0344, "0.034")])
def test_a_small_p_value_is_told_as_small(p: float | None, told: str) -> None:
    assert wording.p_cell(p) == told


def test_an_interval_that_tells_nothing_is_left_out_with_its_reason() -> None:
    (comparison,) = DOCUMENTS[VerdictWord.BETTER].comparisons
    wild = replace(comparison, sequence=(-4.2e67, 4.2e67))
    assert wording.interval(wild.sequence, wild.standard_error) == "—"
    assert "There are too few units yet" in wording.evidence(DOCUMENTS["better"], wild)
    assert "e+67" not in markdown(replace(DOCUMENTS["better"], comparisons=(wild,)))


def test_little_known_is_told_without_invention() -> None:
    assert wording.percent(None) == "—"
    shares = (0.05, 0.1234567, -0.5, 9.98, 19.4, -1e7, 1e-9, 0.0)
    assert [wording.percent(share, signed=True) for share in shares] == [
        *("+5%", "+12.3%", "-50%", "+998%", "+1,940%", "-1,000,000,000%", "+1.000e-07%", "0%"),
    ]
    assert wording.interval(None, 0.1) == "—"
    (comparison,) = DOCUMENTS[VerdictWord.BETTER].comparisons
    assert wording.explanation(replace(comparison, why=None)) == ""
    (parallel,) = DOCUMENTS["unbalanced"].comparisons
    assert isinstance(parallel, ParallelComparison)
    assert wording.explanation(replace(parallel, why=None, base_rate_difference=None)) == ""


def test_a_first_verdict_without_evidence_that_can_be_told_is_told() -> None:
    assert wording.crossing(replace(CROSSING, e_value=0.0, log_e_value=None)).endswith(
        "difference none (0)"
    )


def test_a_relative_effect_is_told_with_its_sequence_or_why_there_is_none() -> None:
    (one,) = arms_report(found(PAIRED, paired(noise=1.5))).comparisons
    assert one.relative_sequence is not None
    assert one.relative_effect is not None
    words = wording.relative_in_full(one)
    low, high = (f"{100 * end:+.1f}%" for end in one.relative_sequence)
    assert words == f"{100 * one.relative_effect:+.1f}% ({low} to {high})"
    reason = Reason.CONTROL_NEAR_ZERO
    unbounded = replace(one, relative_sequence=None, relative_reason=reason)
    assert wording.relative_in_full(unbounded).endswith(f"% (—: {reason.sentence})")
    assert wording.relative_in_full(replace(one, relative_sequence=None)).endswith("%")
