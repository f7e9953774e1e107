"""`kullback evaluate`: its options."""

from typing import Annotated

import typer
from rich.markup import escape

from kullback.cli.terminal import Failure, fail
from kullback.experiments.plan import MINIMUM_UNITS

commands = typer.Typer(rich_markup_mode="rich")
_INTERRUPTED = 130
_COLUMNS, _PLAN, _WORK, _OUTPUT = "Columns", "Plan of the comparison", "Workers", "Output"
_EXAMPLES = """\
Examples:

  kullback evaluate logs/ --y-true click --y-proba p --arm variant --unit user_id

  kullback evaluate 'logs/day=*/*.parquet' --y-true click --paired old=p_a,new=p_b --unit user_id \
--minimum-effect 0.0005 --by country --html report.html

Rows that lack a label, a prediction, a unit, an arm or a weight are counted and left out. \
Without --minimum-effect, the smallest effect that matters, nothing is decided.

Exit status: 0 a report, whatever its verdict; 1 the work stopped; 2 the command or a file cannot \
be used; 130 it was interrupted. Files are written whole or not at all."""


def _column(words: str, metavar: str = "COL") -> typer.models.OptionInfo:
    return _option(words, metavar, _COLUMNS)


def _option(words: str, metavar: str, panel: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(
        help=escape(words), metavar=metavar, rich_help_panel=panel
    )
    return info


_Files = Annotated[
    list[str],
    typer.Argument(
        help="Files of Parquet, CSV, JSON lines or Arrow, directories of them, or 'patterns'; "
        "also at s3://…, gs://… or file://….",
        metavar="FILES...",
    ),
]
_YTrue = Annotated[str, _column("Labels: 0 and 1, booleans, or shares in between.")]
_PosLabel = Annotated[
    str | None, _column("Positive label, where labels are names or not 0 and 1.", "LABEL")
]
_YProba = Annotated[str | None, _column("P(1) of each row, predicted by the arm that --arm names.")]
_Arm = Annotated[str | None, _column("Arm of each row.")]
_Paired = Annotated[
    str | None,
    _column(
        "P(1) of every arm for every row; without NAME an arm has the name of its column.",
        "[NAME=]COL,…",
    ),
]
_Unit = Annotated[
    str | None, _column("Unit of each row, such as a user id; default every row on its own.")
]
_Weight = Annotated[str | None, _column("Weight of each row.")]
_By = Annotated[
    list[str] | None, _column("Report each value of this column as a segment; may be repeated.")
]
_Propensity = Annotated[
    str | None,
    _column("Logging propensity: probability with which the logging policy showed this item."),
]
_Target = Annotated[
    str | None,
    _column(
        "Target propensity: probability with which the policy to be evaluated shows this item."
    ),
]
_Metric = Annotated[
    str, _option("Metric that decides.", "log_loss|normalized_entropy|brier|base_rate", _PLAN)
]
_Control = Annotated[
    str | None, _option("Arm that the others are compared with; default the first.", "ARM", _PLAN)
]
_Shares = Annotated[
    str | None,
    _option("Planned share of the units of each arm; default equal.", "ARM=SHARE,…", _PLAN),
]
_OtherArms = Annotated[
    str,
    _option(
        "Rows of arms that --shares does not name: error refuses them, ignore leaves them out.",
        "error|ignore",
        _PLAN,
    ),
]
_Assignment = Annotated[
    str,
    _option(
        "What is assigned to an arm: a unit with all its rows, or each request.",
        "unit|request",
        _PLAN,
    ),
]
_Effect = Annotated[
    str | None,
    _option(
        "Smallest effect that matters, or 2% of the control's; without it nothing is decided.",
        "EFFECT",
        _PLAN,
    ),
]
_MinimumUnits = Annotated[int, _option("Units that each arm needs before a verdict.", "N", _PLAN)]
_Objective = Annotated[
    str, _option("What is asked: superiority, non_inferiority or equivalence.", "NAME", _PLAN)
]
_Power = Annotated[
    float | None,
    _option("Power of a planned horizon to find that effect; default no horizon.", "POWER", _PLAN),
]
_Alpha = Annotated[
    float,
    _option("Largest probability of claiming a difference that does not exist.", "ALPHA", _PLAN),
]
_Convention = Annotated[str, _option("Library whose log loss to use.", "NAME", _PLAN)]
_Processes = Annotated[
    int | None,
    typer.Option(
        help="Processes on this machine; default one per CPU.",
        metavar="N",
        min=1,
        rich_help_panel=_WORK,
    ),
]
_Dask = Annotated[
    str | None, _option("Address of a Dask scheduler to use instead.", "tcp://…", _WORK)
]
_Json = Annotated[str | None, _option("Write the report as JSON.", "FILE|-", _OUTPUT)]
_Html = Annotated[str | None, _option("Write the report as a page with pictures.", "FILE", _OUTPUT)]
_Markdown = Annotated[str | None, _option("Write the report as Markdown.", "FILE|-", _OUTPUT)]


@commands.command(no_args_is_help=True, epilog=escape(_EXAMPLES))
def evaluate(  # noqa: PLR0913 - each is an option of the command
    *,
    files: _Files,
    y_true: _YTrue,
    pos_label: _PosLabel = None,
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
    other_arms: _OtherArms = "error",
    assignment: _Assignment = "unit",
    minimum_effect: _Effect = None,
    minimum_units: _MinimumUnits = MINIMUM_UNITS,
    objective: _Objective = "superiority",
    power: _Power = None,
    alpha: _Alpha = 0.05,
    convention: _Convention = "sklearn",
    workers: _Processes = None,
    dask: _Dask = None,
    json: _Json = None,
    html: _Html = None,
    markdown: _Markdown = None,
) -> None:
    """Compare recommenders by their logs: files of any size, on every CPU or on Dask."""
    # imported here: a service that is started by this command never reads a file
    from kullback.cli.evaluate.plan import EvaluateOptions  # noqa: PLC0415
    from kullback.cli.evaluate.run import ExecutorOptions, run  # noqa: PLC0415

    settings = {
        "control": control,
        "assignment": assignment,
        "metric": metric,
        "alpha": alpha,
        "minimum_effect": None if minimum_effect is None else _number(minimum_effect),
        "minimum_units": minimum_units,
        "objective": objective,
        "power": power,
        "convention": convention,
    }
    predictions = (y_true, y_proba, arm, paired, unit, weight)
    propensities = (propensity, target_propensity)
    options = EvaluateOptions(
        *predictions, by or (), *propensities, shares, settings, pos_label, other_arms
    )
    targets = {"--json": json, "--html": html, "--markdown": markdown}
    try:
        run(options, files, ExecutorOptions(workers, dask), targets)
    except Failure as failure:
        raise fail(failure) from failure
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was written", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _number(text: str) -> float | str:
    """The number that a text is, or else the text."""
    try:
        return float(text)
    except ValueError:
        return text
