"""Backing a database up into one file, and restoring it, on either engine."""

import os
from pathlib import Path

from sqlalchemy import URL

from kullback.errors import Conflict, StoreUnavailable
from kullback.storage.backup_file import (
    FORMAT,
    EngineName,
    Manifest,
    Report,
    manifest_of,
    part_beside,
    payload,
    publish,
    seal,
)
from kullback.storage.schema import StoredCounts
from kullback.storage.sql import parsed_url
from kullback.storage.sqlite import file_of
from kullback.storage.sqlite_backup import (
    MADE_WITH,
    checked_copy,
    copy_sqlite,
    replace_sqlite,
    replacing_sqlite,
)

_BESIDE = ("-wal", "-shm", "-journal", ".lock")
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def back_up(
    url: str, target: Path, by: tuple[str, str], report: Report, *, force: bool = False
) -> Manifest:
    """Write the database at `url` into a file, as it is at one moment, while services use it.

    Args:
        url: see open_store.
        target: the file; it is there when it is whole.
        by: the release of Kullback, and what time it is.
        report: told of what is done so far.
        force: whether a file that is there may be replaced.

    Raises:
        Conflict: there is such a file, and no `force`.
        StoreUnavailable: the database cannot be read, or the file cannot be written.
    """
    target, parsed = target.absolute(), parsed_url(url)
    _check_target(target, parsed, force=force)
    engine = _engine(parsed)
    with part_beside(target) as part:
        if engine == "sqlite":
            made_with = MADE_WITH
            stored = copy_sqlite(file_of(parsed), part, report)
        else:
            # 10 MB of memory that SQLite never needs
            from kullback.storage import postgresql_backup  # noqa: PLC0415

            made_with = postgresql_backup.made_with()
            stored = postgresql_backup.dump_postgresql(parsed, part, report)
        release, now = by
        size = part.stat().st_size
        manifest = Manifest(
            FORMAT, release, engine, made_with, stored.schema_version, now, stored.counts, size
        )
        seal(part, manifest, report)
        _check_target(target, parsed, force=force)
        publish(part, target)
    return manifest


def restore(url: str, source: Path, report: Report, *, force: bool = False) -> Manifest:
    """Put what is in a backup in the place of the database at `url`: all of it, or nothing.

    Args:
        url: see open_store; of the same engine as the backup. No service may use it.
        source: the backup.
        report: told of what is done so far.
        force: whether a database that is not empty may be replaced.

    Raises:
        Conflict: the database is not empty, and no `force`.
        StoreUnavailable: the backup is damaged or of another engine, or the database is in use.
    """
    parsed, manifest = parsed_url(url), manifest_of(source)
    engine = _engine(parsed)
    if manifest.engine != engine:
        raise StoreUnavailable(
            f"{source} is a backup of {_NAMES[manifest.engine]}, and the database is one of "
            f"{_NAMES[engine]}: a backup goes back where it is from"
        )
    if engine == "sqlite":
        _restore_sqlite(file_of(parsed), source, manifest, report, force=force)
    else:
        _restore_postgresql(parsed, source, manifest, report, force=force)
    return manifest


def _restore_sqlite(
    path: Path, source: Path, manifest: Manifest, report: Report, *, force: bool
) -> None:
    with replacing_sqlite(path, force=force), part_beside(path) as part:
        unpack(source, manifest, part, report)
        replace_sqlite(path, part)


def _restore_postgresql(
    url: URL, source: Path, manifest: Manifest, report: Report, *, force: bool
) -> None:
    from kullback.storage import postgresql_backup  # noqa: PLC0415 - see back_up

    with postgresql_backup.replacing_postgresql(url, force=force):
        verify(source, manifest, report)
        content = payload(source, manifest, report)
        expected = StoredCounts(manifest.schema_version, manifest.counts)
        postgresql_backup.restore_postgresql(url, content, expected)


def verify(source: Path, manifest: Manifest, report: Report) -> None:
    """Read all of a backup.

    Raises:
        StoreUnavailable: its bytes are not those that were written.
    """
    for _ in payload(source, manifest, report):
        continue


def unpack(source: Path, manifest: Manifest, part: Path, report: Report) -> None:
    """Write the SQLite database in a backup to a file of its own, if it is sound.

    Raises:
        StoreUnavailable: it is not.
    """
    with part.open("wb") as file:
        file.writelines(payload(source, manifest, report))
    report("checking", 0, None)
    if checked_copy(part, str(source)).counts != manifest.counts:
        raise StoreUnavailable(f"{source} does not hold what it says of itself")


def _check_target(target: Path, url: URL, *, force: bool) -> None:
    if target.is_dir():
        raise StoreUnavailable(f"{target} is a directory: name a file")
    if _engine(url) == "sqlite" and _is_beside(target.resolve(), file_of(url)):
        raise StoreUnavailable(f"{target} is a part of the database: name another file")
    if not os.path.lexists(target):
        return
    if not target.is_file():
        raise StoreUnavailable(f"{target} is no file")
    if _engine(url) == "sqlite" and file_of(url).exists() and target.samefile(file_of(url)):
        raise StoreUnavailable(f"{target} is the database itself: name another file")
    if not force:
        raise Conflict(f"{target} is there already: --force replaces it")


def _is_beside(target: Path, database: Path) -> bool:
    """Whether a file is one that SQLite and a service have beside a database."""
    return any(target == database.with_name(database.name + end) for end in _BESIDE)


def _engine(url: URL) -> EngineName:
    return "sqlite" if url.drivername == "sqlite" else "postgresql"
