"""What was answered is there once: every request is sent until it is answered, through kill -9."""

import sys
from pathlib import Path

import pytest

from tests.postgresql import Server
from tests.torture.races import raced
from tests.torture.runs import survived, survived_faults

ON_SQLITE = 8
ON_POSTGRESQL = 5
FAULTS = 300
RACES = 20


def test_killed_servers_on_one_file_lose_nothing_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = survived(ON_SQLITE, f"sqlite:///{tmp_path}/kullback.db")
    with capsys.disabled():
        sys.stdout.write(f"\nSQLite: {figures}\n")
    assert figures.kills >= ON_SQLITE
    assert figures.replayed > 0


def test_killed_replicas_on_one_database_lose_nothing_and_double_nothing(
    postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgresql.database() as name:
        url = postgresql.url(name)
        figures = survived(ON_POSTGRESQL, url, url)
    with capsys.disabled():
        sys.stdout.write(f"\nPostgreSQL: {figures}\n")
    assert figures.kills >= ON_POSTGRESQL
    assert figures.replayed > 0


def test_a_network_that_breaks_loses_nothing_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = survived_faults(FAULTS, f"sqlite:///{tmp_path}/kullback.db")
    with capsys.disabled():
        sys.stdout.write(f"\nNetwork: {figures}\n")
    assert figures.faults >= FAULTS
    assert figures.replayed > 0


def test_one_of_eight_that_race_for_a_key_wins(postgresql: Server) -> None:
    with postgresql.database() as name:
        assert raced(postgresql.url(name), RACES) == RACES
