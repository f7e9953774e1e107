"""Groups: hours of few outcomes are put together, until they have enough of them to tell anything.

An e-value is against the best of many readings of the predictions. Of a few rows there is always
one that fits, whatever the truth: at five rows an hour each hour spoke for the predictions.

A group is closed once ENOUGH outcomes of the rarer kind were to be expected of its rows. That
follows from the predictions alone, so that what is known before the labels decides where a block
ends, and its e-value stays one. The last group is judged as far as it has come, as an hour is.
"""

from collections.abc import Mapping, Sequence

from kullback.judgement.blocks import summed, without
from kullback.judgement.findings import ENOUGH
from kullback.judgement.folds import Memo
from kullback.judgement.judged import JudgedBlock, judged
from kullback.judgement.recalibration import Tolerance


def grouped(
    memo: Memo,
    blocks: Sequence[JudgedBlock],
    tolerance: Tolerance,
    wholes: Mapping[int, JudgedBlock] | None = None,
) -> Sequence[JudgedBlock]:
    """Blocks in order, those of few outcomes with the next ones.

    Args:
        memo: what was computed of them before.
        blocks: those with labels.
        tolerance: of their e-values.
        wholes: all rows by the start of their hour, where blocks are of a value of a slice.
    """
    groups: list[JudgedBlock] = []
    some: list[JudgedBlock] = []
    expected = 0.0
    for each in blocks:
        some.append(each)
        expected += each.expected
        if expected >= ENOUGH:
            groups.append(_together(memo, some, tolerance, wholes))
            some, expected = [], 0.0
    return [*groups, _together(memo, some, tolerance, wholes)] if some else groups


def _together(
    memo: Memo,
    blocks: list[JudgedBlock],
    tolerance: Tolerance,
    wholes: Mapping[int, JudgedBlock] | None,
) -> JudgedBlock:
    if len(blocks) == 1:
        return blocks[0]
    beside = [] if wholes is None else [wholes.get(each.block.start) for each in blocks]
    rest = [each for each in beside if each is not None and each.rows]
    mark = hash(tuple(each.mark for each in (*blocks, *rest)))

    def compute() -> JudgedBlock:
        part = summed([each.block for each in blocks])
        are_all = rest and len(rest) == len(blocks)
        others = without(summed([each.block for each in rest]), part) if are_all else None
        return judged(part, tolerance, others, mark)

    return memo.once(("group", mark, tolerance), compute)
