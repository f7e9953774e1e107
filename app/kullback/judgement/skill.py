"""How much better than the base rate predictions are: from the sums of a block."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kullback.judgement.blocks import Block, logits, summed
from kullback.judgement.findings import AT_CHANCE, NEAR_CHANCE
from kullback.moments import HOUR
from kullback.numerics.types import Array

_SURE = 3.0  # standard errors of an AUC that is below that of chance


@dataclass(frozen=True, slots=True)
class Skill:
    """The relative information gain 1 − NE with its standard error, and the AUC with its own.

    A multiclass task has no AUC here. `is_inverted`: the AUC is surely below that of chance.
    """

    gain: float
    gain_error: float
    auc: float | None = None
    auc_error: float = 0.0
    is_inverted: bool = False

    @property
    def is_none(self) -> bool:
        """Whether predictions rank at chance; of classes, whether the base rates are as good."""
        if self.auc is None:
            return self.gain - self.gain_error <= 0
        return self.auc - max(2 * self.auc_error, NEAR_CHANCE) <= AT_CHANCE


def skill(block: Block) -> Skill | None:
    """The skill of predictions; None where outcomes are all alike.

        NE = L/H(ȳ),  L the mean loss,  H(ȳ) the entropy of the base rate

    Source: He et al., Practical Lessons from Predicting Clicks on Ads at Facebook (2014), for NE;
    Hanley & McNeil, Radiology 143 (1982), for the error of the AUC.
    """
    if block.layout.task == "multiclass":
        return _of_classes(block)
    some = block.weight > 0
    scale = block.scale * block.outcomes
    weight = block.weight[some] / scale
    positive = np.minimum(block.positive[some] / scale, weight)
    negative = weight - positive
    ones, zeros = float(positive.sum()), float(negative.sum())
    if ones < 1 or zeros < 1:
        return None
    x = logits(block)[some]
    of_one, of_zero = np.logaddexp(0, -x), np.logaddexp(0, x)
    rows, rate = ones + zeros, ones / (ones + zeros)
    loss = float(positive @ of_one + negative @ of_zero) / rows
    entropy = -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)
    entropy_loss = loss / entropy
    slope = entropy_loss * math.log((1 - rate) / rate)
    first = of_one - loss - slope * (1 - rate)
    second = of_zero - loss + slope * rate
    spread = float(positive @ np.square(first) + negative @ np.square(second))
    auc = _auc(positive, negative)
    error = math.sqrt(spread) / (rows * entropy)
    of_chance = math.sqrt((rows + 1) / (12 * ones * zeros))  # the error of an AUC of 1/2
    is_inverted = AT_CHANCE - auc > max(_SURE * of_chance, NEAR_CHANCE)
    auc_error = _auc_error(auc, ones, zeros)
    return Skill(float(1 - entropy_loss), float(error), auc, auc_error, is_inverted)


def normalized_entropy(block: Block) -> float:
    """L/H(ȳ) by the losses of rows themselves, as a report has it; infinite where one is.

    Args:
        block: with more than one outcome.
    """
    outcomes = _outcomes(block)
    if block.infinite:
        return math.inf
    if block.layout.task == "multilabel":
        result = skill(block)
        return math.nan if result is None else 1 - result.gain
    return block.loss / _entropy(outcomes)


def skill_of_hours(blocks: Sequence[Block]) -> Skill | None:
    """The skill of blocks beside the base rate of each hour of the day; None of no outcomes.

    Whoever knows how outcomes move with the hour has more skill over days than in any hour, and
    an hour that is compared with days has not lost that.
    """
    whole = summed(blocks)
    result = skill(whole)
    if result is None:
        return None
    hours: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        hours[block.start // HOUR % 24].append(block)
    within = sum(_entropy(_outcomes(summed(some))) for some in hours.values())
    ratio = _entropy(_outcomes(whole)) / max(within, 1e-12)
    return replace(result, gain=1 - (1 - result.gain) * ratio, gain_error=result.gain_error * ratio)


def _outcomes(block: Block) -> Array:
    """The weight of each outcome, (k,)."""
    if block.layout.task == "multiclass":
        return block.class_weight
    weight, positive = float(block.weight.sum()), float(block.positive.sum())
    return np.array([max(weight - positive, 0.0), positive])


def _entropy(outcomes: Array) -> float:
    """That of the shares of outcomes (k,), times their sum."""
    some = outcomes[outcomes > 0]
    return float(some @ np.log(some.sum() / some)) if some.size else 0.0


def _of_classes(block: Block) -> Skill | None:
    """The error as of losses that vary by as much as their mean: there are no squares here."""
    weight = block.class_weight
    total = float(weight.sum())
    shares = weight[weight > 0] / total
    if shares.size < 2:
        return None
    entropy = -float(shares @ np.log(shares))
    ratio = block.loss / total / entropy
    return Skill(1 - ratio, ratio * float((block.scale / total) ** 0.5))


def _auc(positive: Array, negative: Array) -> float:
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below) / float(positive.sum() * negative.sum())


def _auc_error(auc: float, ones: float, zeros: float) -> float:
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (ones - 1) * (first - auc**2) + (zeros - 1) * (second - auc**2)
    return math.sqrt(max(spread, 0.0) / (ones * zeros))
