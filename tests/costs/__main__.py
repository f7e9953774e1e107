"""The costliest requests, among those that a walk over every field makes."""

import resource
import sys

from tests.costs import Spent, spent, walk

COSTLIEST = 10
ENTRIES = (1, 400, 12_000)


def main() -> None:
    """Measure the walk in several sizes, as it is and compressed, and print the ten costliest."""
    results = [
        spent(asked, compressed=compressed)
        for entries in ENTRIES
        for asked in walk(entries)
        for compressed in (False, True)
    ]
    sys.stdout.write(f"{len(results)} requests\n")
    for title, key in (("CPU", lambda each: each.beyond), ("event loop", lambda each: each.inline)):
        sys.stdout.write(f"\ncostliest by {title}\n")
        for each in sorted(results, key=key, reverse=True)[:COSTLIEST]:
            sys.stdout.write(line(each))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"\npeak RSS {peak:.0f} MB\n")


def line(each: Spent) -> str:
    """One request of the table."""
    return (
        f"{each.sent / 1024:9.1f} KB {each.seconds:7.3f} s {each.inline * 1000:6.0f} ms inline"
        f" {each.seconds / (each.sent / 1024):8.3f} s/KB {each.answer / 1024:8.0f} KB answer"
        f"  {each.asked.metric} {each.asked.what}\n"
    )


if __name__ == "__main__":
    main()
