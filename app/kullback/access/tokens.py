"""Tokens of an identity provider (OIDC): signed claims that say who asks, and for which scopes."""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any

from kullback.access.jwks import signing_keys
from kullback.access.keys import SCOPES, is_prefix
from kullback.access.ring import Caller
from kullback.errors import StoreUnavailable

if TYPE_CHECKING:
    from jwt import PyJWK

ALGORITHMS = ("RS256", "ES256", "EdDSA")  # none with a secret that both sides have
LONGEST_TOKEN = 8 << 10
LEEWAY_SECONDS = 30
LIFETIME_SECONDS = 3600
RENEW_SECONDS = 3600.0
REFRESH_SECONDS = 300.0  # no sooner, whatever tokens name
RETRY_SECONDS = 10.0  # while there is no key at all
PREFIXES_CLAIM = "kullback_prefixes"
_STRANGE = (ValueError, TypeError, OverflowError, RecursionError)  # of what is no token


class TokenVerifier:
    """Checks tokens by the public keys of the provider, the last good ones where it is away.

    Raises:
        ImportError: the extra `oidc` is not there.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        load: Callable[[], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        from jwt.algorithms import has_crypto  # noqa: PLC0415 - an extra

        if not has_crypto:
            raise ImportError("no cryptography")
        self._issuer = issuer
        self._audience = audience
        self._load = load
        self._monotonic = monotonic
        self._lock = Lock()
        self._keys: Mapping[str | None, PyJWK] = {}
        self._tried = float("-inf")

    def is_due(self, text: bytes) -> bool:
        """Whether the keys should be read again before this token is looked at."""
        waited = self._monotonic() - self._tried
        if waited < (REFRESH_SECONDS if self._keys else RETRY_SECONDS):
            return False
        return waited >= RENEW_SECONDS or _head(text).get("kid") not in self._keys

    def refresh(self) -> None:
        """Read the keys, unless somebody else just has.

        Raises:
            StoreUnavailable: they cannot be read; those from before stay.
        """
        with self._lock:
            if self._monotonic() - self._tried < RETRY_SECONDS:
                return
            self._tried = self._monotonic()
            keys = signing_keys(self._load())
            if not keys:
                raise StoreUnavailable("the provider's key set has no key to verify tokens with")
            self._keys = keys

    def caller(self, text: bytes) -> Caller | None:
        """Whoever has this token; none where it is not valid here and now."""
        import jwt  # noqa: PLC0415 - an extra

        head = _head(text)
        key = self._keys.get(head.get("kid"))
        if key is None or head.get("alg") not in ALGORITHMS:
            return None
        if head["alg"] != key.algorithm_name:
            return None
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            return _caller(claims)
        except (jwt.PyJWTError, *_STRANGE):
            return None


def _caller(claims: Mapping[str, Any]) -> Caller | None:
    begins, ends = claims["iat"], claims["exp"]
    are_numbers = isinstance(begins, int | float) and isinstance(ends, int | float)
    if not are_numbers or not 0 < ends - begins <= LIFETIME_SECONDS:
        return None
    granted = claims.get("scope", claims.get("scp", ""))
    words = granted.split() if isinstance(granted, str) else granted
    prefixes = claims.get(PREFIXES_CLAIM, [])
    if not isinstance(words, list) or not isinstance(prefixes, list):
        return None
    if not all(isinstance(each, str) and is_prefix(each) for each in prefixes):
        return None
    if PREFIXES_CLAIM in claims and not prefixes:
        return None  # for no names at all, which no prefixes would not say
    scopes = frozenset(scope for scope in SCOPES if scope in words)
    subject = sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()[:12]
    return Caller(f"oidc-{subject}", scopes - ({"admin"} if prefixes else set()), tuple(prefixes))


def _head(text: bytes) -> dict[str, Any]:
    """What a token says of itself, unverified; nothing of one that is none."""
    import jwt  # noqa: PLC0415 - an extra

    if len(text) > LONGEST_TOKEN:
        return {}
    try:
        return jwt.get_unverified_header(text)
    except (jwt.PyJWTError, *_STRANGE):
        return {}
