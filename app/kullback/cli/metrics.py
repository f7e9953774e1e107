"""`kullback metrics`: the catalog of metrics, and each with its formula."""

import json
from typing import Annotated

import typer

from kullback.cli.terminal import Failure, fail
from kullback.scoring.catalog import METRICS
from kullback.scoring.metric import Metric

commands = typer.Typer(rich_markup_mode="rich")


@commands.command()
def metrics(
    name: Annotated[str | None, typer.Argument(help="Metric to explain.", metavar="[METRIC]")] = (
        None
    ),
) -> None:
    """List the metrics, or explain one with its formula and an example."""
    if name is None:
        name_width = max(map(len, METRICS))
        range_width = max(len(metric.range) for metric in METRICS.values())
        for metric in METRICS.values():
            typer.echo(
                f"{metric.name:{name_width}}  {metric.range:{range_width}}  "
                f"{metric.direction:7}  {metric.unit}"
            )
        return
    if name not in METRICS:
        raise fail(Failure.unknown_metric(name))
    typer.echo(_explained(METRICS[name]))


def _explained(metric: Metric) -> str:
    return "\n".join(
        (
            f"{metric.title} ({metric.name})",
            f"  {metric.summary}",
            f"  {metric.formula}",
            f"  in {metric.range}, {metric.unit}; better: {metric.direction}",
            "",
            f"Example: {json.dumps(metric.example.request, ensure_ascii=False)}",
            f"  value: {metric.example.value!r}",
            f"  {metric.example.explanation}",
        )
    )
