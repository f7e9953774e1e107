"""Clients that others generate from the document are of use: they compile, call and parse."""

import json
from collections.abc import Iterator
from math import log
from pathlib import Path

import pytest

from kullback.scoring.catalog import METRICS
from tests.clients.generated import Printed, fetch, python_calls, run, tool, typescript_calls
from tests.serving import serving

LOSS = -(log(0.8) + log(0.7)) / 2
EFFECT = LOSS - log(2)


VALUES = {
    "score": pytest.approx(LOSS),
    "conventions": "exact",
    "catalog": len(METRICS),
    "entry": "log-loss",
    "alive": "alive",
    "ready": "ready",
    "retention_days": 7,
    "accepted": 2,
    "counted": 2,
    "listed": True,
    "log_loss": pytest.approx(LOSS),
    "unchanged": 304,
    "points": [pytest.approx(LOSS)],
    "arms": ["old", "new"],
    "added": 2,
    "control": "old",
    "planned": True,
    "effect": pytest.approx(EFFECT),
    "verdict": "undecided",
    "effects": [pytest.approx(EFFECT)],
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as served:
        yield served.address


@pytest.fixture(scope="module")
def document(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetch(address, tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def printed(document: Path, address: str) -> Printed:
    return python_calls(document, address)


def test_a_validator_of_openapi_finds_nothing(document: Path) -> None:
    assert run([tool("openapi-spec-validator"), document], document.parent).endswith(": OK\n")


def test_a_python_client_parses_an_answer_of_each_family(printed: Printed) -> None:
    assert printed.calls == VALUES


def test_a_generated_client_has_every_operation(document: Path, printed: Printed) -> None:
    paths = json.loads(document.read_text())["paths"]
    names = {each["operationId"] for path in paths.values() for each in path.values()}
    assert printed.answers.keys() == names


def test_a_python_client_knows_the_type_of_every_answer(printed: Printed) -> None:
    unknown = {
        name
        for name, kinds in printed.answers.items()
        if not set(kinds) - {"NoneType", "Problem", "Any"}  # Any: of what has no content
    }
    of_records = {"delete_monitor", "delete_reference", "delete_annotation", "delete_experiment"}
    assert unknown == {*of_records, "revoke_key"}


def test_a_typescript_client_parses_an_answer_of_each_family(document: Path, address: str) -> None:
    assert typescript_calls(document, address) == VALUES
