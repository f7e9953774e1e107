"""Records that have to be there."""

from kullback.errors import NotFound
from kullback.storage.base import Record


def existing(record: Record | None, kind: str, name: str) -> Record:
    """The record that was looked up.

    Raises:
        NotFound: there is none.
    """
    if record is None:
        raise NotFound(f"no {kind} is named {name[:80]}; GET /v1/{kind}s lists them")
    return record
