"""What each metric may be asked: one checked model per metric."""

from kullback.requests import (
    brier,
    calibration,
    comparisons,
    dependence,
    distributions,
    predictions,
    ranking_losses,
    recommender,
    representations,
    sequences,
    softmax,
)
from kullback.requests.base import ScoreRequest

REQUESTS: dict[str, type[ScoreRequest]] = {
    "entropy": distributions.EntropyRequest,
    "cross-entropy": distributions.CrossEntropyRequest,
    "kl-divergence": distributions.KLDivergenceRequest,
    "js-divergence": distributions.JSDivergenceRequest,
    "log-loss": predictions.LogLossRequest,
    "softmax-cross-entropy": softmax.SoftmaxCrossEntropyRequest,
    "sigmoid-cross-entropy": predictions.SigmoidCrossEntropyRequest,
    "focal-loss": predictions.FocalLossRequest,
    "calibration": calibration.CalibrationRequest,
    "brier": brier.BrierRequest,
    "recommender": recommender.RecommenderRequest,
    "perplexity": sequences.PerplexityRequest,
    "mutual-information": dependence.MutualInformationRequest,
    "pc-softmax": dependence.PCSoftmaxRequest,
    "gan-loss": representations.GanLossRequest,
    "gccs": representations.GccsRequest,
    "infocam": representations.InfocamRequest,
    "compare": comparisons.CompareRequest,
    "listwise-softmax": ranking_losses.ListwiseSoftmaxRequest,
    "bpr": ranking_losses.BPRRequest,
    "sampled-softmax": ranking_losses.SampledSoftmaxRequest,
}
