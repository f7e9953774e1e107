"""A call of each family by the generated Python client; the values that it parsed are printed."""

import json
import sys
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args, get_type_hints

import kullback_client.api
from kullback_client import Client
from kullback_client.api.scores import get_score, list_scores, score_log_loss
from kullback_client.api.system import livez, readyz
from kullback_client.models.log_loss_request import LogLossRequest


def calls(client: Client) -> dict[str, object]:
    """One value of each answer, read by its name."""
    score = score_log_loss.sync(
        client=client, body=LogLossRequest(y_true=[1, 0], y_proba=[0.8, 0.3])
    )
    catalog = list_scores.sync(client=client)
    entry = get_score.sync("log-loss", client=client)
    return {
        "score": score.value,
        "conventions": score.conventions.convention.value,
        "catalog": len(catalog.scores),
        "entry": entry.name,
        "alive": livez.sync(client=client).status,
        "ready": readyz.sync(client=client).status,
    }


def answers() -> dict[str, list[str]]:
    """The types that each operation answers with, by its name; none where nothing is parsed."""
    modules = [
        import_module(module.name)
        for module in walk_packages(kullback_client.api.__path__, "kullback_client.api.")
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
    json.dump({"calls": calls(client), "answers": answers()}, sys.stdout)
