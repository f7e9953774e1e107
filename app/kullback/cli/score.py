"""`kullback score`: one command per metric, with the options of its request."""

import inspect
import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.markup import escape
from typer.core import TyperGroup

from kullback.cli import file_types
from kullback.cli.client import KEYS, Service, score_here
from kullback.cli.terminal import Failure, Status, fail, print_answer, waiting
from kullback.errors import InvalidInput, KullbackError
from kullback.payload.columns import Column
from kullback.payload.dialect import Dialect
from kullback.payload.whole_numbers import WRITTEN
from kullback.requests import REQUESTS
from kullback.requests.several import columns_of, metric_names
from kullback.scoring.catalog import METRICS

_COLUMNS, _OPTIONS = "Columns of a table", "Options of the score"
_EXAMPLES = """\
Examples:

  kullback score log-loss request.json

  kullback score log-loss clicks.csv --y-true clicked --y-proba p --base 2

  kullback score log-loss pets.csv --y-true pet --y-proba p_dog,p_cat --labels dog,cat

  kullback score recommender clicks.parquet --y-true click --y-proba p --group user

  kullback score log-loss,calibration,recommender clicks.parquet

  echo '{"p": [0.5, 0.5]}' | kullback score entropy -

A JSON file is a request and is passed as it is. A table (.csv, .tsv, .csv.gz, .parquet, .arrow) \
becomes a request: without column options from the columns that have the names of fields, with \
column options from the columns that they name, and no others. Several columns make rows.

Exit status: 0 an answer, also an infinite or undefined one; 1 the request is refused; 2 the \
command or the file cannot be used; 3 the service cannot be reached."""

Given = str | bool | list[str] | None
_File = Annotated[
    str,
    typer.Argument(
        help="A file, or - for standard input, which holds JSON unless --type says otherwise.",
        metavar="FILE|-",
    ),
]
_Type = Annotated[
    file_types.FileType | None, typer.Option(help="What FILE holds, if its name does not say.")
]
_Option = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=VALUE", help="Any option below, by its name."),
]
_Delimiter = Annotated[
    str | None, typer.Option(help="Sign between the cells of a CSV file.", metavar="SIGN")
]
_Decimal = Annotated[
    str | None, typer.Option(help="Decimal sign of its numbers, as in ','.", metavar="SIGN")
]
_Encoding = Annotated[
    str | None, typer.Option(help="Encoding of its text, if not UTF-8, as in latin-1.")
]
_Header = Annotated[
    bool,
    typer.Option(
        "--header/--no-header",
        help="Whether its first row names the columns; else 1, 2, and so on.",
    ),
]
_Url = Annotated[
    str | None,
    typer.Option(help="Address of a service to ask instead, as in http://127.0.0.1:8000."),
]
Key = Annotated[
    str | None,
    typer.Option(help="Key that the service asks for; better where nobody sees it.", envvar=KEYS),
]
_Timeout = Annotated[float, typer.Option(help="Seconds to wait for the service.", min=0.001)]
_Pretty = Annotated[
    bool | None,
    typer.Option("--pretty/--compact", help="Indent the answer; default in a terminal."),
]


