"""Nullable: labels of which some are missing, kept exactly as they were sent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kullback.numerics.types import Array, Flags, Indices
from kullback.scoring.label_types import rows_of
from kullback.scoring.labels import Labels


@dataclass(frozen=True, slots=True)
class Nullable:
    """Integers or strings, and which of them are missing; what stands in their place is no label.

    Floats need no such type: NaN is in them what is missing. An integer beyond 2⁵³ would not
    survive as a float, and a string has nothing that no label could be.
    """

    values: Labels
    missing: Flags

    @classmethod
    def of_texts(cls, texts: Sequence[str | None]) -> "Nullable":
        """Strings, of which those that are None are missing."""
        missing = np.fromiter((text is None for text in texts), np.bool_, len(texts))
        return cls([text or "" for text in texts], missing)

    @property
    def size(self) -> int:
        """How many labels there are, with those that are missing."""
        return self.missing.size

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.values)

    def entries(self) -> Array | list[str | None]:
        """The same, with NaN or None for what is missing; integers as floats."""
        if isinstance(self.values, list):
            flags = self.missing.tolist()
            pairs = zip(self.values, flags, strict=True)
            return [None if gone else label for label, gone in pairs]
        return np.where(self.missing, np.nan, self.values)

    def taken(self, rows: Indices) -> "Nullable":
        """Those of some rows."""
        return Nullable(rows_of(self.values, rows), self.missing[rows])

    def present(self, rows: Indices) -> Labels:
        """The labels of some rows, in which none is missing."""
        return rows_of(self.values, rows)
