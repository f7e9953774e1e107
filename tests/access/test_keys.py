"""A key opens what it should, for as long as it should, and is kept as a digest."""

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.access.book import KIND
from kullback.access.keys import (
    PATTERN,
    AccessKey,
    Credentials,
    KeyGrant,
    ScopeName,
    SecretDigest,
    has_prefix,
    revoked,
    rotated,
)
from kullback.access.ring import KeyRing
from kullback.documents import to_json

PEPPER = b"0123456789abcdef"
GRANT = KeyGrant("test", ("read",), lifetime_seconds=100.0)


def ring(*keys: object, pepper: bytes = PEPPER, now: float = 0.0) -> KeyRing:
    here = KeyRing(lambda: keys, pepper, lambda: now)  # type: ignore[arg-type,return-value]
    here.refresh()
    return here


def test_a_key_has_256_random_bits_and_looks_like_nothing_else() -> None:
    texts = {GRANT.issued(PEPPER, 0.0).text for _ in range(100)}
    assert len(texts) == 100
    for text in texts:
        assert re.fullmatch(PATTERN, text)
        credentials = Credentials.of(text.encode())
        assert credentials is not None
        assert len(credentials.secret) * 6 >= 256


def test_what_is_kept_of_a_key_does_not_have_its_secret() -> None:
    issued = GRANT.issued(PEPPER, 0.0)
    secret = issued.text.rpartition(issued.key.id + "_")[2]
    assert secret.encode() not in to_json(issued.key)
    assert secret not in repr(issued.key)
    assert KIND == "key"  # what is stored goes by this


def test_two_digests_of_one_secret_differ() -> None:
    assert SecretDigest.of(b"x", PEPPER).digest != SecretDigest.of(b"x", PEPPER).digest


def test_a_digest_made_without_the_pepper_opens_nothing() -> None:
    forged = GRANT.issued(b"", 0.0)
    assert ring(forged.key, pepper=b"").caller(forged.text.encode()) is not None
    assert ring(forged.key).caller(forged.text.encode()) is None


def test_a_key_opens_until_it_expires_or_is_revoked() -> None:
    issued = GRANT.issued(PEPPER, 0.0)
    text = issued.text.encode()
    caller = ring(issued.key, now=99.0).caller(text)
    assert caller is not None
    assert (caller.key, *caller.scopes) == (issued.key.id, "read")
    assert ring(issued.key, now=100.0).caller(text) is None
    assert ring(revoked(issued.key, 1.0), now=2.0).caller(text) is None


def test_both_secrets_of_a_rotated_key_are_valid_for_a_while() -> None:
    first = GRANT.issued(PEPPER, 0.0)
    second = rotated(first.key, PEPPER, 10.0, 5.0)
    third = rotated(second.key, PEPPER, 11.0, 5.0)
    assert first.key.id == second.key.id == third.key.id
    opens = [
        [ring(key, now=now).caller(each.text.encode()) is not None for each in (first, second)]
        for key, now in (
            *((second.key, 14.0), (second.key, 15.0)),
            *((third.key, 14.0), (third.key, 15.0), (third.key, 16.0)),
        )
    ]
    assert opens == [[True, True], [False, True], [True, True], [False, True], [False, False]]
    assert len(rotated(third.key, PEPPER, 15.0, 5.0).key.secrets) == 3  # what has ended is dropped


def test_a_rotation_without_overlap_ends_every_other_secret() -> None:
    issued = [GRANT.issued(PEPPER, 0.0)]
    for overlap in (50.0, 50.0, 0.0):
        issued.append(rotated(issued[-1].key, PEPPER, 1.0, overlap))
    last = ring(issued[-1].key, now=1.0)
    assert [last.caller(each.text.encode()) is not None for each in issued] == [
        *(False, False, False, True)
    ]


def test_what_was_read_earlier_does_not_take_the_place_of_what_was_read_later() -> None:
    issued, moments = GRANT.issued(PEPPER, 0.0), iter(range(10))
    later = [(revoked(issued.key, 1.0),)]

    def slow() -> tuple[AccessKey, ...]:
        """What was there before; meanwhile somebody else reads what is there since."""
        if not later:
            return (issued.key,)
        here._load = later.pop  # noqa: SLF001
        here.refresh()
        return (issued.key,)

    here = KeyRing(slow, PEPPER, lambda: 2.0, lambda: float(next(moments)))
    here.refresh()
    assert here.caller(issued.text.encode()) is None
    assert here.age < 3.0


@given(st.binary(max_size=80))
def test_whatever_is_sent_as_a_key_is_refused_and_breaks_nothing(text: bytes) -> None:
    assert ring(GRANT.issued(PEPPER, 0.0).key).caller(text) is None


def test_the_right_id_with_another_secret_opens_nothing() -> None:
    issued, other = GRANT.issued(PEPPER, 0.0), GRANT.issued(PEPPER, 0.0)
    mixed = issued.text[:16] + other.text[16:]
    assert ring(issued.key, other.key).caller(mixed.encode()) is None
    assert ring(issued.key).caller(issued.text.encode() + b"\xff") is None


@pytest.mark.parametrize(
    ("scopes", "prefixes", "place"),
    [
        (("read", "read"), (), "scopes"),
        (("read",), ("team",), "prefixes"),  # "teamster" is another's
        (("read",), ("",), "prefixes"),
        (("read",), ("te am.",), "prefixes"),
        (("read",), (".",), "prefixes"),
        (("admin",), ("team.",), "prefixes"),
    ],
)
def test_a_grant_that_would_allow_more_than_it_says_is_refused(
    scopes: tuple[ScopeName, ...], prefixes: tuple[str, ...], place: str
) -> None:
    flaw = KeyGrant("test", scopes, prefixes).flaw()
    assert flaw is not None
    assert flaw[0] == place


def test_prefixes_are_beginnings_of_names() -> None:
    assert KeyGrant("test", ("read",), ("team-a.", "x-")).flaw() is None
    assert has_prefix("team-a.clicks", ("x-", "team-a."))
    assert not has_prefix("team-b.clicks", ("x-", "team-a."))
    assert has_prefix("anything", ())


def test_whatever_is_sent_is_compared_once_by_its_digest_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued, other = GRANT.issued(PEPPER, 0.0), GRANT.issued(PEPPER, 0.0)
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def comparing(one: str, another: str) -> bool:
        compared.append((one, another))
        return compare(one, another)

    monkeypatch.setattr(hmac, "compare_digest", comparing)
    right, keys = issued.text, ring(issued.key)
    texts = {
        "right": right,
        "a wrong end": right[:-1] + ("A" if right[-1] != "A" else "B"),
        "a wrong secret": f"kb_{issued.key.id}_{'x' * 43}",
        "an unknown id": other.text,
        "of another form": "secret",
        "nothing": "",
    }
    for name, text in texts.items():
        compared.clear()
        assert (keys.caller(text.encode()) is not None) == (name == "right"), name
        ((sent, kept),) = compared
        assert {len(sent), len(kept)} == {64}, name  # of a digest, of whatever was sent
        assert (sent == kept) == (name == "right"), name
