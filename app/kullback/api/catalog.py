"""The catalog of metrics, as it is answered."""

from typing import Any

from pydantic import BaseModel, Field

from kullback.errors import NotFound, hint
from kullback.payload.media import MEDIA_TYPES
from kullback.requests import REQUESTS
from kullback.scoring.catalog import METRICS
from kullback.scoring.metric import Direction, Metric


class MetricSummary(BaseModel):
    """One metric, in short."""

    name: str = Field(description="Name of the metric in the path.")
    title: str
    summary: str
    unit: str
    range: str
    direction: Direction = Field(description="Which values are better.")
    href: str


class MetricCatalog(BaseModel):
    """All metrics."""

    scores: list[MetricSummary]


class ExampleAnswer(BaseModel):
    """Part of the answer to the example."""

    value: float
    details: dict[str, Any] = Field(description="Some of the details of the answer.")
    explanation: str


class MetricEntry(MetricSummary):
    """Metric to explain."""

    formula: str
    example: dict[str, Any] = Field(description="A request; it can be posted as it is.")
    answer: ExampleAnswer
    request_schema: dict[str, Any] = Field(description="JSON Schema of the request.")
    media_types: list[str]


def metric_catalog() -> MetricCatalog:
    """Every metric, in short."""
    return MetricCatalog(scores=[MetricSummary(**_summary(metric)) for metric in METRICS.values()])


def metric_entry(name: str) -> MetricEntry:
    """One metric, in full.

    Raises:
        NotFound: there is no such metric.
    """
    if name not in METRICS:
        raise no_such_metric(name)
    metric = METRICS[name]
    return MetricEntry(
        **_summary(metric),
        formula=metric.formula,
        example=dict(metric.example.request),
        answer=ExampleAnswer(
            value=metric.example.value,
            details=dict(metric.example.details),
            explanation=metric.example.explanation,
        ),
        request_schema=REQUESTS[name].model_json_schema(),
        media_types=list(MEDIA_TYPES),
    )


def no_such_metric(name: str) -> NotFound:
    """The refusal of a name that no metric has, with the nearest that one has."""
    return NotFound(f"there is no such metric; {hint(name, list(METRICS), 'there are')}")


def _summary(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "title": metric.title,
        "summary": metric.summary,
        "unit": metric.unit,
        "range": metric.range,
        "direction": metric.direction,
        "href": f"/v1/scores/{metric.name}",
    }
