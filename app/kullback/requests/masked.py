"""Requests in which a mask or a target says what does not count."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from kullback.errors import InvalidInput
from kullback.numerics.types import Flags
from kullback.payload.columns import Flags as FlagRows
from kullback.requests.base import GradientRequest, Index
from kullback.requests.counted import ignored_targets
from kullback.requests.row_fields import RowFields
from kullback.scoring.arrays import shown
from kullback.scoring.cost import rows
from kullback.scoring.entries import refuse_no_flags
from kullback.scoring.labels import Labels
from kullback.scoring.nullable import Nullable

_PREDICTIONS = ("y_proba", "log_proba", "logits")


class MaskedRequest(GradientRequest):
    """A request whose rows count unless the mask or the target says otherwise; or whose entries do.

    Of a multilabel task entries [n][k] are masked one by one, of others rows [n].
    """

    mask: FlagRows | None = Field(default=None, description="1 where a row or an entry counts.")
    ignore_index: Index | None = Field(
        default=None, description="Target whose rows, or entries, do not count."
    )

    @property
    def has_entries(self) -> bool:
        """Whether entries count one by one."""
        return self.__dict__.get("task") == "multilabel"

    def target(self) -> Labels:
        """The targets, of entries with NaN where one is missing."""
        sent: object = self.__dict__["y_true"]
        if isinstance(sent, Nullable) and not isinstance(sent.values, list):
            return np.where(sent.missing, np.nan, sent.values)
        labels: Labels = self.__dict__["y_true"]
        return labels

    def _ignored(self) -> Flags | None:
        if self.has_entries:
            return None
        sent = self.__dict__["y_true"]
        ignored = self._by_target(sent)
        if self.mask is None:
            return ignored
        mask, n = self.mask, rows(sent)
        if mask.shape not in ((n,), (n, 1)):
            raise InvalidInput.at(f"mask has shape {shown(mask)}; [{n}] is expected", "mask")
        refuse_no_flags(mask)
        masked: Flags = mask.reshape(-1) == 0
        flags = masked if ignored is None else masked | ignored
        return flags if flags.any() else None

    def _by_target(self, sent: object) -> Flags | None:
        if self.ignore_index is None:
            return None
        values = sent.values if isinstance(sent, Nullable) else sent
        if isinstance(values, list):
            raise InvalidInput.at("ignore_index is of integers, y_true holds strings", "y_true")
        assert isinstance(values, np.ndarray)
        if values.ndim == 2 and values.shape[1] > 1:
            detail = "ignore_index is of labels [n]; mask leaves out rows of y_true [n][k]"
            raise InvalidInput.at(detail, "ignore_index")
        if isinstance(sent, Nullable):
            sent = Nullable(values.reshape(-1), sent.missing.reshape(-1))
            return ignored_targets(sent, self.ignore_index)
        return ignored_targets(values.reshape(-1), self.ignore_index)

    def _row_fields(self) -> RowFields:
        """The fields, of which entries that do not count may be missing."""
        masked = self._masked_entries() if self.has_entries else {}
        return RowFields.of(self, self.row_axes, masked=masked)

    def _masked_entries(self) -> Mapping[str, Flags]:
        target = self.target()
        if isinstance(target, list):
            return {}
        masked = np.zeros(target.shape, np.bool_)
        if self.mask is not None and self.mask.shape == target.shape:
            masked |= self.mask == 0
        if self.ignore_index is not None:
            masked |= target == self.ignore_index
        sent = [name for name in _PREDICTIONS if self.__dict__.get(name) is not None]
        return dict.fromkeys(("y_true", *sent), masked)
