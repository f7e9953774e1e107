"""Media types of bodies: which are read, and by what other names they come."""

from kullback.errors import UnsupportedBody

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
ARROW_FILE = "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
MEDIA_TYPES = (JSON, ARROW, ARROW_FILE, PARQUET, CSV)
LINES = ("application/x-ndjson", "application/jsonl")
BATCH_TYPES = (JSON, ARROW, ARROW_FILE, PARQUET, *LINES)

# Names that were in use before there was a registered one, and those that tools still write.
_ALIASES = {
    "text/json": JSON,
    "application/arrow": ARROW,
    "application/x-arrow": ARROW,
    "application/vnd.apache.arrow": ARROW,
    "application/x-apache-arrow-stream": ARROW,
    "application/x-apache-arrow-file": ARROW_FILE,
    "application/x-feather": ARROW_FILE,
    "application/parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "application/csv": CSV,
    "text/x-csv": CSV,
    "application/ndjson": LINES[0],
    "application/jsonlines": LINES[1],
    "application/x-jsonlines": LINES[1],
}
_BEGINNINGS = {b"PAR1": PARQUET, b"ARROW1": ARROW_FILE, b"\xff\xff\xff\xff": ARROW, b"{": JSON}


def media_type(content_type: str) -> str:
    """The media type that a Content-Type names, by its registered name if it has one."""
    named = content_type.partition(";")[0].strip().lower()
    return _ALIASES.get(named, named)


def weighted_names(header: str) -> list[tuple[str, float | None]]:
    """What a header such as Accept names, in order and in lower case, each with its weight q.

    That is 1 where none is said, and None where what is said is no number.

    Source: RFC 9110, §12.4.2.
    """
    names = []
    for part in filter(str.strip, header.split(",")):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weight: float | None = 1.0
        for parameter in parameters:
            key, _, text = parameter.partition("=")
            if key.strip() == "q":
                weight = _as_number(text)
        names.append((name, weight))
    return names


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def likely_type(body: bytes | bytearray) -> str:
    """The type that a body begins as; empty where its first bytes say nothing."""
    return next((kind for begins, kind in _BEGINNINGS.items() if body.startswith(begins)), "")


def check_media_type(media_type: str, accepted: tuple[str, ...] = MEDIA_TYPES) -> None:
    """Refuse a type that is not read here.

    Raises:
        UnsupportedBody: it is not one of those accepted.
    """
    if media_type not in accepted:
        detail = f"Content-Type is one of {', '.join(accepted)}"
        raise UnsupportedBody(detail, "Accept", accepted)
