"""This file is about which metrics there are."""

from collections.abc import Mapping

from kullback.scoring.entries import ENTRIES
from kullback.scoring.metric import Metric

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in ENTRIES}
