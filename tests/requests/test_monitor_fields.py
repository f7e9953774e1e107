"""Settings of a monitor that there is no such thing of are refused with what there is."""

import pytest
from pydantic import ValidationError

from kullback.requests.monitors import MonitorSettings


@pytest.mark.parametrize("task", ["regression", "ranking", "multi-label", ""])
def test_a_task_without_monitors_is_refused_with_those_that_there_are(task: str) -> None:
    with pytest.raises(ValidationError, match="binary, multiclass or multilabel; regression"):
        MonitorSettings.model_validate({"task": task})


def test_a_task_is_a_word() -> None:
    with pytest.raises(ValidationError, match="'binary', 'multiclass' or 'multilabel'"):
        MonitorSettings.model_validate({"task": 2})
    assert MonitorSettings.model_validate({"task": "multiclass"}).task == "multiclass"
