"""Short addresses: a form sends its empty fields too, which ask for nothing."""

from urllib.parse import quote

from starlette.types import Scope

from kullback.api.scopes import READING


def without_empty(scope: Scope) -> str | None:
    """Where an address leads without its empty fields; None where it has none."""
    if scope["method"] not in READING:
        return None
    parts = str(scope["query_string"], "latin-1").split("&")
    kept = [part for part in parts if "=" not in part or part.partition("=")[2]]
    if len(kept) == len(parts):
        return None
    last = quote(scope["path"].rpartition("/")[2], safe=":")
    return f"./{last}" + (f"?{quote('&'.join(kept), safe='&=%+:;,/?@!$()*~')}" if kept else "")
