"""Keys before anybody is served: what has to hold, and the book of them for commands."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kullback.access.book import FileShelf, KeyBook, StoreShelf
from kullback.access.keys import NO_ADMIN, lacks_admin
from kullback.access.tokens import TokenVerifier
from kullback.api.credentials import is_loopback_name
from kullback.errors import StoreUnavailable
from kullback.main import Runtime
from kullback.settings import Settings
from kullback.storage.base import Store

_log = logging.getLogger("kullback.server")


def danger_of(
    settings: Settings, runtime: Runtime, store: Store, tokens: TokenVerifier | None
) -> str | None:
    """Why nobody should be served like this, if so; what is allowed and dangerous is logged."""
    try:
        settings.pepper()
        keys = runtime.key_shelf(settings, store).load()
        takes_tokens = _takes_tokens(settings, tokens)
        has_keys = takes_tokens or bool(keys)
    except (ValueError, StoreUnavailable) as error:
        return str(error)
    is_kept_here = settings.keys_file is None and not takes_tokens
    if keys and is_kept_here and lacks_admin(keys, runtime.clock()):
        _log.warning(NO_ADMIN)
    others = sorted(name for name in settings.hosts() if not is_loopback_name(name))
    is_exposed = not is_loopback_name(settings.host)
    if not is_exposed and not others:
        return None
    if has_keys:
        if is_exposed and settings.tls_certificate is None:
            _log.warning("keys reach %s unencrypted unless TLS ends before it", settings.host)
        return None
    place = settings.host if is_exposed else f"{others[0]} (KULLBACK_ALLOWED_HOSTS)"
    where = f"others can reach {place}, and there are no keys"
    if settings.insecure_no_auth:
        _log.warning("%s: whoever can, may do everything", where)
        return None
    return f"{where}: make one with `kullback keys create`, or say --insecure-no-auth"


def _takes_tokens(settings: Settings, tokens: TokenVerifier | None) -> bool:
    """Whether a provider's tokens are taken; one that is away is no reason not to start."""
    if tokens is None:
        return False
    try:
        tokens.refresh()
    except StoreUnavailable as error:
        if not settings.oidc_jwks.startswith("https://"):
            raise
        _log.warning("no token is taken for now: %s", error.message)
    return True


@contextmanager
def key_book(settings: Settings, file: Path | None = None) -> Iterator[KeyBook]:
    """The keys of a service, in a file or in its database, which no SQLite service may have open.

    Raises:
        ValueError: the pepper cannot be read.
        StoreUnavailable: the database cannot be opened.
    """
    runtime, pepper = Runtime(), settings.pepper()
    if file is not None:
        yield KeyBook(FileShelf(file), pepper, runtime.clock)
        return
    with closing(runtime.store(settings)) as store:
        yield KeyBook(StoreShelf(store), pepper, runtime.clock)
