"""One rule of time: the same rows, in whatever type of body, lie in the same windows or in none."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, refused
from tests.payload.batch_bodies import bodies
from tests.payload.bodies import as_arrow, as_parquet

pytestmark = pytest.mark.anyio

HOUR = 3600
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
NAIVE = "2026-03-05 11:27:00"
MOMENT = NOON - 1980
PAIR: Document = {"y_true": [1], "y_proba": [0.5]}


def table(times: pa.Array) -> pa.Table:
    n = len(times)
    return pa.table({"y_true": [1] * n, "y_proba": [0.5] * n, "timestamp": times})


def naive(unit: str = "us") -> pa.Array:
    return pa.array([datetime.fromisoformat(NAIVE)], pa.timestamp(unit))


async def sent(service: Service, body: bytes, media_type: str) -> httpx.Response:
    headers = {"content-type": media_type}
    return await service.client.post(f"{MONITOR}/observations", content=body, headers=headers)


async def every_type(service: Service, times: list[Any] | pa.Array) -> list[httpx.Response]:
    """The answers to one row of this time, in every type of body that can hold it."""
    if isinstance(times, pa.Array):
        columns = table(times)
        return [
            await sent(service, as_arrow(columns), ARROW),
            await sent(service, as_parquet(columns), PARQUET),
        ]
    kinds = bodies(PAIR | {"timestamp": times})
    return [await sent(service, body, media_type) for media_type, body in kinds]


async def windows(service: Service) -> set[float]:
    """The minutes in which rows lie."""
    series = await service.points(step=60, **{"from": NOON - 10 * HOUR})
    return {datetime.fromisoformat(point["from"]).timestamp() for point in series}


TIMES: dict[str, Any] = {
    "epoch seconds": [MOMENT],
    "fractions": [MOMENT + 0.25],
    "Z": ["2026-03-05T11:27:00Z"],
    "an offset": ["2026-03-05T12:27:00+01:00"],
    "as strftime": ["2026-03-05T12:27:00+0100"],
    "hours alone": ["2026-03-05 12:27:00+01"],
    "as a logger": ["2026-03-05 12:27:00,123 +0100"],
    "west": ["2026-03-05 07:57:00.123456789 -0330"],
    "int64": pa.array([int(MOMENT)], pa.int64()),
    "uint32": pa.array([int(MOMENT)], pa.uint32()),
    "float64": pa.array([MOMENT], pa.float64()),
    "decimal": pa.array([Decimal(int(MOMENT))], pa.decimal128(18, 0)),
    "a decimal of milliseconds": pa.array([Decimal(f"{MOMENT:.3f}")], pa.decimal128(18, 3)),
    "UTC": naive().cast(pa.timestamp("ms", "UTC")),
    "Berlin": naive().cast(pa.timestamp("ns", "Europe/Berlin")),
    "an offset as a zone": naive().cast(pa.timestamp("s", "+02:00")),
    "a dictionary": naive().cast(pa.timestamp("us", "UTC")).dictionary_encode(),
    "large strings": pa.array(["2026-03-05T11:27:00Z"], pa.large_string()),
}


@pytest.mark.parametrize("name", TIMES)
async def test_every_form_of_a_time_gives_one_answer_in_every_type(
    service: Service, name: str
) -> None:
    await service.put()
    answers = await every_type(service, TIMES[name])
    assert len(answers) >= 2
    assert {answer.status_code for answer in answers} == {200}, [each.text for each in answers]
    assert await windows(service) == {MOMENT}


WITHOUT_ZONE: dict[str, Any] = {
    "a string": [NAIVE],
    "with a T": ["2026-03-05T11:27:00.123456"],
    **{f"a timestamp in {unit}": naive(unit) for unit in ("s", "ms", "us", "ns")},
    "a dictionary": naive().dictionary_encode(),
    "a string of Arrow": pa.array([NAIVE]),
}


@pytest.mark.parametrize("name", WITHOUT_ZONE)
async def test_times_without_a_zone_are_refused_alike_and_read_where_there_is_one(
    service: Service, name: str
) -> None:
    await service.put()
    for answer in await every_type(service, WITHOUT_ZONE[name]):
        assert refused(answer)[0] == "invalid-input"
        (error,) = answer.json()["errors"]
        assert error["pointer"] in {"/timestamp/0", "/0/timestamp"}
        assert "without a time zone: send Z or an offset" in error["detail"]
        assert error["detail"].endswith("or set the monitor's timezone")
    await service.put(timezone="Europe/Berlin")
    answers = await every_type(service, WITHOUT_ZONE[name])
    assert {answer.status_code for answer in answers} == {200}
    assert await windows(service) == {MOMENT - HOUR}


REFUSED: dict[str, tuple[Any, str]] = {
    "float32": (pa.array([MOMENT], pa.float32()), "float32 holds epoch seconds only to ±64 s"),
    "float16": (pa.array([1.0], pa.float16()), "float16 holds no number beyond 65,504"),
    "a date": (pa.array([date(2026, 3, 5)]), "a column of type date32[day] is not read here"),
    "a date in ms": (pa.array([date(2026, 3, 5)], pa.date64()), "a column of type date"),
    "a time of day": (pa.array([1], pa.time64("us")), "time64[us] is not read here"),
    "a duration": (pa.array([1], pa.duration("s")), "duration[s] is not read here"),
    "a date as text": (["2026-03-05"], "a date without a time of day"),
    "seconds as text": (["1772710020"], "epoch seconds are numbers, not strings"),
    "milliseconds": ([MOMENT * 1e3], "numbers are seconds"),
    "nanoseconds": ([int(MOMENT) * 10**9], "numbers are seconds"),
    "days first": (["05-03-2026 11:27:00"], "in either order"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_other_forms_are_refused_alike_and_say_why(service: Service, name: str) -> None:
    await service.put(timezone="Europe/Berlin")
    times, why = REFUSED[name]
    for answer in await every_type(service, times):
        refused(answer)
        assert why in answer.json()["errors"][0]["detail"]


async def test_a_frame_of_pandas_gives_one_answer_as_parquet_and_as_lines(service: Service) -> None:
    stamps = pd.Series(pd.to_datetime([NAIVE, "2026-03-05 11:28:00"]))
    frames = [
        pd.DataFrame({"y_true": [1, 0], "y_proba": [0.5, 0.25], "timestamp": each})
        for each in (stamps, stamps.dt.tz_localize("Europe/Berlin"), stamps.astype(str))
    ]
    await service.put(timezone="Europe/Berlin")
    for frame in frames:
        lines = frame.to_json(orient="records", lines=True, date_format="iso").encode()
        text = frame.assign(timestamp=frame["timestamp"].astype(str))
        written = text.to_json(orient="records", lines=True).encode()
        for body, media_type in (
            (frame.to_parquet(), PARQUET),
            (lines, "application/x-ndjson"),
            (written, "application/x-ndjson"),
        ):
            answer = await sent(service, body, media_type)
            assert answer.status_code == 200, answer.text
    assert await windows(service) == {MOMENT - HOUR, MOMENT - HOUR + 60}


async def test_rows_with_a_zone_and_rows_without_one_stand_in_one_column(service: Service) -> None:
    times = [NAIVE, "2026-03-05T11:27:00Z", "2026-03-05T12:27:00+0100"]
    rows = {"y_true": [1] * 3, "y_proba": [0.5] * 3, "timestamp": times}
    await service.put()
    answer = await service.client.post(f"{MONITOR}/observations", json=rows)
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/timestamp/0"]
    await service.put(timezone="Asia/Kathmandu")
    await service.post("observations", **rows)
    assert await windows(service) == {MOMENT - 5.75 * HOUR, MOMENT}
