"""An experiment's plan is complete once its settings are read, or refused by name."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.documents import to_json
from kullback.errors import InvalidInput
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.replies import ExperimentSetup
from kullback.requests.experiments import ExperimentSettings
from tests.payload.batch_bodies import read
from tests.payload.bodies import as_json

law = settings(deadline=None, derandomize=True, max_examples=150)
PAIR = ["a", "b"]
name = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64
)


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    """Shares of 2 to 20 arms, as decimals that almost sum to 1."""
    names = draw(st.lists(name, min_size=2, max_size=20, unique=True))
    sizes = [draw(st.floats(0.01, 100)) for _ in names]
    digits = draw(st.sampled_from([9, 12, 17]))
    total = sum(sizes)
    return {arm: round(size / total, digits) for arm, size in zip(names, sizes, strict=True)}


def plan(**fields: Any) -> Plan:  # noqa: ANN401 - any JSON
    return read(ExperimentSettings, as_json(fields)).plan()


def place(raw: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(ExperimentSettings, raw)
    return refused.value.offences[0].pointer


def test_what_is_not_sent_has_a_default() -> None:
    assert plan(arms=PAIR) == Plan(
        arms=(Arm("a", 0.5), Arm("b", 0.5)),
        control="a",
        design="parallel",
        metric="log_loss",
        alpha=0.05,
        minimum_effect=None,
        minimum_units=100,
        convention="sklearn",
        slices=(),
    )


def test_everything_may_be_sent() -> None:
    found = plan(
        arms={"new": 0.1, "old": 0.9},
        control="old",
        design="paired",
        metric="normalized_entropy",
        alpha=0.5,
        minimum_effect=0.002,
        minimum_units=2,
        convention="torchrec",
        slices=["country", "_a.b-C9"],
    )
    assert found == Plan(
        arms=(Arm("new", 0.1), Arm("old", 0.9)),
        control="old",
        design="paired",
        metric="normalized_entropy",
        alpha=0.5,
        minimum_effect=0.002,
        minimum_units=2,
        convention="torchrec",
        slices=("country", "_a.b-C9"),
    )


@pytest.mark.parametrize(
    "arms",
    [
        {"b": 0.75, "a": 0.25},
        [{"name": "b", "share": 0.75}, {"share": 0.25, "name": "a"}],
    ],
)
def test_shares_may_be_sent_by_name_or_one_by_one_and_keep_their_order(arms: object) -> None:
    assert plan(arms=arms).arms == (Arm("b", 0.75), Arm("a", 0.25))
    assert plan(arms=arms).control == "b"


@pytest.mark.parametrize("count", range(2, 21))
def test_arms_without_shares_have_equal_ones(count: int) -> None:
    found = plan(arms=[f"arm {i}" for i in range(count)]).arms
    assert [arm.share for arm in found] == [1 / count] * count


def test_thirds_may_be_sent_as_decimals() -> None:
    found = plan(arms={"a": 0.333333, "b": 0.333333, "c": 0.333333}).arms
    assert [arm.share for arm in found] == pytest.approx([1 / 3] * 3, rel=1e-15)


@law
@given(shares())
def test_shares_sum_to_one_but_for_rounding(drawn: dict[str, float]) -> None:
    found = plan(arms=drawn).arms
    assert [arm.name for arm in found] == list(drawn)
    assert [arm.share for arm in found] == pytest.approx(list(drawn.values()), rel=2e-6)
    assert math.fsum(arm.share for arm in found) == pytest.approx(1, abs=2e-12)


@law
@given(st.one_of(shares(), shares().map(list)))
def test_a_plan_that_is_sent_as_it_was_answered_stays_the_same(drawn: Any) -> None:  # noqa: ANN401
    first = plan(arms=drawn, minimum_effect=0.01, slices=["country"])
    answered = ExperimentSetup.of("ranker", 1, first)
    fields = json.loads(to_json(answered))
    sent = {name: fields[name] for name in fields if name not in {"name", "epoch"}}
    assert plan(**sent) == first


def test_paired_arms_are_compared_by_what_differs_between_them() -> None:
    for metric in ("log_loss", "normalized_entropy", "brier"):
        assert plan(arms=PAIR, design="paired", metric=metric).metric == metric
    assert plan(arms=PAIR, metric="base_rate").metric == "base_rate"
    assert place(as_json({"arms": PAIR, "design": "paired", "metric": "base_rate"})) == "/metric"


LONG = "x" * 65
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "/arms"),
    ({"arms": None}, "/arms"),
    ({"arms": "ab"}, "/arms"),
    ({"arms": 2}, "/arms"),
    ({"arms": []}, "/arms"),
    ({"arms": {}}, "/arms"),
    ({"arms": ["a"]}, "/arms"),
    ({"arms": {"a": 1}}, "/arms"),
    ({"arms": [f"a{i}" for i in range(21)]}, "/arms"),
    ({"arms": {f"a{i}": 1 / 21 for i in range(21)}}, "/arms"),
    ({"arms": ["a", "a"]}, "/arms/1"),
    ({"arms": ["a", ""]}, "/arms/1"),
    ({"arms": ["a", LONG]}, "/arms/1"),
    ({"arms": ["a", "b\n"]}, "/arms/1"),
    ({"arms": ["a", "\x85"]}, "/arms/1"),
    ({"arms": ["a", 1]}, "/arms/1"),
    ({"arms": ["a", True]}, "/arms/1"),
    ({"arms": ["a", None]}, "/arms/1"),
    ({"arms": ["a", ["b"]]}, "/arms/1"),
    ({"arms": ["a", {"name": "b", "share": 0.5}]}, "/arms/0"),
    ({"arms": {"": 0.5, "b": 0.5}}, "/arms/"),
    ({"arms": {"a\0": 0.5, "b": 0.5}}, "/arms/a\0"),
    ({"arms": {LONG: 0.5, "b": 0.5}}, "/arms/" + "x" * 64),
    ({"arms": {"x" * 100_000: 0.5, "b": 0.5}}, "/arms/" + "x" * 64),
    ({"arms": {"a": 0.5, "b": 0}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": -0.5}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": 1.5}}, "/arms/b"),
    ({"arms": {"a": 1, "b": 1e-200}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": 10**400}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": "0.5"}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": True}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": None}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b/c": [0.5]}}, "/arms/b~1c"),
    ({"arms": {"a": 0.5, "b": {"share": 0.5}}}, "/arms/b"),
    ({"arms": {"a": 0.5, "b": 0.4999}}, "/arms"),
    ({"arms": {"a": 0.5, "b": 0.500002}}, "/arms"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": "a", "share": 0.5}]}, "/arms/1"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.6}]}, "/arms"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": "b"}]}, "/arms/1"),
    ({"arms": [{"name": "a", "share": 0.5}, {"share": 0.5}]}, "/arms/1"),
    ({"arms": [{"name": "a", "share": 1, "x": 1}, {"name": "b", "share": 1}]}, "/arms/0"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": 1, "share": 0.5}]}, "/arms/1/name"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": "1"}]}, "/arms/1/share"),
    ({"arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": True}]}, "/arms/1/share"),
    ({"arms": [{"name": "a", "share": 0.5}, "b"]}, "/arms/1"),
    ({"control": "c"}, "/control"),
    ({"control": 1}, "/control"),
    ({"design": "crossover"}, "/design"),
    ({"metric": "auc"}, "/metric"),
    ({"alpha": 0}, "/alpha"),
    ({"alpha": 0.51}, "/alpha"),
    ({"alpha": -0.05}, "/alpha"),
    ({"alpha": 1e-300}, "/alpha"),
    ({"alpha": True}, "/alpha"),
    ({"alpha": "0.05"}, "/alpha"),
    ({"alpha": None}, "/alpha"),
    ({"minimum_effect": 0}, "/minimum_effect"),
    ({"minimum_effect": -0.01}, "/minimum_effect"),
    ({"minimum_effect": 1e-200}, "/minimum_effect"),
    ({"minimum_effect": "two%"}, "/minimum_effect"),
    ({"minimum_effect": "0%"}, "/minimum_effect"),
    ({"minimum_effect": 1e200}, "/minimum_effect"),
    ({"minimum_effect": True}, "/minimum_effect"),
    ({"minimum_units": 1}, "/minimum_units"),
    ({"minimum_units": 100.0}, "/minimum_units"),
    ({"minimum_units": True}, "/minimum_units"),
    ({"minimum_units": 10**30}, "/minimum_units"),
    ({"convention": "other"}, "/convention"),
    ({"slices": ["a", "a"]}, "/slices/1"),
    ({"slices": ["a", "1"]}, "/slices/1"),
    ({"slices": [f"s{i}" for i in range(21)]}, "/slices"),
    ({"name": "x"}, "/name"),
]


@pytest.mark.parametrize(("fields", "expected"), WRONG)
def test_other_settings_are_refused_by_name(fields: dict[str, Any], expected: str) -> None:
    arms = {} if "arms" in fields or not fields else {"arms": PAIR}
    assert place(as_json(arms | fields)) == expected


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("minimum_effect", 0, "minimum_effect: must be above 0"),
        ("minimum_effect", -0.01, "minimum_effect: must be above 0"),
        ("minimum_effect", 1e-200, "minimum_effect: is not in [1e-100, 1e+100]"),
        ("alpha", 0, "alpha: must be above 0"),
        ("alpha", 0.6, "alpha: is not in [1e-100, 0.5]"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_in_words(
    field: str, value: float, detail: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(ExperimentSettings, as_json({"arms": PAIR, field: value}))
    assert refusal.value.message == detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"arms": {"a": 0.5, "a": 0.25, "b": 0.5}', "/arms/a"),
        ('"arms": {"a": 0.5, "\\u0061": 0.25, "b": 0.5}', "/arms/a"),
        ('"arms": [{"name": "a", "name": "b", "share": 0.5}, {"name": "a"}]', "/arms/0/name"),
        ('"arms": ["a", "b"], "arms": ["a", "b"]', "/arms"),
        ('"arms": ["a", "b"], "alpha": NaN', "/alpha"),
        ('"arms": ["a", "b"], "minimum_effect": Infinity', "/minimum_effect"),
    ],
)
def test_what_only_json_can_say_is_refused_there(text: str, expected: str) -> None:
    assert place(f"{{{text}}}".encode()) == expected


@pytest.mark.parametrize("field", ["alpha", "minimum_effect", "arms"])
def test_numbers_beyond_doubles_are_refused(field: str) -> None:
    value = '{"a": 0.5, "b": 1e999}' if field == "arms" else "1e999"
    arms = "" if field == "arms" else '"arms": ["a", "b"], '
    assert place(f'{{{arms}"{field}": {value}}}'.encode()).startswith(f"/{field}")


def test_the_forms_of_arms_are_described_for_callers() -> None:
    schema = ExperimentSettings.model_json_schema()
    assert set(schema["$defs"]) == {"GuardrailFields", "WinsorizeFields"}
    assert schema["required"] == ["arms"]
    names, objects, by_name = schema["properties"]["arms"]["anyOf"]
    assert names["items"] == {"type": "string", "minLength": 1, "maxLength": 64}
    assert objects["items"]["required"] == ["name", "share"]
    assert by_name["maxProperties"] == objects["maxItems"] == names["maxItems"] == 20
