"""Options that every metric takes: each changes an answer, or is refused where it cannot."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.requests import REQUESTS
from kullback.requests.base import GradientRequest
from kullback.scoring.catalog import METRICS
from tests.requests.forms import FORMS, K
from tests.requests.test_counted import refusal, scored

N = 6
ASKED: dict[str, Any] = {
    "base": "2",
    "reduction": "sum",
    "per_row": True,
    "gradient": True,
    "sample_weight": [1, 2, 3, 1, 2, 1],
    "details": False,
    "missing": "drop",
    "sum_tolerance": 0.01,
    "on_unnormalized": "renormalize",
}
CHANGES = (  # probabilities, their logarithms, a label of 1, two likeliest tokens
    (1.005, 0.0),
    (1.0, 0.005),
    (0.0, 1.005),
    (0.0, math.log(1.005 / 2)),
)
DOCUMENTED = {  # docs/metrics.md says that they change nothing
    *(("perplexity", "base"), ("perplexity", "reduction")),
    *(("gccs", "per_row"), ("gccs", "reduction")),
}
LEAVE_OUT = "leave it out"


def bodies() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every form of every metric, or the example of one whose fields are not of as many rows."""
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        name: (form.metric, {**form.rows(np.random.default_rng(1), N), **form.options})
        for name, form in FORMS.items()
    }
    rest = REQUESTS.keys() - {form.metric for form in FORMS.values()}
    return forms | {name: (name, dict(METRICS[name].example.request)) for name in sorted(rest)}


BODIES = bodies()


def off(entry: Any, factor: float, step: float) -> Any:  # noqa: ANN401 - any JSON
    """The same with each number off by a little."""
    if isinstance(entry, list):
        return [off(each, factor, step) for each in entry]
    if isinstance(entry, dict):
        return {name: off(each, factor, step) for name, each in entry.items()}
    return entry * factor + step if isinstance(entry, int | float) else entry


def siblings(sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The body, and those of which one field is off, or misses a row."""
    yield sent
    for name, value in sent.items():
        if isinstance(value, list):
            for factor, step in CHANGES:
                yield sent | {name: off(value, factor, step)}
            yield sent | {name: [None, *value[1:]]}
            if all(isinstance(each, int) for each in value):
                width = max(K, max(value) + 1)
                for k in {2, width}:
                    ones = [[1.005 if at == each else 0 for at in range(k)] for each in value]
                    yield sent | {name: ones}


def outcome(metric: str, sent: dict[str, Any]) -> str:
    """The answer but for the conventions, which repeat what was asked; or the refusal."""
    try:
        answer = scored(metric, **sent).to_dict()
    except InvalidInput as error:
        return error.message
    return repr({name: value for name, value in answer.items() if name != "conventions"})


def is_refused(metric: str, sent: dict[str, Any], option: str) -> bool:
    """Whether it is the option that is refused."""
    try:
        scored(metric, **sent)
    except InvalidInput as error:
        return any(offence.pointer.split("/")[1] == option for offence in error.offences)
    return False


def test_all_shared_options_are_tried() -> None:
    assert ASKED.keys() == GradientRequest.model_fields.keys()


@pytest.mark.parametrize("option", ASKED)
@pytest.mark.parametrize("name", BODIES)
def test_an_option_changes_an_answer_or_is_refused(name: str, option: str) -> None:
    metric, sent = BODIES[name]
    if option not in REQUESTS[metric].model_fields:
        assert option == "gradient"
        return
    if (metric, option) in DOCUMENTED:
        assert outcome(metric, sent | {option: ASKED[option]}) == outcome(metric, sent)
        return
    asked = {option: ASKED[option]}
    assert is_refused(metric, sent | asked, option) or any(
        outcome(metric, body) != outcome(metric, body | asked) for body in siblings(sent)
    )


@pytest.mark.parametrize("name", BODIES)
def test_defaults_may_be_sent(name: str) -> None:
    metric, sent = BODIES[name]
    fields = REQUESTS[metric].model_fields
    defaults = {option: fields[option].default for option in ASKED.keys() & fields.keys()}
    spelt = {option: value for option, value in defaults.items() if value is not None}
    assert outcome(metric, spelt | sent) == outcome(metric, sent)


@pytest.mark.parametrize(
    ("metric", "sent", "option"),
    [
        ("sigmoid-cross-entropy", {"logits": [0.0], "y_true": [1]}, "on_unnormalized"),
        ("softmax-cross-entropy", {"logits": [[0.0, 1.0]], "y_true": [1]}, "on_unnormalized"),
        ("gan-loss", {"real_logits": [1.0], "fake_logits": [0.0]}, "sum_tolerance"),
        ("pc-softmax", {"logits": [[0.0, 1.0]], "y_true": [1]}, "on_unnormalized"),
        ("perplexity", {"token_logprobs": [[-1.0]]}, "sum_tolerance"),
        ("brier", {"y_true": [1], "y_proba": [0.5]}, "base"),
        ("calibration", {"y_true": [1], "y_proba": [0.5]}, "per_row"),
        ("calibration", {"y_true": [1], "y_proba": [0.5]}, "reduction"),
        ("entropy", {"logits": [0.0, 1.0]}, "on_unnormalized"),
        ("entropy", {"counts": [1, 2]}, "sum_tolerance"),
    ],
)
def test_what_means_nothing_is_refused_by_name(
    metric: str, sent: dict[str, Any], option: str
) -> None:
    refused = refusal(metric, **sent, **{option: ASKED[option]})
    assert [offence.pointer for offence in refused.offences] == [f"/{option}"]
    assert LEAVE_OUT in refused.message


def test_an_option_of_probabilities_says_which_fields_hold_them() -> None:
    refused = refusal("entropy", logits=[0.0, 1.0], on_unnormalized="renormalize")
    assert "no p, p_log was sent" in refused.message
