"""Changes of monitors that take several steps, and are finished even when the service ends."""

import math
from dataclasses import replace

from kullback.moments import Clock
from kullback.monitoring.feature_forgetting import forget_features
from kullback.monitoring.stored import (
    KIND,
    REFERENCE,
    Removal,
    Renaming,
    StoredMonitor,
    Unfinished,
    document,
)
from kullback.storage.base import DONE, Reply, Store, Transaction

AT_ONCE = 5_000  # parts, ids or keys in one transaction, while others wait to write


def finish(store: Store, clock: Clock, name: str) -> None:
    """Finish what is left of a change, if there is anything, each step in a transaction."""
    record = store.record(KIND, name)
    while record is not None and StoredMonitor.of(record, name).unfinished is not None:
        store.write(lambda tx: _step(tx, name, clock())).result()
        record = store.record(KIND, name)


def path_of(name: str) -> str:
    """The path of a monitor, under which its keys are kept."""
    return f"/v1/monitors/{name}"


def _step(tx: Transaction, name: str, now: float) -> Reply:
    record = tx.record(KIND, name, for_change=True)
    if record is None:
        return DONE
    stored = StoredMonitor.of(record, name)
    if stored.unfinished is None:
        return DONE
    left = _left(tx, record.id, name, stored.unfinished)
    if left is None and isinstance(stored.unfinished, Removal) and stored.unfinished.anew:
        _start_anew(tx, stored, now)
    else:
        tx.change(record.id, document(stored.monitor, left))
    return DONE


def _left(tx: Transaction, record: int, name: str, unfinished: Unfinished) -> Unfinished | None:
    """What is left of a change after one more step of it."""
    if isinstance(unfinished, Renaming):
        moved = tx.move_keys(record, path_of(unfinished.before), path_of(name), AT_ONCE)
        return unfinished if moved >= AT_ONCE else None
    start, stop = unfinished.start, unfinished.stop
    taken = tx.take(record, start, stop, AT_ONCE)
    if taken:
        tx.count(record, {"forgotten": taken})  # readings of that time are others now
    if taken >= AT_ONCE:
        return unfinished
    if unfinished.anew is not None:
        return unfinished if tx.expire(record, math.inf, AT_ONCE).rows >= AT_ONCE else None
    if unfinished.after is not None:
        removed, last = tx.remove(record, start, stop, unfinished.after, AT_ONCE)
        waited = {f"waiting_{side}s": -rows for side, rows in removed.unmatched.items() if rows}
        tx.count(record, waited)
        return replace(unfinished, after=last)
    if tx.forget_keys(record, start, stop, AT_ONCE) >= AT_ONCE:
        return unfinished
    go_on = forget_features(tx, record, unfinished.features, unfinished.features_from)
    return None if go_on is None else replace(unfinished, features_from=go_on)


def _start_anew(tx: Transaction, stored: StoredMonitor, now: float) -> None:
    """Put another record in place of one whose rows are gone: whatever was of it ends with it."""
    assert isinstance(stored.unfinished, Removal)
    monitor, record = stored.unfinished.anew, stored.record
    assert monitor is not None
    reference = tx.attachment(record.id, REFERENCE)
    tx.delete(record.id)
    new = tx.create(KIND, record.name, monitor.encoded(), now)
    if reference is not None and stored.monitor.is_scored_like(monitor):
        tx.attach(new.id, REFERENCE, reference)
