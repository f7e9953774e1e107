"""What each metric may be asked: one checked model per metric."""

from kullback.api.request import ScoreRequest
from kullback.api.requests import comparisons, distributions, predictions, systems

REQUESTS: dict[str, type[ScoreRequest]] = {
    "entropy": distributions.EntropyRequest,
    "cross-entropy": distributions.CrossEntropyRequest,
    "kl-divergence": distributions.KLDivergenceRequest,
    "js-divergence": distributions.JSDivergenceRequest,
    "log-loss": predictions.LogLossRequest,
    "softmax-cross-entropy": predictions.SoftmaxCrossEntropyRequest,
    "sigmoid-cross-entropy": predictions.SigmoidCrossEntropyRequest,
    "focal-loss": predictions.FocalLossRequest,
    "calibration": predictions.CalibrationRequest,
    "recommender": predictions.RecommenderRequest,
    "perplexity": systems.PerplexityRequest,
    "mutual-information": systems.MutualInformationRequest,
    "pc-softmax": systems.PCSoftmaxRequest,
    "gan-loss": systems.GanLossRequest,
    "gccs": systems.GccsRequest,
    "infocam": systems.InfocamRequest,
    "compare": comparisons.CompareRequest,
}
