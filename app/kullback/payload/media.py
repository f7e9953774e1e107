"""Media types of bodies, and which are read."""

from kullback.errors import UnsupportedBody

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (JSON, ARROW, PARQUET)
LINES = ("application/x-ndjson", "application/jsonl")
BATCH_TYPES = (*MEDIA_TYPES, *LINES)


def check_media_type(media_type: str, accepted: tuple[str, ...] = MEDIA_TYPES) -> None:
    """Refuse a type that is not read here.

    Raises:
        UnsupportedBody: it is not one of those accepted.
    """
    if media_type not in accepted:
        detail = f"Content-Type is one of {', '.join(accepted)}"
        raise UnsupportedBody(detail, "Accept", accepted)
