"""Names of fields: which one was meant by a name that is none."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

_PREDICTIONS = (
    *("forecast", "forecasts", "input", "inputs", "output", "outputs", "p_hat", "phat", "pred"),
    *("pred_proba", "predict_proba", "predicted", "prediction", "predictions", "preds", "prob"),
    *("proba", "probabilities", "probability", "probs", "score", "scores", "y_hat", "y_pred"),
    *("y_pred_proba", "y_prob", "y_probs", "y_score", "y_scores", "yhat"),
)
_TRUTH = (
    *("actual", "actuals", "ground_truth", "gt", "label", "labels", "observed", "outcome"),
    *("outcomes", "target", "targets", "truth", "y", "y_actual", "y_obs", "y_test"),
)
_SIDES = {
    f"{side}_{word}": f"{side}_logits"
    for side in ("real", "fake")
    for word in ("p", "prob", "proba", "probs", "probabilities")
}
_BINS = ("bins", "n_bins", "num_bins", "nbins", "bin_edges", "n_buckets")
_TENTHS = (
    ": scores are compared in tenths of the reference; for equal bins of [0, 1], of a number that "
    "divides 60, send their masses as score_histogram"
)
_MEANT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_PREDICTIONS, ("y_proba", "q", "token_logprobs")),
    **dict.fromkeys(_TRUTH, ("y_true", "p")),
    **dict.fromkeys(("logit", "raw_score", "raw_scores", "z"), ("logits", "q_logits")),
    **dict.fromkeys(("importance", "w", "weight", "weights"), ("sample_weight",)),
    **dict.fromkeys(("logprob", "logprobs", "log_probs"), ("token_logprobs", "log_proba", "q_log")),
    **dict.fromkeys(("groups", "group_id", "qid", "query_id", "user", "user_id"), ("group",)),
    **dict.fromkeys(("n_bins", "num_bins", "nbins"), ("bins",)),
    **dict.fromkeys(("ignore_label", "padding_idx"), ("ignore_index",)),
    **dict.fromkeys(("contingency", "contingency_table", "table"), ("counts",)),
    **dict.fromkeys(("labels_true", "labels_a", "u"), ("x",)),
    **dict.fromkeys(("labels_pred", "labels_b", "v"), ("y",)),
    **dict.fromkeys(("average_method", "normalization"), ("average",)),
    **dict.fromkeys(("content", "prompt_logprobs", "top_log_probs"), ("top_logprobs",)),
    **dict.fromkeys(("num_bytes", "bytes"), ("n_bytes",)),
    **dict.fromkeys(("characters", "chars", "num_chars"), ("n_chars",)),
    **dict.fromkeys(("num_words", "words"), ("n_words",)),
    **dict.fromkeys(("attention_mask", "masks", "loss_mask"), ("mask",)),
    **dict.fromkeys(("real", "real_output", "real_scores", "d_real"), ("real_logits",)),
    **dict.fromkeys(("fake", "fake_output", "fake_scores", "d_fake"), ("fake_logits",)),
    "smoothing": ("label_smoothing",),
    "eps": ("epsilon",),
    "log_base": ("base",),
    "pk": ("p",),
    "qk": ("q",),
    "classes": ("labels",),
    "class_names": ("labels",),
    "positive_label": ("pos_label",),
}


def no_such_field(name: str, names: Sequence[str]) -> str:
    """That there is no field of this name, and which was meant, if that can be told."""
    return "there is no such field" + meant(name, names)


def meant(name: str, names: Sequence[str]) -> str:
    """Which of the names was meant: one that means the same elsewhere, or one that is near."""
    there = {each.lower(): each for each in names}
    word = name[:64].lower()
    if word in there:
        return f": did you mean {there[word]}?"
    same = next((each for each in _MEANT.get(word, ()) if each in names), None)
    if same is not None:
        return f": did you mean {same}?"
    if (side := _SIDES.get(word)) in there:
        return f": send logits ln p − ln(1 − p) of probabilities p as {side}"
    if word in _BINS and "score_histogram" in names:
        return _TENTHS
    if word in _PREDICTIONS and "logits" in names:
        return ": logits are expected here, and probabilities by other metrics, such as log-loss"
    near = [] if word in _MEANT else get_close_matches(word, names, 1)
    return f": did you mean {near[0]}?" if near else ""
