"""Keys are kept in the store and in files; whatever cannot be honoured there lets nobody in."""

from pathlib import Path

import pytest

from kullback.access.book import KIND, FileShelf, KeyBook, KeyShelf, ReadOnlyShelf, StoreShelf
from kullback.access.keys import MOST_SECRETS, KeyGrant
from kullback.documents import to_json
from kullback.errors import Conflict, NotFound, StoreUnavailable
from kullback.storage.base import DONE
from tests.storage.writes import Opening, do

GRANT = KeyGrant("test", ("read", "write"), ("team-a.",), 5.0, 100.0)


@pytest.fixture(params=["sqlite", "postgresql", "file"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> KeyShelf:
    if request.param == "file":
        return FileShelf(tmp_path / "keys.json")
    url: str = request.getfixturevalue(f"{request.param}_url")
    opening: Opening = request.getfixturevalue("opening")
    return StoreShelf(opening(url))


def test_a_key_is_read_as_it_was_created_and_changed(shelf: KeyShelf) -> None:
    book = KeyBook(shelf, b"", lambda: 10.0)
    first, second = (book.create(GRANT).key for _ in range(2))
    assert {key.id: key for key in book.all()} == {key.id: key for key in (first, second)}
    assert (first.created, first.expires, first.prefixes) == (10.0, 110.0, ("team-a.",))
    rotated = book.rotate(first.id, 5.0).key
    book.revoke(second.id)
    keys = {key.id: key for key in book.all()}
    assert keys[first.id] == rotated
    assert (keys[second.id].revoked, keys[first.id].revoked) == (10.0, None)


def test_a_key_that_is_not_there_is_not_changed_and_not_repeated(shelf: KeyShelf) -> None:
    book = KeyBook(shelf, b"", lambda: 10.0)
    text = book.create(GRANT).text
    for change in (book.revoke, lambda name: book.rotate(name, 1.0)):
        with pytest.raises(NotFound) as refusal:
            change(text)  # the whole key, by mistake
        assert text[16:] not in str(refusal.value)


def test_a_key_has_no_more_secrets_than_can_be_compared(shelf: KeyShelf) -> None:
    book = KeyBook(shelf, b"", lambda: 10.0)
    name = book.create(GRANT).key.id
    for _ in range(MOST_SECRETS - 1):
        book.rotate(name, 5.0)
    with pytest.raises(Conflict, match="wait until one ends, or end all but the new one"):
        book.rotate(name, 5.0)
    assert len(book.all()[0].secrets) == MOST_SECRETS
    book.rotate(name, 0.0)
    assert len(book.all()[0].secrets) == 2


def test_a_revoked_key_stays_revoked(shelf: KeyShelf) -> None:
    moments = iter((1.0, 2.0, 3.0, 4.0))
    book = KeyBook(shelf, b"", lambda: next(moments))
    name = book.create(GRANT).key.id
    book.revoke(name)
    book.revoke(name)
    with pytest.raises(Conflict, match="is revoked"):
        book.rotate(name, 1.0)
    (key,) = book.all()
    assert key.revoked == 2.0


def test_what_a_newer_release_says_of_a_key_is_not_passed_over(
    opening: Opening, sqlite_url: str
) -> None:
    store = opening(sqlite_url)
    known = to_json(GRANT.issued(b"", 0.0).key)
    newer = known.replace(b"{", b'{"addresses": [], ', 1)
    do(store, lambda tx: (tx.create(KIND, "k", known, 0.0), DONE)[1])
    assert len(StoreShelf(store).load()) == 1
    do(store, lambda tx: (tx.create(KIND, "l", newer, 0.0), DONE)[1])
    with pytest.raises(StoreUnavailable, match="of a newer Kullback"):
        StoreShelf(store).load()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "does not hold keys"),
        (b'[{"id": "k", "prefixs": []}]', "does not hold keys: 0/"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_does_not_hold_keys_is_refused(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=reason):
        FileShelf(file).load()


def test_a_file_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        KeyBook(FileShelf(tmp_path / "file" / "keys.json"), b"", lambda: 0.0).create(GRANT)


def test_a_service_does_not_change_its_file(tmp_path: Path) -> None:
    shelf = FileShelf(tmp_path / "keys.json")
    name = KeyBook(shelf, b"", lambda: 0.0).create(GRANT).key.id
    book = KeyBook(ReadOnlyShelf(shelf), b"", lambda: 0.0)
    for change in (lambda: book.create(GRANT), lambda: book.revoke(name)):
        with pytest.raises(Conflict, match="keys are in a file here"):
            change()
    (key,) = book.all()
    assert key.revoked is None
