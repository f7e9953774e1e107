"""The task of a prediction: one yes or no, one class of many, or many yes or no per row."""

from typing import Literal

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.arrays import shown
from kullback.scoring.labels import Labels

Task = Literal["binary", "multiclass", "multilabel"]

MULTILABEL = (
    'send task: "multilabel" where a column is a label of its own, of which a row may have several '
    "or none"
)


def refuse_task(task: Task, name: str, scores: Array) -> None:
    """Refuse predictions of another shape than the task's, and those of a single class.

    Raises:
        InvalidInput: binary ones are not [n], others not [n][k], or multiclass ones of one column.
    """
    wanted = "[n]" if task == "binary" else "[n][k]"
    if scores.ndim != (1 if task == "binary" else 2):
        raise InvalidInput.at(f"a {task} {name} is {wanted}, not {shown(scores)}", name)
    if task == "multiclass" and scores.shape[1] == 1:
        detail = (
            f"{name} has shape {shown(scores)}: a prediction of one class is always right; "
            'send a column per class, or task: "binary"'
        )
        raise InvalidInput.at(detail, name)


def may_be_multilabel(y_true: Labels, k: int) -> bool:
    """Whether the labels are rows of 0 and 1, as those of a multilabel task are."""
    if isinstance(y_true, list) or y_true.ndim != 2 or y_true.shape[1] != k:
        return False
    return bool(((y_true == 0) | (y_true == 1)).all())
