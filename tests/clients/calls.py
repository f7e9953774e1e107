"""A call of each family by the generated Python client; the values that it parsed are printed."""

import json
import sys
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args, get_type_hints

import generated_client.api
from generated_client import Client
from generated_client.api.experiments import (
    add_experiment_observations,
    get_experiment,
    get_experiment_report,
    get_experiment_series,
    list_experiments,
    put_experiment,
)
from generated_client.api.monitors import (
    add_observations,
    get_monitor,
    get_report,
    get_series,
    list_monitors,
    put_monitor,
)
from generated_client.api.scores import get_score, list_scores, score_log_loss
from generated_client.api.system import livez, readyz
from generated_client.models import (
    ExperimentBatch,
    ExperimentBatchYProbaType1,
    ExperimentSettings,
    ExperimentSettingsDesign,
    LogLossRequest,
    MonitorSettings,
    ObservationBatch,
)


def scores(client: Client) -> dict[str, object]:
    """Values of scores, of the catalog, and of the service itself."""
    request = LogLossRequest(y_true=[1, 0], y_proba=[0.8, 0.3])
    score = score_log_loss.sync(client=client, body=request)
    return {
        "score": score.value,
        "conventions": score.conventions.convention.value,
        "catalog": len(list_scores.sync(client=client).scores),
        "entry": get_score.sync("log-loss", client=client).name,
        "alive": livez.sync(client=client).status,
        "ready": readyz.sync(client=client).status,
    }


def monitors(client: Client, name: str) -> dict[str, object]:
    """Values of a monitor: set up, given rows twice by one key, and read."""
    batch = ObservationBatch(y_true=[1, 0], y_proba=[0.8, 0.3])
    created = put_monitor.sync(name, client=client, body=MonitorSettings(retention_days=7))
    for _ in range(2):
        added = add_observations.sync(name, client=client, body=batch, idempotency_key="once")
    report = get_report.sync_detailed(name, client=client)
    again = get_report.sync_detailed(name, client=client, if_none_match=report.headers["etag"])
    series = get_series.sync(name, client=client, metric="log_loss")
    return {
        "retention_days": created.retention_days,
        "accepted": added.accepted,
        "counted": get_monitor.sync(name, client=client).counts.observations,
        "listed": name in [each.name for each in list_monitors.sync(client=client).monitors],
        "log_loss": report.parsed.metrics["log_loss"].value,
        "unchanged": again.status_code.value,
        "points": [point.value for point in series.points],
    }


def experiments(client: Client, name: str) -> dict[str, object]:
    """Values of an experiment: set up, given rows, and read."""
    plan = ExperimentSettings(arms=["old", "new"], design=ExperimentSettingsDesign.PAIRED)
    arms = ExperimentBatchYProbaType1.from_dict({"old": [0.5, 0.5], "new": [0.8, 0.3]})
    batch = ExperimentBatch(y_true=[1, 0], y_proba=arms, unit=["ann", "bob"])
    created = put_experiment.sync(name, client=client, body=plan)
    added = add_experiment_observations.sync(name, client=client, body=batch)
    report = get_experiment_report.sync(name, client=client)
    series = get_experiment_series.sync(name, client=client, step=3600)
    listed = list_experiments.sync(client=client).experiments
    return {
        "arms": [arm.name for arm in created.arms],
        "added": added.accepted,
        "control": get_experiment.sync(name, client=client).control,
        "planned": name in [each.name for each in listed],
        "effect": report.comparisons[0].effect,
        "verdict": report.comparisons[0].verdict.value,
        "effects": [point.effect for point in series.points],
    }


def answers() -> dict[str, list[str]]:
    """The types that each operation answers with, by its name; none where nothing is parsed."""
    modules = [
        import_module(module.name)
        for module in walk_packages(generated_client.api.__path__, "generated_client.api.")
        if not module.ispkg
    ]
    return {
        module.__name__.rpartition(".")[2]: sorted(
            kind.__name__ for kind in get_args(get_type_hints(module.sync)["return"])
        )
        if hasattr(module, "sync")
        else []
        for module in modules
    }


with Client(base_url=sys.argv[1], raise_on_unexpected_status=True) as client:
    calls = scores(client) | monitors(client, "python") | experiments(client, "python")
    json.dump({"calls": calls, "answers": answers()}, sys.stdout)
