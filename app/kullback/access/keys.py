"""API keys: what they look like, what is kept of them, and what they allow."""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex, token_urlsafe
from typing import ClassVar, Literal, NamedTuple, get_args

from pydantic import ConfigDict

ScopeName = Literal["score", "read", "write", "admin"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)
NO_ADMIN = (
    "no valid key with the scope admin is left: stop the service and run `kullback keys create`"
)
# For secret scanners: nothing else looks like it.
PATTERN = r"kb_[0-9a-f]{12}_[A-Za-z0-9_-]{43}"
PREFIX = r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]{0,126}[_.:-])"
MOST_SECRETS = 5  # each of them is compared with what is sent

_is_key = re.compile(PATTERN.encode()).fullmatch


class Credentials(NamedTuple):
    """The two halves of a key as it is sent."""

    id: str
    secret: bytes

    @classmethod
    def of(cls, text: bytes) -> "Credentials | None":
        """The halves of a key, if it looks like one."""
        return cls(text[3:15].decode(), text[16:]) if _is_key(text) else None


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """What is kept of a secret: an HMAC of it, keyed by the pepper and a salt of its own.

    A secret has 256 random bits, so no slow hash is needed; one would let wrong keys cost much.
    """

    salt: str
    digest: str
    until: float | None = None

    @classmethod
    def of(cls, secret: bytes, pepper: bytes) -> "SecretDigest":
        """A new digest of a secret."""
        salt = token_hex(16)
        return cls(salt, _digest(pepper, salt, secret))

    def is_valid(self, now: float) -> bool:
        """Whether the secret has not been replaced for too long."""
        return self.until is None or now < self.until

    def fits(self, secret: bytes, pepper: bytes) -> bool:
        """Whether this is of that secret, in a time that does not tell how nearly."""
        return hmac.compare_digest(_digest(pepper, self.salt, secret), self.digest)


def _digest(pepper: bytes, salt: str, secret: bytes) -> str:
    return hmac.digest(pepper + bytes.fromhex(salt), secret, "sha256").hex()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as it is kept: everything but its secret.

    While one secret takes over from others, all are valid; the newest stands first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    label: str
    scopes: tuple[ScopeName, ...]
    secrets: tuple[SecretDigest, ...]
    created: float
    prefixes: tuple[str, ...] = ()
    requests_per_second: float | None = None
    expires: float | None = None
    revoked: float | None = None

    def is_valid(self, now: float) -> bool:
        """Whether it opens anything now."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def salt_of(self, secret: bytes, pepper: bytes, now: float) -> str | None:
        """The salt of the secret, if that is one of its own and still valid."""
        fitting = [each for each in self.secrets if each.fits(secret, pepper)]
        return next((each.salt for each in fitting if each.is_valid(now)), None)

    def has_secret(self, secret: bytes, pepper: bytes) -> bool:
        """Whether the secret is one of its own, or was."""
        return any(each.fits(secret, pepper) for each in self.secrets)

    def has_salt(self, salt: str, now: float) -> bool:
        """Whether it has a valid secret of this salt."""
        return any(each.salt == salt and each.is_valid(now) for each in self.secrets)


def lacks_admin(keys: Iterable[AccessKey], now: float) -> bool:
    """Whether nobody can administer these keys any more."""
    return not any("admin" in key.scopes and key.is_valid(now) for key in keys)


class IssuedKey(NamedTuple):
    """A key, and its text, which is shown once and kept nowhere."""

    key: AccessKey
    text: str


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a new key is to allow, and for how long."""

    label: str
    scopes: tuple[ScopeName, ...]
    prefixes: tuple[str, ...] = ()
    requests_per_second: float | None = None
    lifetime_seconds: float | None = None

    def flaw(self) -> tuple[str, str] | None:
        """The field that is wrong, and why, if one is."""
        if len(set(self.scopes)) < len(self.scopes):
            return "scopes", "each stands once"
        for prefix in self.prefixes:
            if not is_prefix(prefix):
                return (
                    "prefixes",
                    "a prefix is the beginning of a name, and ends in . or : or - or _",
                )
        if self.prefixes and "admin" in self.scopes:
            return "prefixes", "a key with the scope admin has none: it can make keys without"
        return None

    def issued(self, pepper: bytes, now: float) -> IssuedKey:
        """A new key that allows this."""
        secret, name = token_urlsafe(32), token_hex(6)
        key = AccessKey(
            id=name,
            label=self.label,
            scopes=self.scopes,
            secrets=(SecretDigest.of(secret.encode(), pepper),),
            created=now,
            prefixes=self.prefixes,
            requests_per_second=self.requests_per_second,
            expires=None if self.lifetime_seconds is None else now + self.lifetime_seconds,
        )
        return IssuedKey(key, f"kb_{name}_{secret}")


def revoked(key: AccessKey, now: float) -> AccessKey:
    """The same key, which opens nothing any more."""
    return key if key.revoked is not None else replace(key, revoked=now)


def rotated(key: AccessKey, pepper: bytes, now: float, overlap_seconds: float) -> IssuedKey:
    """The same key with a new secret; the one before stays valid for a while.

    Earlier ones stay as long as they were to, but without an overlap none of them does.
    """
    secret = token_urlsafe(32)
    before = replace(key.secrets[0], until=now + overlap_seconds)
    earlier = [each for each in key.secrets[1:] if each.is_valid(now)] if overlap_seconds else []
    secrets = (SecretDigest.of(secret.encode(), pepper), before, *earlier)
    return IssuedKey(replace(key, secrets=secrets), f"kb_{key.id}_{secret}")


def is_prefix(text: str) -> bool:
    """Whether it is a beginning of names that no other name can begin with by chance."""
    return re.fullmatch(PREFIX, text) is not None


def has_prefix(name: str, prefixes: Sequence[str]) -> bool:
    """Whether a name begins with one of these, if there are any."""
    return not prefixes or name.startswith(tuple(prefixes))
