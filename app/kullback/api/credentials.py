"""What a request says of itself in its head: who asks, from where, and for which host."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.types import Scope

from kullback.access.sessions import LIFETIME_SECONDS
from kullback.errors import Forbidden, Misdirected, Unauthenticated

COOKIE = "kullback_session"
NO_VALID_KEY = "this is no valid key"


class NoCredentials(Unauthenticated):
    """There is no key, and no session."""


class EndedKey(Unauthenticated):
    """There is a key that was valid once: its secret says that its holder asks."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"this key is {reason}")
        self.key = key


def path_within(scope: Scope) -> str:
    """The path of a request below the prefix of the service, which a proxy may have taken away."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    is_within = path == prefix or path.startswith(f"{prefix}/")  # /mon is no prefix of /monitors
    return path.removeprefix(prefix) if is_within else path


def bearer(scope: Scope) -> bytes | None:
    """The key that came with a request, if anything came.

    Raises:
        Unauthenticated: it is said twice, or otherwise.
    """
    sent = headers(scope, b"authorization")
    if not sent:
        return None
    scheme, _, text = sent[0].partition(b" ")
    if len(sent) > 1 or scheme.lower() != b"bearer":
        raise Unauthenticated("Authorization must be: Bearer kb_…")
    return text.strip()


def session_token(scope: Scope) -> str | None:
    """The token of the session that a browser has, if it has one."""
    cookies = cookie_parser(b";".join(headers(scope, b"cookie")).decode("latin-1"))
    return cookies.get(COOKIE) or None


def session_cookie(scope: Scope, token: str | None) -> str:
    """The header that gives a browser its session, or takes it away."""
    seconds = 0 if token is None else LIFETIME_SECONDS
    forwarded = headers(scope, b"x-forwarded-proto") == [b"https"]  # can but make it stricter
    secure = "; Secure" if scope["scheme"] == "https" or forwarded else ""
    path = scope.get("root_path") or "/"
    attributes = f"Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Strict{secure}"
    return f"{COOKIE}={token or ''}; {attributes}"


def check_origin(scope: Scope) -> None:
    """Let a browser change something for a page of ours, not for that of somebody else.

    Raises:
        Forbidden: it does not say that the page is ours.
    """
    site = headers(scope, b"sec-fetch-site")
    if site:
        is_own = site == [b"same-origin"]
    else:
        origins, hosts = headers(scope, b"origin"), headers(scope, b"host")
        is_own = len(origins) == 1 and [_host_of(origins[0])] == hosts
    if not is_own:
        raise Forbidden("the page that asks for this is not one of this service")


def check_host(scope: Scope, allowed: frozenset[str]) -> None:
    """Refuse what was meant for somebody else: a name that leads here may be a trap for a browser.

    Where nothing is allowed by name, what came to this machine alone must have been meant for it.

    Raises:
        Misdirected: the host of the request is another.
    """
    name = _host(scope)
    if allowed:
        is_ours = name in allowed or "*" in allowed
    else:
        is_ours = not _is_loopback(_server(scope)) or is_loopback_name(name)
    if not is_ours:
        raise Misdirected(
            "this host is not served here; KULLBACK_ALLOWED_HOSTS names those that are"
        )


def is_local(scope: Scope) -> bool:
    """Whether nobody but this machine can have sent a request, by a proxy on it neither."""
    server = _is_loopback(_server(scope))
    is_passed_on = any(
        name == b"forwarded" or name.startswith(b"x-forwarded-") for name, _ in scope["headers"]
    )
    return not is_passed_on and (server is None or (server and is_loopback_name(_host(scope))))


def is_loopback_name(host: str) -> bool:
    """Whether a host, as a URL has it, is this machine whoever reads it."""
    return host == "localhost" or bool(_is_loopback(host.removeprefix("[").removesuffix("]")))


def headers(scope: Scope, wanted: bytes) -> list[bytes]:
    """All values of a header."""
    return [value for name, value in scope["headers"] if name == wanted]


def _host(scope: Scope) -> str:
    """The name of the host that a request is for, without a port; empty of two or none."""
    hosts = headers(scope, b"host")
    host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _server(scope: Scope) -> str:
    server: str = (scope.get("server") or ("",))[0]
    return server


@lru_cache(256)
def _is_loopback(address: str) -> bool | None:
    """Whether only this machine has an address; None of what is none, as a socket's path."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return None


def _host_of(origin: bytes) -> bytes:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return b""
