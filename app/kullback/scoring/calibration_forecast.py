"""Forecasts as calibration sees them: what was said with which probability, and whether it came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.numerics.logspace import log_softmax, neg_log_complement_of_exp, sigmoid
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import (
    logit_rows,
    row_sums,
)
from kullback.scoring.arrays import logits as checked_logits
from kullback.scoring.checks import after_checks
from kullback.scoring.labels import Label, Labels, binary_target, flat, hard_labels
from kullback.scoring.log_probabilities import sent_distributions, sent_probabilities
from kullback.scoring.multilabel import multilabel_target
from kullback.scoring.refusals import RENORMALIZE
from kullback.scoring.score import Context
from kullback.scoring.task import (
    MULTILABEL,
    Task,
    may_be_multilabel,
    refuse_label_shape,
    refuse_task,
    refuse_unused,
)


@dataclass(frozen=True, slots=True)
class CalibrationForecast:
    """What is binned, and all behind it.

    Attributes:
        stated: the probability that was said, (m,): a row each, or an entry each (multilabel).
        came_true: whether it came true, in [0, 1], (m,).
        weight: of each of them (m,), or None.
        brier: the Brier score of each row, (n,).
        columns: the probabilities of each class or label, (n, k).
        truth: the class of each row (n,), or what came true of each label, (n, k).
        logits: of two outcomes or of all classes, (m, 2) or (n, k).
        index: which of them came true, (m,); None where labels are soft.
        logs: ln of `stated`, where logarithms were sent.
    """

    stated: Array
    came_true: Array
    weight: Array | None
    brier: Array
    columns: Array | None = None
    truth: Indices | Array | None = None
    logits: Array | None = None
    index: Indices | None = None
    logs: Array | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was sent: probabilities or logits, the labels, and what they are called.

    `y_proba` holds logarithms of probabilities where it `is_log`.
    """

    y_true: Labels
    y_proba: Array | None
    logits: Array | None
    task: Task | None = None
    labels: Sequence[Label] | None = None
    pos_label: Label | None = None
    is_log: bool = False

    def forecast(self, context: Context) -> tuple[CalibrationForecast, Context]:
        """The forecast, and what happened to the rows on the way.

        Raises:
            InvalidInput: a probability, a logit or a label is impossible, or their shapes differ.
        """
        name, sent = ("logits", self.logits) if self.y_proba is None else ("y_proba", self.y_proba)
        if sent is None or (self.y_proba is not None and self.logits is not None):
            raise InvalidInput.at("send one of y_proba, log_proba and logits", "y_proba")
        name = "log_proba" if self.is_log else name
        if sent.ndim not in (1, 2) or sent.size == 0:
            raise InvalidInput.at(f"{name} must be [n] or [n][k], and not empty", name)
        task = self.task or ("binary" if flat(sent).ndim == 1 else "multiclass")
        sent = flat(sent) if task == "binary" else sent
        refuse_task(task, name, sent)
        refuse_label_shape(self.y_true, name, sent, task)
        refuse_unused(task, self.pos_label, context.options)
        extra = {**context.conventions, "task": task}
        context = replace(context, conventions=extra)
        if task == "multiclass":
            return self._multiclass(sent, context)
        return self._binary(sent, task, context)

    def _binary(
        self, sent: Array, task: Task, context: Context
    ) -> tuple[CalibrationForecast, Context]:
        """One probability of yes per row, or one per label of each row."""
        options, clipped, both, logs = context.options, 0, None, None
        if self.y_proba is None:
            x = checked_logits("logits", sent)
            p = sigmoid(x)
            both = np.stack((np.zeros(x.size), x.reshape(-1)), axis=1)
        else:
            checked = sent_probabilities(sent, options, is_log=self.is_log)
            p, clipped = checked.values, checked.clipped
            if checked.logs is not None:
                logs = checked.logs.reshape(-1)
                both = np.stack((0.0 - neg_log_complement_of_exp(logs), logs), axis=1)
        if task == "multilabel":
            truth = multilabel_target(self.y_true, p, self.labels, options)
        else:
            truth = binary_target("y_true", self.y_true, self.labels, self.pos_label, options)
        y, weight, k = truth.values, options.sample_weight, 1 if p.ndim == 1 else p.shape[1]
        hard = bool(((y == 0) | (y == 1)).all())
        forecast = CalibrationForecast(
            p.reshape(-1),
            y.reshape(-1),
            weight if weight is None or k == 1 else np.repeat(weight, k),
            row_sums(np.square(p - y).reshape(-1, k)) / k,
            p if task == "multilabel" else None,
            y if task == "multilabel" else None,
            both,
            y.reshape(-1).astype(np.int64) if hard else None,
            logs,
        )
        return forecast, replace(context, clipped=clipped + truth.clipped)

    def _multiclass(self, sent: Array, context: Context) -> tuple[CalibrationForecast, Context]:
        """The most likely class of each row, with its probability."""
        (n, k), z = sent.shape, None
        if self.y_proba is None:
            z, _ = logit_rows("logits", sent)
            p = np.exp(log_softmax(z))
        else:
            remedy = MULTILABEL if may_be_multilabel(self.y_true, k) else RENORMALIZE
            checked = sent_distributions(sent, context.options, remedy, is_log=self.is_log)
            p, z = checked.values, checked.logs
            context = after_checks(context, checked)
        index = hard_labels("y_true", self.y_true, self.labels, k, context.options)
        top, each = p.argmax(axis=1), np.arange(n)
        miss = p.copy()
        miss[each, index] -= 1.0
        confidence = np.minimum(p[each, top], 1.0)
        right, weight = (top == index).astype(np.float64), context.options.sample_weight
        brier = row_sums(np.square(miss))
        logs = None if z is None or not self.is_log else z[each, top]
        forecast = CalibrationForecast(confidence, right, weight, brier, p, index, z, index, logs)
        return forecast, context
