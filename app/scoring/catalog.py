"""This file is about which metrics there are."""

from collections.abc import Mapping

from app.scoring.entries import ENTRIES
from app.scoring.metric import Metric

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in ENTRIES}
