"""The picker of times: spans as links that apply at once, each a short address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from kullback.ui.times import CUSTOM, RANGES, Ground, View, local

SHORT = {"1h": "1 h", "6h": "6 h", "24h": "24 h", "7d": "7 d", "30d": "30 d"}
DEFAULT_SLICE = "all rows"


@dataclass(frozen=True, slots=True)
class PickerLink:
    """A link of the picker: in short, in full, where it leads, and whether that is here."""

    text: str
    title: str
    to: str
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class TimePicker:
    """What a page offers instead of the time that it is of.

    Attributes:
        ranges: the last hour, day, ...
        earlier: the span as long before this; None where nothing of it is kept.
        later: the span as long after this; None where that has not begun.
        slices: by which slice, where the monitor has any.
        start, stop: what the fields of a chosen time have.
        kept: the rest of the address, which a form has to send too.
    """

    ranges: Sequence[PickerLink]
    earlier: str | None
    later: str | None
    slices: Sequence[PickerLink]
    start: str
    stop: str
    is_custom: bool
    kept: Mapping[str, str]


def time_picker(view: View, ground: Ground, kept: Mapping[str, str]) -> TimePicker:
    """The picker of a page that is of this time; `kept` is what else its address asks for."""
    rest = {name: value for name, value in kept.items() if value}
    ranges = [
        PickerLink(SHORT[key], words, _to({"range": key}, rest), key == view.range)
        for key, (words, _) in RANGES.items()
    ]
    width = view.stop - view.start
    unsliced = {name: value for name, value in rest.items() if name != "by"}
    slices = [
        PickerLink(name, f"By {name}", _to(view.query, {**unsliced, "by": name}), name == view.by)
        for name in ground.slices
    ]
    is_whole = view.by is None and "slice" not in rest
    others = {name: value for name, value in unsliced.items() if name != "slice"}
    whole = PickerLink(DEFAULT_SLICE, "All rows", _to(view.query, others), is_whole)
    return TimePicker(
        ranges,
        _span(view.start - width, view.start, rest)
        if view.start > max(width, ground.oldest)
        else None,
        _span(view.stop, view.stop + width, rest) if view.stop < ground.now else None,
        [whole, *slices] if slices else [],
        local(view.start),
        local(view.stop),
        view.range == CUSTOM,
        rest,
    )


def _span(start: float, stop: float, rest: Mapping[str, str]) -> str:
    return _to({"from": local(start), "to": local(stop)}, rest)


def _to(time: Mapping[str, str], rest: Mapping[str, str]) -> str:
    return "?" + urlencode({**time, **rest}, safe=":")
