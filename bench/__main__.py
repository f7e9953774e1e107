"""Run the benchmarks: all of them, or those that are named."""

import sys
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bench import (
    decode,
    experiments,
    features,
    kernels,
    load,
    logs,
    monitors,
    pages,
    processes,
    ranking,
    reporter,
    requests,
    systems,
)
from bench.measure import Row, Rows

HEADINGS = ("row", "ours", "rival", "ratio", "target", "met?")
BENCHMARKS: Mapping[str, Callable[[], Rows]] = {
    "log-loss": kernels.log_loss,
    "cross-entropy": kernels.cross_entropy,
    "grouped-auc": ranking.grouped_auc,
    "decode": decode.decode,
    "perplexity": systems.perplexity,
    "infocam": systems.infocam,
    "json": requests.json_request,
    "arrow": requests.arrow_request,
    "several": requests.several_request,
    "small": requests.small_requests,
    "livez": load.livez,
    "memory": load.memory,
    "tally": monitors.tally,
    "ingest": monitors.ingest,
    "identified": monitors.identified,
    "join": monitors.join,
    "scrape": monitors.scrape,
    "report": monitors.report,
    "features": features.features,
    "overview": pages.overview,
    "workers": processes.workers,
    "replicas": processes.replicas,
    "reporter": reporter.reporter,
    "buckets": experiments.bucket_sums,
    "evaluate": experiments.evaluate,
    "evaluate-segments": logs.segments,
    "evaluate-files": logs.small_files,
}


def main(names: Sequence[str]) -> int:
    """Print one table; 2 where a name is not known."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        for row in BENCHMARKS[name]():
            sys.stderr.write(f"{row.name}: {row.cells[3]}\n")
            rows.append(row)
    show(rows)
    return 0


def show(rows: Sequence[Row]) -> None:
    """The table: drawn on a terminal, plain text elsewhere."""
    if not sys.stdout.isatty():
        sys.stdout.write(plain(rows))
        return
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row.cells)
    Console().print(table)


def plain(rows: Sequence[Row]) -> str:
    """The table as text in columns."""
    lines = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return "\n".join(padded) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
