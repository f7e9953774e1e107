"""Index columns that pandas writes beside the columns of a frame."""

import re

import pyarrow as pa
from pydantic_core import from_json

_LONGEST = 1 << 20  # it is decoded in one go, while no other thread runs
_UNNAMED = re.compile(r"__index_level_\d+__")


class IndexNames:
    """The names of the columns of a table that are an index, as pandas says in the schema."""

    def __init__(self, schema: pa.Schema) -> None:
        self._named = _named((schema.metadata or {}).get(b"pandas", b""))

    def __contains__(self, name: str) -> bool:
        """Whether a column of this name is an index."""
        return name in self._named or _UNNAMED.fullmatch(name) is not None


def _named(metadata: bytes) -> frozenset[str]:
    """The names in what pandas says; none where it says what it never does."""
    if not 0 < len(metadata) <= _LONGEST:
        return frozenset()
    try:
        said = from_json(metadata)
    except ValueError:
        return frozenset()
    names = said.get("index_columns") if isinstance(said, dict) else None
    listed = names if isinstance(names, list) else []
    return frozenset(name for name in listed if isinstance(name, str))
