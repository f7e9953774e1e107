"""Logs of every format, type and place say the same as their rows in Parquet."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv, feather, fs

from kullback.errors import InvalidInput
from kullback.evaluation.columns import Columns
from kullback.evaluation.files import Files, open_files
from kullback.evaluation.formats import StoredFile
from kullback.evaluation.locations import LogFiles, files_named
from kullback.evaluation.state import EvaluationState
from tests.evaluation.logs import PAIRED, PARALLEL, log, state_of, written

TABLE = log(400)
BOTH = pytest.mark.parametrize("columns", [PAIRED, PARALLEL])


def as_csv(table: pa.Table, file: Path) -> None:
    csv.write_csv(table, file)


def as_tsv(table: pa.Table, file: Path) -> None:
    csv.write_csv(table, file, csv.WriteOptions(delimiter="\t"))


def as_lines(table: pa.Table, file: Path) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def as_stream(table: pa.Table, file: Path) -> None:
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=90)


def as_arrow(table: pa.Table, file: Path) -> None:
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=90)


def as_feather(table: pa.Table, file: Path) -> None:
    feather.write_feather(table, file, compression="zstd")


def zipped(write: Callable[[pa.Table, Path], None]) -> Callable[[pa.Table, Path], None]:
    def as_gzip(table: pa.Table, file: Path) -> None:
        write(table, file)
        file.write_bytes(gzip.compress(file.read_bytes()))

    return as_gzip


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "log.csv": as_csv,
    "log.CSV.gz": zipped(as_csv),
    "log.tsv": as_tsv,
    "log.jsonl": as_lines,
    "log.ndjson.gz": zipped(as_lines),
    "log.arrow": as_stream,
    "log.ipc": as_arrow,
    "log.feather": as_feather,
}


def parquet(table: pa.Table, directory: Path, columns: Columns) -> EvaluationState:
    """What the table says as Parquet."""
    directory.mkdir(exist_ok=True)
    return state_of(written(directory, table, [150]), columns)


def with_column(name: str, values: pa.Array, table: pa.Table = TABLE) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def opened(patterns: list[str], columns: Columns = PAIRED) -> Files:
    return open_files(files_named(patterns), columns)


@BOTH
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_says_the_same_bit_by_bit(name: str, columns: Columns, tmp_path: Path) -> None:
    table = with_column("country", pc.if_else(pc.equal(TABLE["country"], "PT"), "NA", "DE"))
    WRITERS[name](table, tmp_path / name)
    found = state_of([str(tmp_path / name)], columns)
    assert found.encoded() == parquet(table, tmp_path / "same", columns).encoded()


@pytest.mark.parametrize("name", WRITERS)
def test_whole_numbers_are_units_in_every_format(name: str, tmp_path: Path) -> None:
    table = with_column("user", pa.array(np.arange(400) % 90 + 10**15))
    WRITERS[name](table, tmp_path / name)
    found = state_of([str(tmp_path / name)], PAIRED)
    assert found.encoded() == parquet(table, tmp_path / "same", PAIRED).encoded()


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_missing_is_missing_in_every_format(name: str, tmp_path: Path) -> None:
    table = TABLE
    for row, column in enumerate(("click", "p_a", "user", "country", "w")):
        kept = pa.array(np.arange(400) != row)
        table = with_column(column, pc.if_else(kept, table[column], None), table)
    WRITERS[name](table, tmp_path / name)
    found = state_of([str(tmp_path / name)], PAIRED)
    assert found.excluded == {"y_true": 1, "y_proba.a": 1, "unit": 1, "weight": 1}
    assert found.encoded() == parquet(table, tmp_path / "same", PAIRED).encoded()


def test_numbers_of_csv_that_are_not_there_are_missing_and_flags_are_labels(
    tmp_path: Path,
) -> None:
    file = tmp_path / "log.csv"
    file.write_text("y,a,b\nTrue,0.5,.25\nFALSE, 1e-3 ,NaN\nNA,0.5,0.5\n,0,0\ntrue,NULL,1\n")
    state = state_of([str(file)], Columns("y", {"a": "a", "b": "b"}))
    assert state.excluded == {"y_true": 2, "y_proba.a": 1, "y_proba.b": 1}
    assert state.rows == 5


def test_a_cell_of_csv_that_is_no_number_is_refused_by_row(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("y,a,b\n1,0.5,0.5\n1,0.5,high\n")
    with pytest.raises(InvalidInput, match="column b holds 'high' in row 2: no number"):
        state_of([str(file)], Columns("y", {"a": "a", "b": "b"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"y": 1}\nyes\n', "row 2 is not a JSON object on one line"),
        ('[{"y": 1}]', "row 1 is not a JSON object on one line"),
        ('{"y": 1}, {"y": 1}', "row 1 is not a JSON object on one line"),
        (
            '{"y": 1, "a": 0.5, "b": 0.5}\n{"y": "no"}\n',
            "y is not of one type in rows 1 to 2",
        ),
        ('{"y": 1, "a": 0.5}\n{"y": "no"}', "a column is not of one type: "),
        ('{"y": 1, "a": 0.5, "c": 0.5}\n', "there is no column b; it has y, a, c"),
        ('{"y": 1, "a": 0.5, "b": {"c": 1}}\n', "column b is of type struct"),
        ("", "there is no column y"),
    ],
)
def test_json_lines_that_are_none_are_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        opened([str(file)], Columns("y", {"a": "a", "b": "b"}))
    assert said in refused.value.message


def test_a_key_that_only_later_lines_have_is_null_before(tmp_path: Path) -> None:
    lines = ['{"y": 1, "a": 0.5}', "", '{"y": 0, "a": 1, "b": 1}', '{"a": 0, "b": 0, "y": 1}']
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    state = state_of([str(tmp_path)], Columns("y", {"a": "a", "b": "b"}))
    assert (state.rows, state.excluded) == (3, {"y_proba.b": 1})


def test_units_of_csv_are_names_where_those_of_other_files_are(tmp_path: Path) -> None:
    number = (np.arange(400) % 90).astype(str)
    table = with_column("user", pa.array(number))
    same = parquet(table, tmp_path / "same", PAIRED)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    as_csv(table.slice(0, 100), mixed / "a.csv")
    pq.write_table(table.slice(100), mixed / "b.parquet")
    assert state_of([str(mixed)], PAIRED).encoded() == same.encoded()
    as_csv(with_column("user", pa.array([f"u{name}" for name in number])), mixed / "b.csv")
    (mixed / "b.parquet").unlink()
    assert opened([str(mixed)]).formats == {"CSV": 2}


def test_directories_tell_columns_as_hive_does(tmp_path: Path) -> None:
    table = with_column("country", pc.if_else(pc.equal(TABLE["country"], "PT"), None, "a b"))
    rows = table.sort_by("country")
    same = parquet(rows, tmp_path / "same", PAIRED)
    for at, name in enumerate(("a b", None)):
        kept = rows.filter(pc.equal(rows["country"], name) if name else rows["country"].is_null())
        directory = f"country={name.replace(' ', '%20') if name else '__HIVE_DEFAULT_PARTITION__'}"
        place = tmp_path / "log" / "day=2026-05-01" / directory
        place.mkdir(parents=True)
        kind = "csv" if name else "parquet"
        write = as_csv if name else pq.write_table
        write(kept.drop_columns("country"), place / f"{at}.{kind}")
    patterns = [str(tmp_path / "log"), str(tmp_path / "log" / "day=*" / "*" / "*")]
    for pattern in patterns:
        found = replace(state_of([pattern], PAIRED), steps={})
        assert found.encoded() == replace(same, steps={}).encoded()
    by_day = state_of(patterns[:1], replace(PAIRED, by=("day",)))
    assert by_day.tallies["day=2026-05-01", "a"] == by_day.tallies["", "a"]


def test_a_column_of_the_file_is_preferred_to_that_of_its_directory(tmp_path: Path) -> None:
    place = tmp_path / "country=XX"
    place.mkdir()
    found = state_of(written(place, TABLE), PAIRED)
    assert ("country=DE", "a") in found.tallies
    assert ("country=XX", "a") not in found.tallies


def test_a_directory_is_read_whole_and_what_is_not_read_is_named(tmp_path: Path) -> None:
    as_csv(TABLE, tmp_path / "a.csv")
    pq.write_table(TABLE, tmp_path / "b.parquet")
    for name in ("_SUCCESS", ".b.parquet.crc", "_temporary.parquet", "note.txt"):
        (tmp_path / name).touch()
    files = opened([str(tmp_path)])
    assert files.formats == {"CSV": 1, "Parquet": 1}
    assert files.rows == 800
    names = [Path(name).name for name in files.skipped]
    assert names == [".b.parquet.crc", "_SUCCESS", "_temporary.parquet", "note.txt"]


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.decimal128(20, 0), pa.decimal128(22, 3), pa.float32()]
)
def test_whole_numbers_are_units_as_floats_and_decimals_too(
    kind: pa.DataType, tmp_path: Path
) -> None:
    number = [None, *(np.arange(399) % 90).tolist()]
    table = with_column("user", pa.array(number, pa.int64()))
    found = parquet(with_column("user", table["user"].cast(kind)), tmp_path / "other", PAIRED)
    assert found.excluded == {"unit": 1}
    assert found.encoded() == parquet(table, tmp_path / "same", PAIRED).encoded()


def test_a_unit_that_is_not_whole_is_refused_by_row(tmp_path: Path) -> None:
    for cell in (Decimal("7.5"), Decimal(2**60)):
        table = with_column("user", pa.array([Decimal(7)] * 399 + [cell]))
        with pytest.raises(InvalidInput, match=rf"user holds {cell}.* in row 250: a unit is a"):
            parquet(table, tmp_path / str(cell), PAIRED)


def test_decimals_are_numbers(tmp_path: Path) -> None:
    p = np.round(np.random.default_rng(2).random(400), 4)
    table = with_column("p_a", pa.array(p))
    found = with_column("p_a", pa.array(p).cast(pa.decimal128(7, 4)))
    found = with_column("click", TABLE["click"].cast(pa.decimal128(3, 0)), found)
    same = parquet(table, tmp_path / "same", PAIRED)
    assert parquet(found, tmp_path / "other", PAIRED).encoded() == same.encoded()


def test_uuids_are_the_units_that_their_text_is(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    units = [None if at == 3 else UUID(bytes=draw.bytes(16)) for at in range(400)]
    text = pa.array([None if unit is None else str(unit) for unit in units])
    raw = pa.array([None if unit is None else unit.bytes for unit in units], pa.uuid())
    found = parquet(with_column("user", raw), tmp_path / "other", PARALLEL)
    same = parquet(with_column("user", text), tmp_path / "same", PARALLEL)
    assert found.excluded == {"unit": 1}
    assert found.encoded() == same.encoded()


def test_nan_is_missing_as_null_is(tmp_path: Path) -> None:
    places = np.arange(400)
    nan = np.where(places == 5, np.nan, TABLE["p_a"].to_numpy())
    gone = with_column("p_a", pa.array(nan, mask=places == 7, from_pandas=False))
    null = with_column("p_a", pa.array(nan, mask=(places == 5) | (places == 7)))
    found = parquet(gone, tmp_path / "other", PAIRED)
    assert found.excluded == {"y_proba.a": 2}
    assert found.encoded() == parquet(null, tmp_path / "same", PAIRED).encoded()


@pytest.mark.parametrize("names", [("no", "yes"), (1, 2), (False, True), (0.0, 1.0), ("1", "2")])
def test_labels_may_be_names(names: tuple[object, object], tmp_path: Path) -> None:
    labels = pa.array([names[click] for click in TABLE["click"].to_pylist()])
    positive = str(pa.scalar(names[1]).cast(pa.string()))
    columns = replace(PAIRED, pos_label=positive)
    found = parquet(with_column("click", labels), tmp_path / "other", columns)
    assert positive in found.labels
    same = parquet(TABLE, tmp_path / "same", PAIRED)
    assert replace(found, labels=frozenset()).encoded() == same.encoded()
    assert EvaluationState.decoded(found.encoded()) == found


def test_a_third_label_is_refused(tmp_path: Path) -> None:
    labels = pa.array([*["no"] * 200, *["yes"] * 199, "Yes"])
    with pytest.raises(InvalidInput, match="more than two labels: 'Yes', 'no', 'yes'"):
        parquet(with_column("click", labels), tmp_path, replace(PAIRED, pos_label="yes"))


def test_labels_that_are_names_need_the_positive_one(tmp_path: Path) -> None:
    table = with_column("click", pa.array(["no", "yes"] * 200))
    for name in ("log.parquet", "log.csv"):
        (pq.write_table if name.endswith("parquet") else as_csv)(table, tmp_path / name)
        with pytest.raises(InvalidInput, match=r"of type string, where y_true .*--pos-label names"):
            opened([str(tmp_path / name)])


def test_addresses_of_this_machine_are_files_and_their_names_stay_as_typed(tmp_path: Path) -> None:
    names = written(tmp_path, TABLE, [150])
    same = state_of(names, PAIRED).encoded()
    address = tmp_path.as_uri()
    for pattern in (address, f"{address}/", f"{address}/*.parquet"):
        assert [file.name for file in files_named([pattern]).stored] == [
            f"{address}/000.parquet",
            f"{address}/001.parquet",
        ]
        assert state_of([pattern], PAIRED).encoded() == same
    with pytest.raises(InvalidInput, match="this file is named twice"):
        files_named([names[0], f"{address}/000.parquet"])


def test_an_object_store_is_read_as_a_disk_is(tmp_path: Path) -> None:
    """A store that is not the disk: a tree of it, by names that are no paths of this machine."""
    names = written(tmp_path, TABLE, [150])
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    stored = [
        StoredFile(f"s3://logs/{at}", Path(name).name, store) for at, name in enumerate(names)
    ]
    files = open_files(LogFiles(stored), PAIRED)
    assert [file.name for file in files.opened] == ["s3://logs/0", "s3://logs/1"]
    assert files.rows == 400


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://k:s@b/x?endpoint_override=127.0.0.1:1&scheme=http&region=eu", "cannot be reached"),
        ("gs://b/x?endpoint_override=127.0.0.1:1&scheme=http&retry_limit_seconds=1", "cannot be"),
        ("ftp://host/x", "cannot be reached: Unrecognized filesystem type in URI"),
        ("file://elsewhere/x", "cannot be reached: Unsupported hostname"),
        ("file:///nowhere/x.parquet", "No such file or directory"),
    ],
)
def test_a_place_that_cannot_be_reached_is_named_without_its_password(
    address: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        files_named([address])
    assert said in refused.value.message
    assert "k:s@" not in refused.value.message
