"""Where keys are kept: in the store, or in a file."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE
from tempfile import NamedTemporaryFile
from typing import Protocol

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from kullback.access.keys import (
    MOST_SECRETS,
    AccessKey,
    IssuedKey,
    KeyGrant,
    lacks_admin,
    revoked,
    rotated,
)
from kullback.documents import to_json
from kullback.errors import Conflict, NotFound, StoreUnavailable
from kullback.moments import Clock
from kullback.storage.base import DONE, Reply, Store, Transaction

KIND = "key"
_KEY = TypeAdapter(AccessKey)
_KEYS = TypeAdapter(list[AccessKey])
Change = Callable[[AccessKey], AccessKey]


class KeyShelf(Protocol):
    """Keeps keys; none is ever removed, so that a revoked one keeps the door locked."""

    def load(self) -> list[AccessKey]:
        """Every key, revoked ones too.

        Raises:
            StoreUnavailable: they cannot be read.
        """

    def add(self, key: AccessKey) -> None:
        """Keep a new key.

        Raises:
            StoreUnavailable: it cannot be written.
        """

    def change(self, name: str, change: Change) -> None:
        """Put another in place of a key.

        Raises:
            NotFound: there is no such key.
            StoreUnavailable: it cannot be written.
        """


class StoreShelf:
    """Keys in the store, as records of their own kind: replicas share them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> list[AccessKey]:
        """See KeyShelf."""
        return [decoded_key(record.document) for record in self._store.records(KIND)]

    def add(self, key: AccessKey) -> None:
        """See KeyShelf."""

        def work(tx: Transaction) -> Reply:
            tx.create(KIND, key.id, to_json(key), key.created)
            return DONE

        self._store.write(work).result()

    def change(self, name: str, change: Change) -> None:
        """See KeyShelf."""

        def work(tx: Transaction) -> Reply:
            record = tx.record(KIND, name, for_change=True)
            if record is None:
                raise _no_such_key()
            tx.change(record.id, to_json(change(decoded_key(record.document))))
            return DONE

        self._store.write(work).result()


class FileShelf:
    """Keys in a file, for services that keep nothing else; a new file takes the place of the old.

    A service reads it, and whoever can write the file changes it: `kullback keys --file`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[AccessKey]:
        """See KeyShelf."""
        try:
            return _KEYS.validate_json(self._path.read_bytes())
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = "/".join(map(str, first["loc"]))
            detail = f"{self._path} does not hold keys: {place}: {first['msg']}"
            raise StoreUnavailable(detail) from None

    def add(self, key: AccessKey) -> None:
        """See KeyShelf."""
        self._write(lambda keys: [*keys, key])

    def change(self, name: str, change: Change) -> None:
        """See KeyShelf."""

        def changed(keys: list[AccessKey]) -> list[AccessKey]:
            if all(key.id != name for key in keys):
                raise _no_such_key()
            return [change(key) if key.id == name else key for key in keys]

        self._write(changed)

    def _write(self, change: Callable[[list[AccessKey]], list[AccessKey]]) -> None:
        try:
            with FileLock(f"{self._path}.lock"):
                keys = self.load() if self._path.exists() else []
                _replace(self._path, to_json(tuple(change(keys)), indent=2))
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be written: {error.strerror}") from error


class ReadOnlyShelf:
    """A shelf that a service only reads."""

    def __init__(self, shelf: KeyShelf) -> None:
        self.load = shelf.load

    def add(self, key: AccessKey) -> None:
        """See KeyShelf."""
        raise Conflict(f"keys are in a file here, and {key.id} would not be: kullback keys --file")

    def change(self, name: str, change: Change) -> None:
        """See KeyShelf."""
        del change
        raise Conflict(f"keys are in a file here, {name} too: kullback keys --file changes it")


class KeyBook:
    """Issues, lists, revokes and rotates keys."""

    def __init__(self, shelf: KeyShelf, pepper: bytes, clock: Clock) -> None:
        self._shelf = shelf
        self._pepper = pepper
        self._clock = clock

    def all(self) -> list[AccessKey]:
        """Every key, the oldest first."""
        return sorted(self._shelf.load(), key=lambda key: (key.created, key.id))

    def create(self, grant: KeyGrant) -> IssuedKey:
        """A new key, which is kept from now on."""
        issued = grant.issued(self._pepper, self._clock())
        self._shelf.add(issued.key)
        return issued

    def revoke(self, name: str) -> None:
        """Let a key open nothing any more.

        Raises:
            NotFound: there is no such key.
        """
        self._shelf.change(name, lambda key: revoked(key, self._clock()))

    def lacks_admin(self) -> bool:
        """Whether a service that keeps these keys lets nobody change them any more.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        is_in_store = isinstance(self._shelf, StoreShelf)  # a file is changed without the service
        return is_in_store and lacks_admin(self._shelf.load(), self._clock())

    def rotate(self, name: str, overlap_seconds: float) -> IssuedKey:
        """Give a key another secret; the one before stays valid for a while.

        Raises:
            NotFound: there is no such key.
            Conflict: it is revoked, or too many of its secrets are valid.
        """
        results: list[IssuedKey] = []

        def change(key: AccessKey) -> AccessKey:
            if key.revoked is not None:
                raise Conflict(f"{name} is revoked: create another")
            now = self._clock()
            valid = sum(each.is_valid(now) for each in key.secrets)
            if overlap_seconds and valid >= MOST_SECRETS:
                detail = "wait until one ends, or end all but the new one: an overlap of 0"
                raise Conflict(f"{name} has {valid} valid secrets: {detail}")
            results[:] = [rotated(key, self._pepper, now, overlap_seconds)]
            return results[0].key

        self._shelf.change(name, change)
        return results[0]


def decoded_key(document: bytes) -> AccessKey:
    """The key of a record.

    Raises:
        StoreUnavailable: it is not as this release writes one.
    """
    try:
        return _KEY.validate_json(document)
    except ValidationError:  # what it does not know may be a limit
        detail = "there are keys of a newer Kullback, which this one cannot honour: start that one"
        raise StoreUnavailable(detail) from None


def _no_such_key() -> NotFound:  # does not echo: it may be a whole key, by mistake
    return NotFound("no key has this id; kullback keys list has them all")


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old or the new, even after a loss of power.

    Those who may read the old may read the new; where there is no old, its owner alone.
    """
    path = path.resolve()  # not the link to it
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
        try:
            file.write(content + b"\n")
            file.flush()
            if path.exists():
                before = path.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), S_IMODE(before.st_mode))
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(file.name).unlink()
            raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
