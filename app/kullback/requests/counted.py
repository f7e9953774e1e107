"""Rows that count: those of a weight, of a target that is not ignored, with nothing missing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Indices
from kullback.requests.row_fields import RowFields
from kullback.scoring.arrays import weights
from kullback.scoring.nullable import Nullable
from kullback.scoring.score import ROWS_NAMED, Score

Missing = Literal["error", "drop"]


@dataclass(frozen=True, slots=True)
class RowsThatCount:
    """Which of the rows that were sent count, and why the others do not."""

    fields: RowFields
    weightless: Flags
    ignored: Flags
    missing: Flags

    @classmethod
    def of(cls, fields: RowFields, weight: Array | None, ignored: Flags | None) -> "RowsThatCount":
        """The rows, by their weights and targets; what is missing elsewhere does not matter.

        Raises:
            InvalidInput: a weight is impossible.
        """
        none = np.zeros(fields.n, np.bool_)
        if weight is not None:
            weights("sample_weight", np.where(np.isnan(weight), 1.0, weight), fields.n)
        weightless = none if weight is None else weight == 0
        ignored = none if ignored is None else ignored & ~weightless
        return cls(fields, weightless, ignored, fields.missing() & ~weightless & ~ignored)

    @property
    def are_none(self) -> bool:
        """Whether none of them count, or none of one of several samples."""
        kept = self.kept
        names = [field.name for field in self.fields.fields if field.count]
        return kept.size == 0 or any(
            self.fields.own_rows(name, kept)[0].size == 0 for name in names
        )

    @property
    def kept(self) -> Indices:
        """The rows that count."""
        return np.flatnonzero(~(self.weightless | self.ignored | self.missing))

    def refuse_missing(self) -> None:
        """Refuse what is missing in rows that would count.

        Raises:
            InvalidInput: something is.
        """
        if self.missing.any():
            count = int(np.count_nonzero(self.missing))
            raise self.fields.refusal(self.weightless | self.ignored, count)

    def why_none(self) -> Reason:
        """Why there is no score if no row counts."""
        return Reason.ZERO_WEIGHT if self.weightless.any() else Reason.EMPTY

    def whole(self, score: Score, row_details: Mapping[str, str]) -> Score:
        """The score of the rows that count, with every row in the place where it was sent.

        Rows that do not count have no loss, 0 where they are ignored, and a slope of 0.
        """
        kept = self.kept
        dropped = np.flatnonzero(self.missing)
        infinite = kept[list(score.diagnostics.infinite_rows)]
        return replace(
            score,
            per_row=None if score.per_row is None else self._losses(score.per_row),
            gradients=None if score.gradients is None else self._slopes(score.gradients),
            details={**score.details, **self._details(score.details, row_details)},
            diagnostics=replace(
                score.diagnostics,
                infinite_rows=tuple(infinite.tolist()),
                dropped=dropped.size,
                dropped_rows=tuple(dropped[:ROWS_NAMED].tolist()),
            ),
        )

    def slopes(self, gradient: Array | None) -> Array | None:
        """The gradient with a row of 0 for each row that does not count."""
        return None if gradient is None else _spread(gradient, self.kept, self.fields.n, 0.0)

    def _losses(self, per_row: Array) -> Array:
        losses = _spread(per_row, self.kept, self.fields.n, np.nan)
        losses[self.ignored] = 0.0
        return losses

    def _slopes(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        return {
            name: _spread(slope, *self.fields.own_rows(name, self.kept), 0.0)
            for name, slope in gradients.items()
        }

    def _details(
        self, details: Mapping[str, object], row_details: Mapping[str, str]
    ) -> dict[str, object]:
        """The details that are lists of rows, with null for rows that do not count."""
        spread: dict[str, object] = {}
        for name, field in row_details.items():
            listed = details.get(name)
            rows, n = self.fields.own_rows(field, self.kept)
            if isinstance(listed, np.ndarray):
                listed = listed.tolist()
            if isinstance(listed, list) and len(listed) == rows.size:
                entries: list[object] = [None] * n
                for row, entry in zip(rows.tolist(), listed, strict=True):
                    entries[row] = entry
                spread[name] = entries
        return spread


def _spread(values: Array, kept: Indices, n: int, rest: float) -> Array:
    """Values of the kept rows as those of n rows, with something else for the others."""
    whole = np.full((n, *values.shape[1:]), rest)
    whole[kept] = values
    return whole


def ignored_targets(y_true: object, ignore_index: int | None) -> Flags | None:
    """Which targets are to be ignored; None for none."""
    if ignore_index is None:
        return None
    if isinstance(y_true, Nullable) and not isinstance(y_true.values, list):
        flags: Flags = (y_true.values == ignore_index) & ~y_true.missing
    elif isinstance(y_true, np.ndarray):
        flags = y_true == ignore_index
    else:
        return None
    return flags if flags.ndim == 1 and flags.any() else None
