"""Public keys of an identity provider: a key set (JWKS) from a file or over HTTPS."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from kullback.errors import StoreUnavailable

if TYPE_CHECKING:
    import httpx
    from jwt import PyJWK

CAP = 64 << 10
TIMEOUT_SECONDS = 2.0  # of each step
DEADLINE_SECONDS = 5.0
LEAST_RSA_BITS = 2048
_KINDS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}


def loader(place: str, transport: "httpx.BaseTransport | None" = None) -> Callable[[], bytes]:
    """What reads the key set at a path, or at an https:// address."""
    if place.startswith("https://"):
        return lambda: _fetched(place, transport)
    return lambda: _read(Path(place))


def signing_keys(content: bytes) -> dict[str | None, "PyJWK"]:
    """The keys of a set that verify signatures, by id; the only one stands for none, too.

    Raises:
        StoreUnavailable: it is no key set.
    """
    import jwt  # noqa: PLC0415 - an extra

    try:
        listed = json.loads(content)["keys"]
        usable = [each for each in listed if isinstance(each, dict) and _is_usable(each)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StoreUnavailable(f"this is no key set: {type(error).__name__}") from error
    keys: dict[str | None, PyJWK] = {}
    for each in usable:
        # The others of the set are no worse for it.
        with suppress(jwt.PyJWTError, ValueError, TypeError):
            key = jwt.PyJWK.from_dict(each, _KINDS[each["kty"]])
            if each["kty"] != "RSA" or key.key.key_size >= LEAST_RSA_BITS:
                keys[each.get("kid")] = key
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _is_usable(key: Mapping[str, object]) -> bool:
    """Whether a key verifies signatures, has no secret that both sides share, and says so."""
    algorithm = _KINDS.get(str(key.get("kty")))
    return (
        algorithm is not None
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and key.get("crv") in (None, "P-256", "Ed25519")
        and isinstance(key.get("kid", ""), str)
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}") from error


def _fetched(url: str, transport: "httpx.BaseTransport | None") -> bytes:
    import httpx  # noqa: PLC0415 - most services have no keys to fetch

    content, end = bytearray(), monotonic() + DEADLINE_SECONDS
    try:
        with (
            httpx.Client(
                timeout=TIMEOUT_SECONDS, follow_redirects=False, transport=transport
            ) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise StoreUnavailable(f"{url} answered {answer.status_code}")
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > CAP or monotonic() > end:
                    limit = f"{CAP} bytes, or longer than {DEADLINE_SECONDS:g} seconds"
                    raise StoreUnavailable(f"{url} answered more than {limit}")
            return bytes(content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StoreUnavailable(f"{url} cannot be read: {error}") from error
