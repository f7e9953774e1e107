"""Values of slices have places, and which have is known again when a process begins."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import pytest

from kullback.moments import DAY
from kullback.storage.base import DONE, Cell, Reply, Store, Transaction
from kullback.storage.slice_values import admit, values_with_places
from kullback.storage.sql import open_store
from kullback.tally.merge import merge

NAME = "slice values"
LONG = "an address of more than sixty-four letters, which nobody wants to see in a list"
MIDDLE = "of more than sixteen letters"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/kullback.db", merge, on_fatal=pytest.fail)
    yield opened
    opened.close()


def admitted(store: Store, slices: Sequence[str], day: int, cap: int = 10) -> dict[str, str]:
    """What becomes of slices that come on a day."""
    moved: dict[str, str] = {}

    def work(tx: Transaction) -> Reply:
        record = tx.record("monitor", "m") or tx.create("monitor", "m", b"{}", 0.0)
        moved.clear()
        cells = [Cell("observed", name, day * DAY, 60) for name in slices]
        moved.update(admit(tx, record.id, NAME, cells, cap))
        return DONE

    store.write(work).result()
    return moved


def content(store: Store) -> bytes:
    (record,) = store.records("monitor")
    found = store.attachment(record.id, NAME)
    assert found is not None
    return found


def test_values_are_known_by_their_latest_day_and_their_name(store: Store) -> None:
    admitted(store, ["country=FR", "country=DE", "device=phone"], 3)
    admitted(store, [f"country={MIDDLE}", f"country={LONG}", "device=phone"], 5)
    assert values_with_places(content(store)) == [
        f"country={MIDDLE}",
        "device=phone",
        "country=DE",
        "country=FR",
    ]


def test_a_digest_of_an_earlier_release_keeps_its_place_and_is_no_value(store: Store) -> None:
    admitted(store, ["country=DE"], 3)
    digest = blake2b(MIDDLE.encode(), digest_size=8).hexdigest()
    older = json.dumps({"country": {"DE": 3, digest: 3}}).encode()
    (record,) = store.records("monitor")

    def work(tx: Transaction) -> Reply:
        tx.attach(record.id, NAME, older)
        return DONE

    store.write(work).result()
    assert admitted(store, [f"country={MIDDLE}"], 4, cap=2) == {}
    assert json.loads(content(store)) == {"country": {"DE": 3, digest: 4}}
    assert values_with_places(content(store)) == ["country=DE"]
    other = f"country={MIDDLE}s"
    assert admitted(store, [other], 4, cap=2) == {other: "country=(other)"}
