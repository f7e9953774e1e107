"""SECURITY.md names every limit with the value that it has."""

import re
from pathlib import Path

from kullback.api import failures, problem_document
from kullback.connections.limits import ConnectionLimits
from kullback.experiments import plan
from kullback.monitoring import maintenance
from kullback.payload import arrow_size, columns, csv_body, json_scan, ndjson, parquet_size, room
from kullback.requests import batch_columns
from kullback.settings import Settings
from kullback.tally import grouping
from kullback.telemetry import experiment_collector, log_queue, logs, monitor_collector

PAGE = (Path(__file__).parent.parent / "SECURITY.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
CONNECTION = ConnectionLimits()
NO_LIMITS = {"port", "metrics_port", "web_concurrency"}
CONSTANTS = {
    "bytes of a head": CONNECTION.head_bytes,
    "bytes of a first line": CONNECTION.line_bytes,
    "fields of a head": CONNECTION.fields,
    "seconds for a head": CONNECTION.head_seconds,
    "seconds to take an answer": CONNECTION.answer_seconds,
    "seconds between requests": CONNECTION.idle_seconds,
    "bytes a second": CONNECTION.bytes_per_second,
    "bytes of answers that nobody takes": CONNECTION.unsent_bytes,
    "bytes that a byte inflates to": room.LARGEST_RATIO,
    "dimensions of an array": json_scan.MAX_AXES,
    "bytes of a line of NDJSON": ndjson.LONGEST_LINE,
    "characters of an id or a name of a slice": columns.LONGEST_NAME,
    "batches of an Arrow stream": arrow_size.MAX_MESSAGES,
    "bytes of a Parquet footer": parquet_size.MAX_FOOTER,
    "bytes of a CSV body": csv_body.MAX_CSV,
    "slices of a monitor": batch_columns.MAX_SLICES,
    "windows and slice values of a batch": grouping.MAX_GROUPS,
    "arms of an experiment": plan.MAX_ARMS,
    "days of an idempotency key": maintenance.IDEMPOTENCY_SECONDS / 86400,
    "bytes of a problem": problem_document.MAX_BYTES,
    "places that a problem names": problem_document.MAX_PLACES,
    "wrong keys at once from an address": failures.AT_ONCE,
    "series of monitors": monitor_collector.MAX_SERIES,
    "series of the slices of one monitor": monitor_collector.MAX_SLICE_SERIES,
    "series of experiments": experiment_collector.MAX_SERIES,
    "log lines that wait": log_queue.QUEUED_LINES,
    "bytes of a log line": logs.LINE_BYTES,
}


def limits() -> dict[str, float]:
    """Every limit by its name: a setting by that of its variable."""
    settings = {
        f"`KULLBACK_{name.upper()}`": float(field.default)
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, int | float)
        and not isinstance(field.default, bool)
        and name not in NO_LIMITS
    }
    return settings | {name: float(value) for name, value in CONSTANTS.items()}


def test_every_limit_stands_in_the_page_with_its_value() -> None:
    shown = {
        name.strip(): float(value.replace(",", ""))
        for name, value, _ in ROWS
        if re.fullmatch(r"[\d,.]+", value.strip())
    }
    assert len(shown) > 30
    assert shown == limits()
