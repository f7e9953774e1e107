"""Report as one HTML file without scripts and without requests."""

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from kullback.evaluation import course, pictures
from kullback.experiments import wording
from kullback.experiments.report import EvaluationReport

_MINUS = re.compile(r"(?<!\w)-(?=\d)")


def page(report: EvaluationReport) -> str:
    """The page of a report: verdicts, pictures with their numbers, and how to read them."""
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            rows=pictures.rows(report),
            pictures=pictures,
            course=course,
            wording=wording,
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
    environment.filters["typeset"] = _typeset
    environment.filters["exact"] = _exact
    return environment


def _typeset(words: str) -> str:
    """Words whose numbers have true minus signs, and whose e-values stay on one line."""
    return _MINUS.sub("−", words).replace("e-value", "e\u2011value")


def _exact(value: float | None) -> str:
    """A number of a picture, to six digits."""
    return wording.UNKNOWN if value is None else _typeset(f"{value:.6g}")


def _title(report: EvaluationReport) -> str:
    arms = ", ".join(comparison.arm for comparison in report.comparisons)
    return f"{arms} against {report.control}"
