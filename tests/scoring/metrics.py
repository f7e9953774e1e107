"""Every metric that is a mean over rows, in the forms on which the laws are tried."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from kullback.scoring.focal_loss import FocalOptions, focal_loss
from kullback.scoring.log_loss import LogLossOptions, log_loss
from kullback.scoring.options import Options
from kullback.scoring.recommender import RecommenderOptions, recommender
from kullback.scoring.score import Score
from kullback.scoring.sigmoid_cross_entropy import sigmoid_cross_entropy
from kullback.scoring.softmax_cross_entropy import SoftmaxOptions, softmax_cross_entropy
from tests import strategies as draw
from tests.scoring.sent import cross_entropy, entropy, js_divergence, kl_divergence
from tests.strategies import Columns

K = 3
CLASS_WEIGHT = np.array([2.0, 0.5, 1.0])


@dataclass(frozen=True, slots=True)
class RowMetric:
    """A metric with its options chosen: what its rows are, and how they are scored."""

    name: str
    batches: Callable[[int], st.SearchStrategy[Columns]]
    score: Callable[[Columns, Options], Score]
    per_row_weight: bool = True  # Σ w is what the mean divides by

    def batch(self) -> st.SearchStrategy[Columns]:
        """Some rows."""
        return draw.sizes.flatmap(self.batches)


def _pairs(n: int) -> st.SearchStrategy[Columns]:
    return draw.row_pairs(n, K)


def _classes(n: int) -> st.SearchStrategy[Columns]:
    return draw.columns(draw.classes(n, K), draw.rows(n, K))


def _logit_classes(n: int) -> st.SearchStrategy[Columns]:
    return draw.columns(draw.classes(n, K), draw.logit_rows(n, K))


def _clicks(n: int) -> st.SearchStrategy[Columns]:
    return draw.columns(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.probability))


def _soft_clicks(n: int) -> st.SearchStrategy[Columns]:
    return draw.columns(draw.columns_of(n, draw.share), draw.columns_of(n, draw.probability))


def _labels(n: int) -> st.SearchStrategy[Columns]:
    return draw.columns(draw.tables_of(n, K, draw.outcome), draw.tables_of(n, K, draw.probability))


ROW_METRICS = (
    RowMetric(
        "entropy", lambda n: draw.columns(draw.rows(n, K)), lambda c, o: entropy(c[0], None, o)
    ),
    RowMetric(
        "entropy of logits",
        lambda n: draw.columns(draw.logit_rows(n, K)),
        lambda c, o: entropy(None, c[0], o),
    ),
    RowMetric("cross-entropy", _pairs, lambda c, o: cross_entropy(c[0], c[1], None, o)),
    RowMetric(
        "cross-entropy of logits",
        lambda n: draw.columns(draw.rows(n, K), draw.logit_rows(n, K)),
        lambda c, o: cross_entropy(c[0], None, c[1], o),
    ),
    RowMetric("KL", _pairs, lambda c, o: kl_divergence((c[0], None), (c[1], None), o)),
    RowMetric(
        "KL of logits",
        lambda n: draw.columns(draw.logit_rows(n, K), draw.logit_rows(n, K)),
        lambda c, o: kl_divergence((None, c[0]), (None, c[1]), o),
    ),
    RowMetric("JS", _pairs, lambda c, o: js_divergence(c[0], c[1], o)),
    RowMetric("binary log loss", _clicks, lambda c, o: log_loss(c[0], c[1], LogLossOptions(), o)),
    RowMetric(
        "soft log loss", _soft_clicks, lambda c, o: log_loss(c[0], c[1], LogLossOptions(), o)
    ),
    RowMetric(
        "weighted binary log loss",
        _clicks,
        lambda c, o: log_loss(c[0], c[1], LogLossOptions(class_weight=CLASS_WEIGHT[:2]), o),
        per_row_weight=False,
    ),
    RowMetric(
        "multiclass log loss", _classes, lambda c, o: log_loss(c[0], c[1], LogLossOptions(), o)
    ),
    RowMetric(
        "weighted multiclass log loss",
        _classes,
        lambda c, o: log_loss(c[0], c[1], LogLossOptions(class_weight=CLASS_WEIGHT), o),
        per_row_weight=False,
    ),
    RowMetric(
        "log loss of soft rows", _pairs, lambda c, o: log_loss(c[0], c[1], LogLossOptions(), o)
    ),
    RowMetric(
        "multilabel log loss",
        _labels,
        lambda c, o: log_loss(c[0], c[1], LogLossOptions(task="multilabel"), o),
    ),
    RowMetric(
        "softmax cross-entropy",
        _logit_classes,
        lambda c, o: softmax_cross_entropy(c[1], c[0], SoftmaxOptions(), o),
    ),
    RowMetric(
        "softmax cross-entropy, weighted and smoothed, one class ignored",
        _logit_classes,
        lambda c, o: softmax_cross_entropy(
            c[1], c[0], SoftmaxOptions(CLASS_WEIGHT, None, 1, 0.1), o
        ),
        per_row_weight=False,
    ),
    RowMetric(
        "softmax cross-entropy of soft rows",
        lambda n: draw.columns(draw.rows(n, K), draw.logit_rows(n, K)),
        lambda c, o: softmax_cross_entropy(c[1], c[0], SoftmaxOptions(), o),
    ),
    RowMetric(
        "sigmoid cross-entropy",
        lambda n: draw.columns(draw.columns_of(n, draw.logit), draw.columns_of(n, draw.share)),
        lambda c, o: sigmoid_cross_entropy(c[0], c[1], None, None, o),
    ),
    RowMetric(
        "sigmoid cross-entropy of masked labels",
        lambda n: draw.columns(
            draw.tables_of(n, K, draw.logit),
            draw.tables_of(n, K, draw.share),
            draw.tables_of(n, K, draw.outcome),
        ),
        lambda c, o: sigmoid_cross_entropy(c[0], c[1], CLASS_WEIGHT, c[2], o),
        per_row_weight=False,
    ),
    RowMetric(
        "binary focal loss", _clicks, lambda c, o: focal_loss(c[0], c[1], None, FocalOptions(), o)
    ),
    RowMetric(
        "binary focal loss of logits",
        lambda n: draw.columns(draw.columns_of(n, draw.outcome), draw.columns_of(n, draw.logit)),
        lambda c, o: focal_loss(c[0], None, c[1], FocalOptions(alpha=np.array(0.25)), o),
    ),
    RowMetric(
        "multiclass focal loss",
        _classes,
        lambda c, o: focal_loss(c[0], c[1], None, FocalOptions(alpha=CLASS_WEIGHT), o),
    ),
    RowMetric(
        "multiclass focal loss of logits",
        _logit_classes,
        lambda c, o: focal_loss(c[0], None, c[1], FocalOptions(gamma=0.5), o),
    ),
    RowMetric(
        "multilabel focal loss",
        _labels,
        lambda c, o: focal_loss(c[0], c[1], None, FocalOptions(task="multilabel"), o),
    ),
    RowMetric(
        "recommender", _clicks, lambda c, o: recommender(c[0], c[1], None, RecommenderOptions(), o)
    ),
    RowMetric(
        "recommender with click rates and sampled negatives",
        _soft_clicks,
        lambda c, o: recommender(
            c[0], c[1], None, RecommenderOptions(negative_sampling_rate=0.1), o
        ),
    ),
)
