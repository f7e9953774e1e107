"""Why a number is infinite or does not exist."""

import math
from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """The code that answers carry; `sentence` says it to people."""

    sentence: str

    def __new__(cls, code: str, sentence: str = "") -> Self:
        """A code with its sentence."""
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.sentence = sentence
        return reason

    @classmethod
    def of_infinity(cls, value: float) -> "Reason | None":
        """The sign of an infinite value, None for any other."""
        if not math.isinf(value):
            return None
        return cls.POSITIVE_INFINITY if value > 0 else cls.NEGATIVE_INFINITY

    POSITIVE_INFINITY = (
        "positive_infinity",
        "infinite, as where a probability of 0 was given to what happened",
    )
    NEGATIVE_INFINITY = "negative_infinity", "minus infinity"
    POSITIVE_OVERFLOW = "positive_overflow", "too large for a number; its logarithm is not"
    UNDEFINED = "undefined", "nothing divided by nothing"
    EMPTY = "empty", "no row counts: there are none, or all are ignored or masked"
    ZERO_WEIGHT = "zero_weight", "all rows have weight 0"
    ONE_CLASS = "one_class", "only one class occurs, so there is nothing to compare with"
    ONE_OUTCOME = "one_outcome", "a single outcome has no maximum entropy to be divided by"
    ONE_CELL = "one_cell", "a single cell leaves no degree of freedom"
    ONE_PREDICTION = "one_prediction", "all predictions are the same"
    NO_POSITIVES = "no_positives", "the labels have no positive mass to divide by"
    NO_PREDICTIONS = "no_predictions", "all predictions are 0"
    MISSING_PREDICTIONS = "missing_predictions", "rows came without predictions"
    MISSING_LABELS = "missing_labels", "rows came without labels"
    ZERO_DENOMINATOR = "zero_denominator", "the denominators sum to 0"
    NO_REFERENCE = "no_reference", "there is no reference to compare with"
    EMPTY_REFERENCE = "empty_reference", "no row is kept of the time that this is compared with"
    NO_GROUP = "no_group", "no group was sent"
    NO_LOGITS = "no_logits", "this needs logits, and probabilities were sent"
    NO_BYTES = "no_bytes", "bits per byte need n_bytes"
    NO_CHARS = "no_chars", "bits per character need n_chars"
    NO_WORDS = "no_words", "the perplexity of words needs n_words"
    ZERO_BYTES = "zero_bytes", "the text that counts has no bytes"
    ZERO_CHARS = "zero_chars", "the text that counts has no characters"
    ZERO_WORDS = "zero_words", "the text that counts has no words"
    NO_SPREAD = "no_spread", "all latents of each class coincide"
    NO_ADVERSARIAL_LATENTS = "no_adversarial_latents", "no latents under attack were sent"
    NO_REGION = "no_region", "the map is flat: there is no box"
    NO_TRUTH_BOX = "no_truth_box", "there is no box to compare with"
    NONE_CORRECT = "none_correct", "nothing was right before the attack"
    SOFT_LABELS = "soft_labels", "soft labels belong to no one class"
    BINARY = "binary", "one probability per row: there are no classes to go through"
    MULTICLASS = "multiclass", "only two labels have this metric"
    ABSENT = "absent", "no row is of this class"
    EMPTY_BIN = "empty_bin", "nothing fell into the bin"
    SEPARABLE = "separable", "every row is right: the best fit has no finite slope"
    ANTI_PREDICTIVE = (
        "anti_predictive",
        "the logits are worse than none: the best temperature goes to infinity",
    )
    INFINITE_LOSS = "infinite_loss", "a class that happened has a logit of minus infinity"
    INFINITE = "infinite", "a prediction of 0 came true: the metric is infinite"
    UNBOUNDED = "unbounded", "this estimator has no upper bound"
    FRACTIONAL_COUNTS = "fractional_counts", "chance is counted in whole observations"
    NOT_OF_THIS_GAME = (
        "not_of_this_game",
        "only minimax and non-saturating losses bound a divergence",
    )
    TOO_FEW_ROWS = "too_few_rows", "needs more rows"
    TOO_FEW_UNITS = "too_few_units", "needs more units"
    BEYOND_DOUBLES = "beyond_doubles", "too large or too small for a number"
    CONTROL_IS_ZERO = "control_is_zero", "the control's value is 0, so nothing is relative to it"
    CONTROL_NEAR_ZERO = (
        "control_near_zero",
        "the control's value may be 0, so what is relative to it has no bounds",
    )
    EFFECTIVE_SAMPLE_SIZE = "effective_sample_size", "a few rows hold most of the weight"
