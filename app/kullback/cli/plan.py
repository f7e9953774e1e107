"""`kullback plan`: units and days that an experiment takes, by a log of before."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from kullback.cli import outputs
from kullback.cli.terminal import Failure, Status, fail, printable
from kullback.documents import to_json
from kullback.errors import InvalidInput, KullbackError
from kullback.experiments.sample_size import ExperimentSize
from kullback.numerics.digits import decimals, number

commands = typer.Typer(rich_markup_mode="rich")
_WIDE = 200
_EXAMPLES = """\
Examples:

  kullback plan clicks.parquet --y-true click --y-proba p --unit user_id --minimum-effect 1% \
--units-per-day 5000

  kullback plan shadow/ --y-true click --paired old=p_a,new=p_b --unit user_id \
--units-per-day 5000 --days 7,14

Exit status: 0 an answer; 1 the work stopped; 2 the command or a file cannot be used."""


def _option(words: str, metavar: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(help=escape(words), metavar=metavar)
    return info


_Files = Annotated[
    list[str],
    typer.Argument(
        help="Files of Parquet, CSV, JSON lines or Arrow, or directories of them.",
        metavar="FILES...",
    ),
]
_YTrue = Annotated[str, _option("Labels: 0 and 1, booleans, or shares in between.", "COL")]
_YProba = Annotated[str | None, _option("P(1) of each row, of one model.", "COL")]
_Paired = Annotated[str | None, _option("P(1) of every arm for every row.", "[NAME=]COL,…")]
_Unit = Annotated[str | None, _option("Unit of each row; default every row on its own.", "COL")]
_Shares = Annotated[
    str | None,
    _option("Planned share of the units of each arm, control first; default half.", "ARM=SHARE,…"),
]
_Metric = Annotated[
    str, _option("Metric that decides.", "log_loss|normalized_entropy|brier|base_rate")
]
_Effect = Annotated[
    str | None, _option("Smallest effect that matters, or 2% of the control's.", "EFFECT")
]
_Objective = Annotated[
    str, _option("What is asked: superiority, non_inferiority or equivalence.", "NAME")
]
_Alpha = Annotated[
    float, _option("Largest probability of claiming a difference that does not exist.", "ALPHA")
]
_Daily = Annotated[float | None, _option("Units that come a day.", "N")]
_Days = Annotated[
    str | None, _option("Durations whose detectable effects are shown; default 7,14,28.", "N,…")
]
_Json = Annotated[str | None, _option("Write the answer as JSON.", "FILE|-")]


@commands.command(no_args_is_help=True, epilog=escape(_EXAMPLES))
def plan(  # noqa: PLR0913 - each is an option of the command
    *,
    files: _Files,
    y_true: _YTrue,
    y_proba: _YProba = None,
    paired: _Paired = None,
    unit: _Unit = None,
    shares: _Shares = None,
    metric: _Metric = "log_loss",
    minimum_effect: _Effect = None,
    objective: _Objective = "superiority",
    alpha: _Alpha = 0.05,
    units_per_day: _Daily = None,
    days: _Days = None,
    json: _Json = None,
) -> None:
    """Plan an experiment: units and days for an effect, and effects for days, by a pilot log."""
    # imported here: a service that is started by this command never reads a file
    from kullback.cli.pilot_files import PilotFiles  # noqa: PLC0415

    settings = {
        "metric": metric,
        "alpha": alpha,
        "minimum_effect": None if minimum_effect is None else _number(minimum_effect),
        "objective": objective,
    }
    try:
        outputs.check({"--json": json})
        pilot = PilotFiles(y_true, y_proba, paired, unit, shares, settings)
        size = pilot.size(files, _days(days), units_per_day)
        if json is None:
            _show(size)
        else:
            outputs.write({json: to_json(size, indent=2).decode()})
    except KullbackError as error:
        raise fail(Failure(error.message, Status.UNUSABLE)) from error
    except Failure as failure:
        raise fail(failure) from failure


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _days(text: str | None) -> list[float]:
    try:
        days = [] if text is None else [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidInput(f"--days {text}: numbers with commas in between are expected") from error
    if any(not 0 < each <= 3650 for each in days):
        raise InvalidInput(f"--days {text}: days are above 0, and at most 3650")
    return days


def _show(size: ExperimentSize) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    for line in lines(size):
        console.print(printable(line), markup=False)


def lines(size: ExperimentSize) -> Sequence[str]:
    """The answer as it stands in a terminal."""
    pilot, metric = size.pilot, size.metric.replace("_", " ")
    unit = " nats" if size.metric == "log_loss" else ""
    value = number(pilot.value, decimals(abs(pilot.value) / 1000))
    written = [
        f"Pilot: {pilot.units:,.0f} {pilot.of}, {pilot.rows:,} rows, {metric} {value}{unit}.",
    ]
    if size.minimum_effect is not None:
        effect = f"{size.minimum_effect:.3g}{unit}"
        written.append(f"To find a difference of {effect} ({size.arm} against {size.control}):")
        for each in size.sizes:
            arms = ", ".join(f"{name} {count:,}" for name, count in each.arms.items())
            days = "" if each.days is None else f", {each.days:,.1f} days"
            written.append(
                f"  {_METHODS[each.method]}, {each.power:.0%} power: {each.units:,} {pilot.of} "
                f"({arms}){days}"
            )
    for duration in dict.fromkeys(each.days for each in size.detectable):
        several = [each for each in size.detectable if each.days == duration]
        effects = "; ".join(
            f"{_METHODS[each.method]}, {each.power:.0%} power: {each.effect:.3g}{unit}"
            f"{_percent(each.relative_effect)}"
            for each in several
        )
        written.append(f"{duration:g} days ({several[0].units:,} {pilot.of}) find: {effects}")
    return written


_METHODS = {"fixed": "one planned look", "sequence": "any look"}


def _percent(share: float | None) -> str:
    return "" if share is None else f" ({share:.2%})"
