"""`make bench-statistics`: thousands of experiments, and a table of their results."""

import sys
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.statistics import (
    auc,
    calibration,
    coverage,
    families,
    peeking,
    power,
    ramps,
    sample_ratios,
    segment_families,
)
from tests.statistics.bounds import FOUND_ANYHOW, NOTICED, noise
from tests.statistics.coverage import Told
from tests.statistics.crowds import CROWDS

RUNS = 3000
RATIO_RUNS = 4000
FAMILY_RUNS = 150
AUC_RUNS = 1000
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
Table = list[Sequence[str]]


def main() -> int:
    """Print the tables; 1 where a bound is broken."""
    tables, broken = [], []
    with Progress(*_COLUMNS, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        for section in (
            *(_coverage, _ramps, _peeking, _power, _others, _families, _auc),
            *(_sample_ratios, _lost_units, _ece),
        ):
            table, complaints = section(bar)
            tables.append(table)
            broken += complaints
    error = noise(0.05, RUNS)
    sys.stdout.write(f"{RUNS:,} runs of each; ±{error:.2%} is the noise of 5 % or 95 % of them\n")
    for table in tables:
        sys.stdout.write(f"\n{aligned(table)}\n")
    for complaint in broken:
        sys.stdout.write(f"\nbroken: {complaint}")
    sys.stdout.write("\n" if broken else "\nall bounds hold\n")
    return 1 if broken else 0


def _coverage(bar: Progress) -> tuple[Table, list[str]]:
    table: Table = [("coverage of 95 %", "naive iid", "cluster z", "cluster t_df")]
    broken = []
    for name in coverage.SCENARIOS:
        found = coverage.coverage(name, RUNS, _task(bar, name))
        table.append((name, *_percent(found.naive, found.normal, found.student)))
        broken += coverage.complaints(name, found, by_many=True)
    return table, broken


def _ramps(bar: Progress) -> tuple[Table, list[str]]:
    table: Table = [("ramps", "all rows", "strata", "sequence misses", "SE by strata")]
    broken = []
    for name, ramp in ramps.RAMPS.items():
        found = ramps.ramp_runs(ramp, RUNS, told=_task(bar, name))
        shares = _percent(found.pooled, found.stratified, found.missed)
        table.append((name, *shares, f"{found.error:.3f}"))
        broken += ramps.complaints(name, found, by_many=True)
    return table, broken


def _peeking(bar: Progress) -> tuple[Table, list[str]]:
    table: Table = [("claims, 100 looks", "cluster z at every look", "sequence")]
    broken = []
    for name in CROWDS:
        found = peeking.crossing(name, RUNS, _task(bar, name))
        table.append((name, *_percent(found.fixed, found.sure)))
        broken += peeking.complaints(name, found, by_many=True)
    users, information = (
        peeking.long_crossing(clock, RUNS, _task(bar, "long monitoring"))
        for clock in (peeking.by_users, peeking.by_information)
    )
    table.append(("information × 100,000, clock = users", "", *_percent(users)))
    table.append(("information × 100,000", "", *_percent(information)))
    broken += peeking.long_complaints(information)
    if not peeking.long_complaints(users):
        broken.append("a clock of users is as good")
    return table, broken


def _power(bar: Progress) -> tuple[Table, list[str]]:
    times = [f"{time:g} ×" for time in power.TIMES]
    table: Table = [("effect found by so many times a fixed look", *times, "claimed, A/A at 5 ×")]
    told = _task(bar, "power of methods")
    found = power.power_table(RATIO_RUNS)
    told()
    for name, row in found.items():
        table.append((name, *_percent(*row.found, row.claimed)))
    return table, power.table_complaints(found)


def _others(bar: Progress) -> tuple[Table, list[str]]:
    planned = peeking.power(RUNS, _task(bar, "power"))
    anyhow = peeking.power(RUNS, _task(bar, "power, margin too small"), too_small=10.0)
    claims = families.false_claims(RUNS, _task(bar, "families"))
    table: Table = [
        ("beside these", "share"),
        ("planned effect found by 2× fixed n", *_percent(planned.better)),
        ("planned effect in the wrong direction", *_percent(planned.worse)),
        ("the same by a margin 10 times too small", *_percent(anyhow.better)),
        ("any claim of 40 by Holm, nothing differs", *_percent(claims.holm)),
        ("any claim of 40 by e-BH, nothing differs", *_percent(claims.e_bh)),
    ]
    broken = peeking.power_complaints(planned, by_many=True)
    broken += FOUND_ANYHOW.complaints("a margin 10 times too small", anyhow.better)
    broken += families.family_complaints(claims, RUNS)
    return table, broken


def _families(bar: Progress) -> tuple[Table, list[str]]:
    head = ("Holm", "BH", "e-BH", "verdicts", "members")
    table: Table = [("any claim of all arms and segments, A/A", *head)]
    broken: list[str] = []
    for name, family in segment_families.FAMILIES.items():
        task = bar.add_task(name, total=FAMILY_RUNS)
        found = segment_families.family_claims(family, FAMILY_RUNS, partial(bar.advance, task))
        shares = _percent(found.holm, found.hochberg, found.e_bh, found.verdict)
        table.append((name, *shares, f"{found.members:.0f}"))
        broken += segment_families.segment_complaints(name, found, FAMILY_RUNS)
    return table, broken


def _auc(bar: Progress) -> tuple[Table, list[str]]:
    task = bar.add_task("AUC", total=AUC_RUNS)
    found = auc.auc_claims(AUC_RUNS, partial(bar.advance, task))
    table: Table = [("difference of AUC, 20 looks, A/A", "share")]
    table.append(("claimed by the interval at any look", *_percent(found.fixed)))
    table.append(("claimed by the sequence", *_percent(found.sequence)))
    table.append(("held by the interval at the last look", *_percent(found.covered)))
    return table, auc.auc_complaints(found)


def _sample_ratios(bar: Progress) -> tuple[Table, list[str]]:
    levels = [f"e ≥ {1 / alpha:,.0f}" for alpha in sample_ratios.ALPHAS]
    table: Table = [("sample ratio as planned, 1,000 looks", *levels)]
    broken: list[str] = []
    for name in bar.track(list(sample_ratios.PLANS), description="sample ratio"):
        found = sample_ratios.alarms(sample_ratios.PLANS[name], RATIO_RUNS, sample_ratios.OFTEN)
        table.append((name, *_percent(*found.values())))
        broken += sample_ratios.alarm_complaints(name, found, None)
    looks = sample_ratios.Looks()
    found = sample_ratios.alarms(sample_ratios.HALVES, RATIO_RUNS, looks, (0.51, 0.49))
    table.append(("51 : 49 of 50 : 50, 200 looks to 100,000", *_percent(*found.values())))
    return table, broken + NOTICED.complaints("51 : 49", found[0.01])


def _lost_units(bar: Progress) -> tuple[Table, list[str]]:
    table: Table = [("lost units", "half of all runs alarm by")]
    broken: list[str] = []
    for name in bar.track(list(sample_ratios.LOST), description="lost units"):
        found = sample_ratios.LOST[name].median(RATIO_RUNS)
        table.append((name, f"{found:,.0f}"))
        broken += sample_ratios.LOST[name].complaints(name, found)
    return table, broken


def _ece(bar: Progress) -> tuple[Table, list[str]]:
    means = ("truth", "ece", "expected if calibrated", "debiased")
    table: Table = [("calibration error", *means, "ece held by ±2 SE", "debiased held")]
    broken: list[str] = []
    for name, model in calibration.MODELS.items():
        found = calibration.ece_runs(model, RUNS, _task(bar, name))
        numbers = (found.truth, found.plain, found.expected, found.debiased)
        held = _percent(found.plain_held, found.debiased_held)
        table.append((name, *(f"{number:.5f}" for number in numbers), *held))
        broken += calibration.ece_complaints(name, model, found)
    return table, broken


def _task(bar: Progress, name: str) -> Told:
    task = bar.add_task(name, total=RUNS)
    return lambda: bar.advance(task)


def _percent(*shares: float) -> list[str]:
    return [f"{share:.1%}" if share >= 0.1 else f"{share:.2%}" for share in shares]


def aligned(table: Table) -> str:
    """Text in columns, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )


if __name__ == "__main__":
    sys.exit(main())
