"""`kullback evaluate`: its options."""

from typing import Annotated

import typer
from rich.markup import escape

from kullback.cli.terminal import Failure, fail
from kullback.experiments.plan import MINIMUM_UNITS

_INTERRUPTED = 130
_COLUMNS, _PLAN, _WORK, _OUTPUT = "Columns", "What is asked", "Who does the work", "What is left"
EXAMPLES = """\
Examples:

  kullback evaluate logs/ --y-true click --y-proba p --arm variant --unit user_id

  kullback evaluate 'logs/day=*/*.parquet' --y-true click --paired old=p_a,new=p_b --unit user_id \
--minimum-effect 0.0005 --by country --html report.html

Rows that lack a label, a prediction, a unit, an arm or a weight are counted and left out. \
Without --minimum-effect, the smallest effect worth knowing of, nothing is decided.

Exit status: 0 a report, whatever its verdict; 1 the work stopped; 2 the command or a file cannot \
be used; 130 it was interrupted. Files are whole, or not there at all."""


def _column(words: str, metavar: str = "COL") -> typer.models.OptionInfo:
    return _option(words, metavar, _COLUMNS)


def _option(words: str, metavar: str, panel: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(
        help=escape(words), metavar=metavar, rich_help_panel=panel
    )
    return info


_Files = Annotated[
    list[str],
    typer.Argument(help="Parquet files, directories of them, or 'patterns'.", metavar="FILES..."),
]
_YTrue = Annotated[str, _column("Labels: 0 and 1, booleans, or shares between.")]
_YProba = Annotated[str | None, _column("P(1) of each row, by the arm that --arm names.")]
_Arm = Annotated[str | None, _column("The arm of each row.")]
_Paired = Annotated[
    str | None,
    _column("P(1) of every arm for every row; an arm is named as its column.", "[NAME=]COL,…"),
]
_Unit = Annotated[str | None, _column("Whom a row is about, else rows are independent.")]
_Weight = Annotated[str | None, _column("The weight of each row.")]
_By = Annotated[list[str] | None, _column("Tell segments apart by this; may be repeated.")]
_Propensity = Annotated[str | None, _column("How likely what was shown was to be shown.")]
_Target = Annotated[str | None, _column("The same under the policy to be judged.")]
_Metric = Annotated[
    str, _option("What decides.", "log_loss|normalized_entropy|brier|base_rate", _PLAN)
]
_Control = Annotated[
    str | None, _option("The arm that others are compared with, else the first.", "ARM", _PLAN)
]
_Shares = Annotated[
    str | None,
    _option("The planned part of the units of each arm, else equal.", "ARM=SHARE,…", _PLAN),
]
_Assignment = Annotated[
    str, _option("What went to an arm: a unit, or each request apart.", "unit|request", _PLAN)
]
_Effect = Annotated[float | None, _option("The smallest effect worth knowing of.", "EFFECT", _PLAN)]
_MinimumUnits = Annotated[int, _option("No verdict before each arm has so many.", "N", _PLAN)]
_Alpha = Annotated[float, _option("How often a false difference may be claimed.", "ALPHA", _PLAN)]
_Convention = Annotated[str, _option("Whose log loss.", "NAME", _PLAN)]
_Processes = Annotated[
    int | None,
    typer.Option(
        help="Processes on this machine, else one per CPU.",
        metavar="N",
        min=1,
        rich_help_panel=_WORK,
    ),
]
_Dask = Annotated[str | None, _option("A Dask scheduler instead.", "tcp://…", _WORK)]
_Json = Annotated[str | None, _option("Write the report as JSON.", "FILE|-", _OUTPUT)]
_Html = Annotated[str | None, _option("Write a page with pictures.", "FILE", _OUTPUT)]
_Markdown = Annotated[str | None, _option("Write a page to paste.", "FILE|-", _OUTPUT)]


def evaluate(  # noqa: PLR0913 - each is an option of the command
    *,
    files: _Files,
    y_true: _YTrue,
    y_proba: _YProba = None,
    arm: _Arm = None,
    paired: _Paired = None,
    unit: _Unit = None,
    weight: _Weight = None,
    by: _By = None,
    propensity: _Propensity = None,
    target_propensity: _Target = None,
    metric: _Metric = "log_loss",
    control: _Control = None,
    shares: _Shares = None,
    assignment: _Assignment = "unit",
    minimum_effect: _Effect = None,
    minimum_units: _MinimumUnits = MINIMUM_UNITS,
    alpha: _Alpha = 0.05,
    convention: _Convention = "sklearn",
    workers: _Processes = None,
    dask: _Dask = None,
    json: _Json = None,
    html: _Html = None,
    markdown: _Markdown = None,
) -> None:
    """Compare recommenders by their logs: Parquet files of any size, on every CPU or on Dask."""
    # imported here: a service that is started by this command never reads a file
    from kullback.cli.evaluate.plan import EvaluateOptions  # noqa: PLC0415
    from kullback.cli.evaluate.run import ExecutorOptions, run  # noqa: PLC0415

    settings = {
        "control": control,
        "assignment": assignment,
        "metric": metric,
        "alpha": alpha,
        "minimum_effect": minimum_effect,
        "minimum_units": minimum_units,
        "convention": convention,
    }
    predictions = (y_true, y_proba, arm, paired, unit, weight)
    asked = EvaluateOptions(*predictions, by or (), propensity, target_propensity, shares, settings)
    targets = {"--json": json, "--html": html, "--markdown": markdown}
    try:
        run(asked, files, ExecutorOptions(workers, dask), targets)
    except Failure as failure:
        raise fail(failure) from failure
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was written", err=True)
        raise typer.Exit(_INTERRUPTED) from None
