"""A plan survives being written down, and knows its arms."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kullback.documents import to_json
from kullback.errors import InvalidInput
from kullback.experiments.plan import MINIMUM_UNITS, Arm, Plan
from kullback.experiments.replies import ExperimentSetup
from kullback.scoring.conventions import CONVENTIONS
from kullback.tally.tally import Layout
from tests.experiments.arms import PAIRED, PARALLEL

shares = st.lists(st.floats(1e-100, 1.0), min_size=2, max_size=5)


def planned(found: list[float]) -> tuple[Arm, ...]:
    return tuple(Arm(f"arm {place}", share) for place, share in enumerate(found))


plans = st.builds(
    Plan,
    arms=shares.map(planned),
    control=st.just("arm 0"),
    design=st.sampled_from(("parallel", "paired")),
    metric=st.sampled_from(("log_loss", "normalized_entropy", "brier", "base_rate")),
    alpha=st.floats(1e-100, 0.5),
    minimum_effect=st.one_of(st.none(), st.floats(1e-100, 1e100)),
    minimum_units=st.integers(2, 2**63 - 1),
    convention=st.sampled_from(sorted(CONVENTIONS)),
    slices=st.lists(st.sampled_from(("os", "é", "")), max_size=3).map(tuple),
)


@given(plans)
def test_bytes_make_it_again(plan: Plan) -> None:
    assert Plan.decoded(plan.encoded()) == plan
    assert Plan.decoded(plan.encoded()).encoded() == plan.encoded()


def test_unless_said_otherwise_it_is_parallel_and_decides_nothing() -> None:
    plan = Plan(PARALLEL.arms, "a")
    assert (plan.design, plan.metric, plan.alpha) == ("parallel", "log_loss", 0.05)
    assert (plan.minimum_effect, plan.minimum_units) == (None, MINIMUM_UNITS)
    assert (plan.convention, plan.slices) == ("sklearn", ())


def test_treatments_are_the_arms_that_are_not_the_control() -> None:
    plan = Plan((Arm("x", 0.2), Arm("y", 0.3), Arm("z", 0.5)), "y")
    assert plan.names == ["x", "y", "z"]
    assert plan.treatments == ["x", "z"]


def test_tallies_are_of_its_convention() -> None:
    assert replace(PAIRED, convention="exact").layout == Layout(
        "binary", 2, "exact", clustered=True
    )


def test_a_set_up_names_everything_that_was_planned() -> None:
    document = json.loads(to_json(ExperimentSetup.of("ranker", 1, PAIRED)))
    assert document["arms"] == [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]
    unsaid = {"outcome", "higher_is_better", "winsorize", "covariate", "guardrails"}
    assert set(document) == {"name", "epoch", *Plan.__dataclass_fields__} - unsaid
    planned = {name: value for name, value in document.items() if name not in {"name", "epoch"}}
    assert TypeAdapter(Plan).validate_python(planned) == PAIRED


@pytest.mark.parametrize(("slices", "known"), [((), "none"), (("os", "age"), "os, age")])
def test_a_slice_that_was_not_planned_is_refused(slices: tuple[str, ...], known: str) -> None:
    plan = replace(PAIRED, slices=slices)
    for name in slices:
        plan.check_slice(name, "slice", name)
    with pytest.raises(InvalidInput, match=f"which has {known}") as refusal:
        plan.check_slice("country", "slice", "country")
    assert [offence.pointer for offence in refusal.value.offences] == ["/slice/country"]