class _Metrics(TyperGroup):
    """The commands of the metrics; names with commas in between are a command too."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - of typer's own click
        """See click.Group."""
        if "," not in cmd_name:
            return super().get_command(ctx, cmd_name)
        try:
            names = metric_names(cmd_name.split(","))
        except InvalidInput as error:
            detail = error.offences[0].detail
            raise fail(Failure(f"{cmd_name}: {detail}", Status.UNUSABLE)) from error
        several = typer.Typer(add_completion=False, rich_markup_mode="rich")
        text = f"Several metrics of one file, which is read once: {', '.join(names)}."
        several.command(cmd_name, help=text)(_command(names))
        return typer.main.get_command(several)


commands = typer.Typer(rich_markup_mode="rich")
score = typer.Typer(
    cls=_Metrics,
    no_args_is_help=True,
    subcommand_metavar="METRIC[,METRIC…] FILE|-",
    rich_markup_mode="rich",
    help="Score a file: print what POST /v1/scores/METRIC answers, or POST /v1/scores of several.",
    epilog=escape(_EXAMPLES),
)
commands.add_typer(score, name="score")


def _command(names: Sequence[str]) -> Callable[..., None]:
    """What runs for these metrics; its signature names the fields of their requests."""
    models = [REQUESTS[name] for name in reversed(names)]
    options = {field: info for model in models for field, info in model.model_fields.items()}
    fields = columns_of(names)

    def run(  # noqa: PLR0913 - each is an option of the command
        *,
        file: _File,
        type: _Type = None,  # noqa: A002 - the name of the option
        url: _Url = None,
        key: Key = None,
        timeout: _Timeout = 60.0,
        pretty: _Pretty = None,
        option: _Option = None,
        delimiter: _Delimiter = None,
        decimal: _Decimal = None,
        encoding: _Encoding = None,
        header: _Header = True,
        **given: Given,
    ) -> None:
        named = {field: names for field, names in given.items() if isinstance(names, list)}
        try:
            query = [pair for field, value in given.items() for pair in _query(field, value)]
            query += [_pair(text) for text in option or ()]
            kind = file_types.file_type(file, type)
            dialect = _dialect(kind, delimiter, decimal, encoding, header=header)
            # imported here: a service that is started by this command never reads a file
            from kullback.cli import files  # noqa: PLC0415

            with waiting(file_types.size(file), f"{', '.join(names)} of {file}"):
                request = files.read(files.Source(file, kind, dialect), fields, named, query)
                if url is None:
                    answer = score_here(names, request)
                else:
                    answer = Service(url, key, timeout).score(names, request)
        except KullbackError as error:
            raise fail(Failure.of(error)) from error
        except Failure as failure:
            raise fail(failure) from failure
        print_answer(answer, pretty=pretty)

    own = [
        parameter
        for parameter in inspect.signature(run).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters = [_parameter(field, info, fields.get(field)) for field, info in options.items()]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # typer reads it
        [*own, *parameters]
    )
    return run


def _dialect(
    kind: file_types.FileType,
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    *,
    header: bool,
) -> Dialect:
    """How a file of text is written, as far as its type does not say it."""
    said = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
    given = {name: sign for name, sign in said.items() if sign is not None}
    if not kind.is_text and (given or not header):
        option = "--" + next(iter(given), "no-header")
        raise Failure(f"{option} is for CSV and TSV files", Status.UNUSABLE)
    try:
        return Dialect.of(given, "\t" if kind.startswith("tsv") else ",", header=header)
    except InvalidInput as error:
        raise Failure(f"--{error.message}", Status.UNUSABLE) from error


def _parameter(name: str, field: FieldInfo, column: Column | None) -> inspect.Parameter:
    """A field of the request as an option of the command."""
    option = "--" + name.replace("_", "-")
    words = escape(field.description or "")
    kind: object = str | None
    default: bool | None = None
    if column is not None and column.per_row:
        kind = list[str] | None
        metavar = "COL" if column.axes == 1 else "COL[,COL…]"
        info = typer.Option(option, help=words, metavar=metavar, rich_help_panel=_COLUMNS)
    elif field.annotation is bool:
        kind, default = bool, False
        info = typer.Option(option, help=words, rich_help_panel=_OPTIONS)
    else:
        metavar = "|".join(_words(field.annotation)) or "VALUE"
        info = typer.Option(option, help=words, metavar=metavar, rich_help_panel=_OPTIONS)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def _words(annotation: object) -> list[str]:
    """The words that may stand in a field, if it holds words."""
    parts = [annotation, *get_args(annotation)]
    return [str(word) for part in parts if get_origin(part) is Literal for word in get_args(part)]


def _query(name: str, value: Given) -> list[tuple[str, str]]:
    """An option as the query parameter that says the same."""
    if value is None or value is False or isinstance(value, list):
        return []
    if value is True:
        return [(name, "true")]
    return [(name, _several(value) if name == "labels" else value)]


def _several(text: str) -> str:
    """Labels with commas in between as a JSON list; one that starts with a bracket is JSON."""
    if text.startswith("["):
        return text
    return json.dumps([_label(word) for word in text.split(",")])


def _label(word: str) -> str | int:
    """A label as a table would have it: an integer where it is written as one."""
    return int(word) if re.fullmatch(WRITTEN, word) else word


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise Failure(f"--option {text}: NAME=VALUE is expected", Status.UNUSABLE)
    return name.replace("-", "_"), value


for _metric in METRICS.values():
    score.command(_metric.name, help=escape(f"{_metric.summary}\n\n{_metric.formula}"))(
        _command([_metric.name])
    )
