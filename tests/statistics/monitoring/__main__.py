"""`make bench-monitoring`: years of monitors whose truth is known, and tables of what they say."""

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress

from tests.statistics.__main__ import Table, aligned
from tests.statistics.monitoring.alarms import WEEK, YEAR, FalseAlarms
from tests.statistics.monitoring.runs import (
    SEED,
    BrokenRun,
    HealthyRun,
    Job,
    as_done,
    broken_run,
    healthy_jobs,
)
from tests.statistics.monitoring.worlds import BROKEN, HEALTHY, WORLDS

YEARS = 20.0
MOST_A_YEAR = 1.0
_LONG = 150  # characters of a statement


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where a bound is broken."""
    asked = _arguments(arguments)
    healthy = [name for name in HEALTHY if name in asked.worlds]
    broken = [name for name in BROKEN if name in asked.worlds]
    hours = asked.years * YEAR / max(len(healthy), 1)
    jobs: list[Job] = [(broken_run, (name,)) for name in broken]
    jobs += healthy_jobs(healthy, hours)
    sys.stdout.write(f"seed {SEED}; statements are those of the first alarms\n")
    runs: list[HealthyRun | BrokenRun] = []
    with suppress(KeyboardInterrupt):  # then the tables are of what was done
        for run in as_done(jobs, asked.workers):
            runs.append(run)
            sys.stdout.write(f"{len(runs)}/{len(jobs)} {_row(run, runs)}\n")
            sys.stdout.flush()
    complaints = [
        *_healthy([run for run in runs if isinstance(run, HealthyRun)]),
        *_broken([run for run in runs if isinstance(run, BrokenRun)]),
    ]
    for complaint in complaints:
        sys.stdout.write(f"\nbroken bound: {complaint}")
    sys.stdout.write("\n" if complaints else "\nall bounds hold\n")
    return 1 if complaints else 0


def _row(run: HealthyRun | BrokenRun, runs: Sequence[HealthyRun | BrokenRun]) -> str:
    """What came of a run, and of all healthy ones up to it."""
    if isinstance(run, BrokenRun):
        right = run.detection.right
        found = "never" if right is None else f"after {right.at - run.detection.onset:.1f} h"
        return f"{run.name}: {found}"
    total = _total(each for each in runs if isinstance(each, HealthyRun))
    so_far = f"{total.alarms} in {total.hours / YEAR:.3f} years"
    return (
        f"{run.name}: {len(run.raised)} in {run.hours / WEEK:.1f} weeks; "
        f"{so_far}, at most {total.most_per_year:.2f} a year"
    )


def _healthy(runs: Sequence[HealthyRun]) -> list[str]:
    if not runs:
        return []
    by_name: dict[str, list[HealthyRun]] = defaultdict(list)
    for run in runs:
        by_name[run.name].append(run)
    table: Table = [("healthy", "weeks", "alarms", "a week", "a year", "at most", "of")]
    total = FalseAlarms(0, 0.0)
    for name, some in by_name.items():
        count = _total(some)
        total += count
        checks = Counter(alarm.check.name for run in some for alarm in run.raised)
        of = ", ".join(f"{check} {number}" for check, number in checks.most_common())
        table.append((name, *_rates(count), of))
    table.append(("all", *_rates(total), ""))
    sys.stdout.write(f"\n{aligned(table)}\n")
    for name, some in by_name.items():
        for alarm in [alarm for run in some for alarm in run.raised][:2]:
            sys.stdout.write(f"  {name}, hour {alarm.at:.0f}: {str(alarm)[:_LONG]}\n")
    if total.per_year > MOST_A_YEAR:
        return [f"{total.per_year:.2f} false alarms a year are more than {MOST_A_YEAR:.0f}"]
    return []


def _broken(runs: Sequence[BrokenRun]) -> list[str]:
    if not runs:
        return []
    table: Table = [("broken", "by", "found", "check", "first", "before")]
    for run in runs:
        seen = run.detection
        table.append(
            (
                run.name,
                f"{seen.limit - seen.onset:.1f} h",
                "never" if seen.right is None else f"{seen.right.at - seen.onset:.1f} h",
                "" if seen.right is None else f"{seen.right.check.name} {seen.right.check.slice}",
                "" if seen.first is None else seen.first.check.name,
                str(seen.before),
            )
        )
    sys.stdout.write(f"\n{aligned(table)}\n")
    for run in runs:
        if run.detection.right is not None:
            sys.stdout.write(f"  {run.name}: {str(run.detection.right)[:_LONG]}\n")
    late = [f"{run.name} is not found in time" for run in runs if not run.detection.is_right]
    return late + [f"{run.name} alarms before" for run in runs if run.detection.before]


def _total(runs: Iterable[HealthyRun]) -> FalseAlarms:
    total = FalseAlarms(0, 0.0)
    for run in runs:
        total += run.false_alarms
    return total


def _rates(count: FalseAlarms) -> tuple[str, ...]:
    return (
        f"{count.hours / 168:.1f}",
        str(count.alarms),
        f"{count.per_week:.3f}",
        f"{count.per_year:.2f}",
        f"{count.most_per_year:.2f}",
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.statistics.monitoring")
    parser.add_argument("--years", type=float, default=YEARS, help="of healthy monitors, in all")
    parser.add_argument(
        "--worlds",
        nargs="+",
        choices=list(WORLDS),
        default=list(WORLDS),
        metavar="WORLD",
        help="names of worlds",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
