"""The task of a prediction: one yes or no, one class of many, or many yes or no per row."""

from typing import Literal

from kullback.errors import InvalidInput
from kullback.numerics.types import Array
from kullback.scoring.arrays import shown
from kullback.scoring.labels import Label, Labels
from kullback.scoring.options import Options

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


def refuse_unused(task: Task, pos_label: Label | None, options: Options) -> None:
    """Refuse options that do nothing for this task.

    Raises:
        InvalidInput: a positive label of many, or rows to divide where there are none.
    """
    if task != "binary" and pos_label is not None:
        raise InvalidInput.at(f"a {task} task has no positive label", "pos_label")
    if task != "multiclass" and options.on_unnormalized == "renormalize":
        detail = "on_unnormalized divides rows of exclusive classes by their sums; the task is"
        raise InvalidInput.at(f"{detail} {task}", "on_unnormalized")


def refuse_label_shape(y_true: Labels, name: str, scores: Array, task: Task | None = None) -> None:
    """Refuse labels of another shape than their predictions (n,) or (n, k) call for.

    Raises:
        InvalidInput: they are neither [n], nor [n][1], nor rows of all classes; or, for
            multilabel, not [n][k].
    """
    n, k = scores.shape[0], 2 if scores.ndim == 1 else scores.shape[1]
    sent = (len(y_true),) if isinstance(y_true, list) else y_true.shape
    rows, single = (n, k), [(n,), (n, 1)]
    accepted = [rows, *single] if task != "multilabel" or k == 1 else [rows]
    if sent in accepted:
        return
    wanted = "".join(f"[{size}]" for size in rows)
    if scores.ndim == 1:
        wanted = f"[{n}]"
    elif task != "multilabel":
        wanted = f"[{n}] or {wanted}"
    shape = "".join(f"[{size}]" for size in sent)
    detail = f"y_true has shape {shape}; {wanted} is expected ({name} is {shown(scores)})"
    raise InvalidInput.at(detail, "y_true")


def may_be_multilabel(y_true: Labels, k: int) -> bool:
    """Whether the labels are rows of 0 and 1, as those of a multilabel task are."""
    if isinstance(y_true, list) or y_true.ndim != 2 or y_true.shape[1] != k:
        return False
    return bool(((y_true == 0) | (y_true == 1)).all())
