"""Fields of a comparison that tell its effect in terms of the control's value."""

from collections.abc import Mapping

from kullback.numerics.types import Undefined
from kullback.tally.relative_effect import RelativeEffect


def relative_fields(relative: RelativeEffect | Undefined | None) -> Mapping[str, object]:
    """What a comparison says of its effect in terms of the control's value."""
    undefined = relative if isinstance(relative, Undefined) else None
    error, fixed, sequence = None, None, None
    if isinstance(relative, RelativeEffect):
        sets = relative.fixed_interval, relative.confidence_sequence
        undefined = next((each for each in sets if isinstance(each, Undefined)), None)
        error = relative.standard_error
        fixed, sequence = (None if isinstance(each, Undefined) else each for each in sets)
    return {
        "relative_standard_error": error,
        "relative_fixed_interval": fixed,
        "relative_sequence": sequence,
        "relative_reason": None if undefined is None else undefined.reason,
    }
