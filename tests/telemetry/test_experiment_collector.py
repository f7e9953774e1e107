"""Prometheus reads of each experiment what its report says, up to a number of experiments."""

import re
import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kullback.experiments.verdict import VerdictWord
from kullback.telemetry.experiment_collector import ExperimentCollector
from tests.deploy.families import OF_EXPERIMENTS
from tests.experiments.arms import paired, split
from tests.experiments.service import (
    EXPERIMENT,
    NEW_EPOCH,
    PAIRED,
    PARALLEL,
    TWO,
    observe,
    report,
    sent,
)
from tests.monitoring.service import Document, Service

pytestmark = pytest.mark.anyio


async def filled(service: Service, plan: Document = PARALLEL) -> Document:
    """An experiment of which something is known, at the last round; its report."""
    drawn = paired(noise=3.0, n=6000)
    await service.put(EXPERIMENT, **plan)
    await observe(service, **sent(split(drawn) if plan["design"] == "parallel" else drawn))
    service.inside.experiment_maintenance.run_due()
    return await report(service)


async def samples(service: Service) -> dict[str, float]:
    found = await service.samples()
    return {name: value for name, value in found.items() if "kullback_experiment" in name}


def named(name: str, **labels: str) -> str:
    labels |= {"experiment": "ranker"}
    said = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"kullback_experiment_{name}{{{said}}}"


async def test_a_stopped_experiment_has_no_gauges_until_it_goes_on(service: Service) -> None:
    await filled(service)
    await service.client.post(f"{EXPERIMENT}/stop", json={"note": "shipped"})
    service.inside.experiment_maintenance.run_due()
    assert await samples(service) == {"kullback_experiments_not_shown": 0}
    assert "ranker" in service.inside.experiment_maintenance.states
    await service.put(NEW_EPOCH, **PARALLEL)
    service.inside.experiment_maintenance.run_due()
    assert (await samples(service))[named("version")] == 1


async def test_every_gauge_is_what_the_report_says(service: Service) -> None:
    found = await filled(service)
    (one,) = found["comparisons"]
    expected = {
        "effect": one["effect"],
        "standard_error": one["standard_error"],
        "effect_low": one["sequence"][0],
        "effect_high": one["sequence"][1],
        "e_value": one["e_value"],
    }
    gauges = {named(name, arm="b"): value for name, value in expected.items()}
    gauges |= {
        named("verdict", arm="b", verdict=word): float(word == one["verdict"])
        for word in VerdictWord
    }
    gauges |= {named("units", arm=arm["arm"]): arm["units"] for arm in found["arms"]}
    gauges[named("sample_ratio_e_value")] = found["sample_ratio"]["e_value"]
    gauges[named("version")] = 1
    gauges["kullback_experiments_not_shown"] = 0
    assert one["verdict"] == "worse"
    assert await samples(service) == pytest.approx(gauges, rel=1e-12)


async def test_what_is_not_known_has_no_gauge(service: Service) -> None:
    await service.put(EXPERIMENT, **(PAIRED | {"minimum_effect": None}))
    assert await samples(service) == {"kullback_experiments_not_shown": 0}
    service.inside.experiment_maintenance.run_due()
    verdicts = {named("verdict", arm="b", verdict=word): 0.0 for word in VerdictWord}
    verdicts[named("verdict", arm="b", verdict="invalid")] = 1.0
    bare = {named("version"): 0.0, "kullback_experiments_not_shown": 0.0}
    assert await samples(service) == verdicts | bare
    await observe(service, **TWO)
    service.inside.experiment_maintenance.run_due()
    known = (await samples(service)).keys()
    assert named("effect", arm="b") in known
    assert named("effect_low", arm="b") not in known
    assert named("e_value", arm="b") not in known
    assert named("sample_ratio_e_value") not in known


async def test_gauges_of_a_removed_experiment_vanish(service: Service) -> None:
    await filled(service)
    assert len(await samples(service)) > 10
    await service.client.delete(EXPERIMENT)
    service.inside.experiment_maintenance.run_due()
    assert await samples(service) == {"kullback_experiments_not_shown": 0}


async def test_names_are_those_that_dashboards_and_rules_read(service: Service) -> None:
    await filled(service)
    found: dict[str, set[str]] = {}
    for sample in await samples(service):
        name, _, labels = sample.partition("{")
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    assert found == {name: set(labels) for name, labels in OF_EXPERIMENTS.items()}


async def test_experiments_beyond_the_cap_are_counted_and_not_shown(service: Service) -> None:
    for name in ("b", "a", "c"):
        await service.put(f"/v1/experiments/{name}", **PAIRED)
    maintenance = service.inside.experiment_maintenance
    maintenance.run_due()
    each = len(VerdictWord) + 5 + 2 + 2  # of the treatment, of the arms, of the experiment
    for cap, shown in ((0, ""), (2 * each, "ab"), (3 * each - 1, "ab"), (3 * each, "abc")):
        registry = CollectorRegistry()
        registry.register(ExperimentCollector(maintenance, cap))
        text = generate_latest(registry).decode()
        assert set(re.findall(r'experiment="(\w+)"', text)) == set(shown)
        assert f"kullback_experiments_not_shown {3 - len(shown)}.0" in text


async def test_promtool_finds_nothing_to_complain_about(service: Service) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    await filled(service)
    odd = ['quote"', "back\\slash", "Ü umlaut"]
    await service.put("/v1/experiments/odd", arms=odd, design="parallel")
    service.inside.experiment_maintenance.run_due()
    text = (await service.client.get("/metrics")).content
    assert b'experiment="odd"' in text
    checked = subprocess.run(  # noqa: ASYNC221, S603 - a known program, and nobody else waits
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
