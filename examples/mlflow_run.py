"""Log a score and a verdict to a run of MLflow, beside the model that they are of."""

from collections.abc import Sequence

import mlflow

from kullback_client import Client

METRICS = ("log-loss", "brier", "calibration")


def log_scores(kb: Client, y_true: Sequence[int], y_proba: Sequence[float]) -> None:
    """Log the scores of a hold-out set, with what they were computed by."""
    scores = kb.score(list(METRICS), y_true=y_true, y_proba=y_proba)
    mlflow.log_metrics({score.metric: float(score) for score in scores.values()})
    mlflow.log_dict({name: score.to_dict() for name, score in scores.items()}, "kullback.json")


def log_verdict(kb: Client, experiment: str) -> None:
    """Log what an experiment says of this model by now, in words too."""
    report = kb.experiment(experiment).report()
    mlflow.set_tag("kullback.verdict", report.verdict)
    mlflow.log_text(report.to_markdown(), "verdict.md")
