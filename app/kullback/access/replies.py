"""What is answered about keys: all but their secrets, and once a secret."""

from collections.abc import Iterable
from dataclasses import dataclass

from kullback.access.keys import AccessKey, IssuedKey, ScopeName
from kullback.documents import extended
from kullback.moments import Moment


@dataclass(frozen=True, slots=True)
class KeyDetails:
    """A key, without its secret."""

    id: str
    label: str
    scopes: tuple[ScopeName, ...]
    prefixes: tuple[str, ...]
    requests_per_second: float | None
    created: Moment
    expires: Moment | None
    revoked: Moment | None
    previous_secrets_expire: Moment | None

    @classmethod
    def of(cls, key: AccessKey) -> "KeyDetails":
        """A key as it is shown."""
        return cls(
            key.id,
            key.label,
            key.scopes,
            key.prefixes,
            key.requests_per_second,
            key.created,
            key.expires,
            key.revoked,
            max((each.until for each in key.secrets if each.until is not None), default=None),
        )


@dataclass(frozen=True, slots=True)
class NewKey(KeyDetails):
    """A key with its text, which is shown this once."""

    key: str

    @classmethod
    def issued(cls, issued: IssuedKey) -> "NewKey":
        """A key as it is shown once."""
        return extended(cls, KeyDetails.of(issued.key), key=issued.text)


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key, the oldest first."""

    keys: tuple[KeyDetails, ...]

    @classmethod
    def of(cls, keys: Iterable[AccessKey]) -> "KeyList":
        """These keys as they are shown."""
        return cls(tuple(map(KeyDetails.of, keys)))
