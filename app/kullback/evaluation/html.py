"""Report as one HTML file without scripts and without requests."""

from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined

from kullback.evaluation.job import NO_UNIT
from kullback.experiments import wording
from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.reading import reading
from kullback.figures import experiment_timeline, reliability, score_histogram
from kullback.figures.difference_parts import difference_parts
from kullback.figures.figure import Figure
from kullback.figures.forest import MOST_ROWS, forest
from kullback.figures.segment_effects import effects
from kullback.figures.svg import svg
from kullback.figures.typesetting import typeset


def page(report: EvaluationReport) -> str:
    """The page of a report: verdicts, pictures with their numbers, and how to read them."""
    timelines = [experiment_timeline.over_rows(report, pair) for pair in report.comparisons]
    control = next(arm for arm in report.arms if arm.arm == report.control)
    pairs = [[control, arm] for arm in report.arms if arm is not control]
    arms = [
        (
            reliability.of_arms(pair, f"reliability-{at}"),
            score_histogram.of_arms(pair, f"scores-{at}"),
        )
        for at, pair in enumerate(pairs)
    ]
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            effects=effects(report),
            forest=forest(report),
            most_rows=MOST_ROWS,
            timelines=_drawn(figure for figures in timelines for figure in figures),
            parts=_drawn(map(difference_parts, report.comparisons)),
            arms=_drawn(figure for figures in arms for figure in figures),
            wording=wording,
            reading=reading(report),
            caution=NO_UNIT if NO_UNIT in report.warnings else "",
            title=_title(report),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kullback.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"typeset": typeset, "svg": svg}
    return environment


def _drawn(figures: Iterable[Figure | None]) -> list[Figure]:
    return [figure for figure in figures if figure is not None and not figure.is_empty]


def _title(report: EvaluationReport) -> str:
    arms = ", ".join(comparison.arm for comparison in report.comparisons)
    return f"{arms} against {report.control}"
