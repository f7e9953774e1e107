"""Of tokens those that the provider signed, for this service and for now, open what they say."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.access import jwks
from kullback.access.tokens import LONGEST_TOKEN, RENEW_SECONDS, TokenVerifier
from kullback.errors import StoreUnavailable
from tests.access.provider import (
    AUDIENCE,
    EC_KEY,
    ED_KEY,
    ISSUER,
    KEYS,
    OTHER_KEY,
    PEM,
    RSA_KEY,
    SHORT_KEY,
    Claims,
    claims,
    key_set,
    signed,
)


def forged(head: Claims, **changes: object) -> bytes:
    """A token without a signature."""
    parts = [json.dumps(part).encode() for part in (head, claims(**changes))]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts) + b"."


def hmac_by_public_key() -> bytes:
    """A token whose secret is the public key, which everybody has."""
    head = forged({"alg": "HS256", "kid": "rsa"})[:-1]
    signature = jwt.get_algorithm_by_name("HS256").sign(head, PEM)
    return head + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")


class Watch:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def verifier(load: Callable[[], bytes] = key_set, watch: Watch | None = None) -> TokenVerifier:
    return TokenVerifier(ISSUER, AUDIENCE, load, watch or Watch())


@pytest.fixture(scope="module")
def ready() -> TokenVerifier:
    here = verifier()
    here.refresh()
    return here


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(RSA_KEY, "RS256", "rsa"),
        signed(ED_KEY, "EdDSA", "ed"),
        signed(aud=["x", AUDIENCE]),
    ],
    ids=["ES256", "RS256", "EdDSA", "one of several audiences"],
)
def test_a_token_of_the_provider_opens_its_scopes(ready: TokenVerifier, token: bytes) -> None:
    caller = ready.caller(token)
    assert caller is not None
    assert sorted(caller.scopes) == ["read", "score"]
    assert caller.key.startswith("oidc-")
    assert "ann" not in caller.key


NOW = int(time.time())
REFUSED: dict[str, bytes] = {
    "no algorithm": forged({"alg": "none", "kid": "ec"}),
    "no algorithm, no key": forged({"alg": "none"}),
    "an algorithm of another case": forged({"alg": "nOnE", "kid": "ec"}),
    "the public key as a secret": hmac_by_public_key(),
    "a shared secret of the set": signed(bytes(32), "HS256", "shared"),
    "another algorithm of the same key": signed(RSA_KEY, "RS512", "rsa"),
    "another key": signed(OTHER_KEY),
    "a key that encrypts": signed(OTHER_KEY, kid="encrypts"),
    "a short key": signed(SHORT_KEY, "RS256", "short"),
    "the key of another algorithm": signed(EC_KEY, kid="rsa"),
    "an unknown key": signed(kid="unknown"),
    "no key of several": signed(kid=None),
    "a key of its own": signed(OTHER_KEY, head={"jwk": KEYS[1], "jku": "https://evil/keys"}),
    "an extension that must be understood": signed(head={"crit": ["b64"], "b64": False}),
    "another audience": signed(aud="other"),
    "no audience": signed(aud=None),
    "another issuer": signed(iss="https://id.example.evil"),
    "no issuer": signed(iss=None),
    "no end": signed(exp=None),
    "an end long ago": signed(iat=NOW - 900, exp=NOW - 60),
    "no beginning": signed(iat=None),
    "a beginning to come": signed(iat=NOW + 300, exp=NOW + 600),
    "not yet": signed(nbf=NOW + 300),
    "too long a life": signed(exp=NOW + 86_400),
    "an end that is text": signed(exp=str(NOW + 600)),
    "an end that is infinite": signed(exp=float("inf")),
    "an end beyond every number": signed(iat=NOW + 0.5, exp=10**400),
    "no subject": signed(sub=None),
    "a subject that is no text": signed(sub="\ud800"),
    "20 KB": signed(x="x" * 20_000),
    "scopes that are none": signed(scope={"read": True}),
    "prefixes that are none": signed(kullback_prefixes=["team"]),
    "prefixes for no names": signed(kullback_prefixes=[]),
    "another form of prefixes": signed(kullback_prefixes="team-a."),
    "nothing": b"",
    "dots": b"..",
    "depth": base64.urlsafe_b64encode(b"[" * 4000) + b".e30.e30",
    "a changed claim": signed().replace(b".", b".e30", 1),
    "a cut signature": signed()[:-4],
    "not ASCII": b"\xff.\xfe.\xfd",
}


@pytest.mark.parametrize("what", REFUSED)
def test_every_other_token_opens_nothing(ready: TokenVerifier, what: str) -> None:
    assert ready.caller(REFUSED[what]) is None


@given(st.binary(max_size=200))
def test_whatever_is_no_token_breaks_nothing(text: bytes) -> None:
    here = verifier()
    here.refresh()
    assert here.caller(text) is None
    assert here.caller(signed()[:40] + text) is None


def test_a_token_of_full_length_is_looked_at(ready: TokenVerifier) -> None:
    token = signed(x="x" * (LONGEST_TOKEN - 700 * 2))
    assert LONGEST_TOKEN // 2 < len(token) <= 2 * LONGEST_TOKEN
    assert (ready.caller(token) is None) == (len(token) > LONGEST_TOKEN)


def test_prefixes_bind_a_token_and_leave_it_nothing_to_administer(ready: TokenVerifier) -> None:
    caller = ready.caller(signed(kullback_prefixes=["team-a."], scope="admin write"))
    assert caller is not None
    assert (caller.prefixes, *caller.scopes) == (("team-a.",), "write")
    caller = ready.caller(signed(scope=None, scp=["admin"]))
    assert caller is not None
    assert caller.scopes == {"admin"}


def test_of_a_key_set_those_are_taken_that_verify_and_are_no_secret() -> None:
    assert sorted(map(str, jwks.signing_keys(key_set()))) == ["ec", "ed", "rsa"]


@pytest.mark.parametrize(
    "odd",
    [
        7,
        {"kty": "EC", "crv": ["P-256"]},
        {"kty": ["EC"]},
        {"kty": "RSA", "n": 7, "e": {}},
        {"kty": "OKP", "crv": "P-256", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": None},
    ],
)
def test_an_odd_key_of_a_set_is_no_reason_to_refuse_the_others(odd: object) -> None:
    content = json.dumps({"keys": [odd, *KEYS]}).encode()
    assert sorted(map(str, jwks.signing_keys(content))) == ["ec", "ed", "rsa"]


@pytest.mark.parametrize(
    "place", ["https://", "https://[", "https://id.example:99999/", "https://\x00"]
)
def test_an_address_that_is_none_is_said_to_be(place: str) -> None:
    with pytest.raises(StoreUnavailable):
        jwks.loader(place)()


def test_one_key_stands_for_tokens_that_name_none() -> None:
    here = verifier(lambda: key_set(KEYS[1]))
    here.refresh()
    assert here.caller(signed(kid=None)) is not None


def test_keys_are_read_no_sooner_whatever_tokens_name() -> None:
    watch, reads = Watch(), list[float]()

    def load() -> bytes:
        reads.append(watch.now)
        return key_set(*KEYS[:1])

    here = verifier(load, watch)
    for _ in range(1000):  # a flood of unknown keys, for as long as an hour and a bit
        if here.is_due(signed(kid="unknown")):
            here.refresh()
        watch.now += 4
    assert len(reads) <= 1 + 4000 / 300  # seconds; the provider is asked no more often
    watch.now = reads[-1] + RENEW_SECONDS - 1
    assert not here.is_due(signed(RSA_KEY, "RS256", "rsa"))
    watch.now += 1
    assert here.is_due(signed(RSA_KEY, "RS256", "rsa"))


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"keys": [1]}', b'{"keys": []}', b"[" * 9999]
)
def test_the_last_good_keys_stay_where_there_are_no_better(answer: bytes) -> None:
    watch, answers = Watch(), iter((key_set(), answer))
    here = verifier(lambda: next(answers), watch)
    here.refresh()
    watch.now += RENEW_SECONDS
    with pytest.raises(StoreUnavailable):
        here.refresh()
    assert here.caller(signed()) is not None
    assert not here.is_due(signed(kid="unknown"))  # to ask again would be too soon


def fetched(answer: Callable[[httpx.Request], httpx.Response]) -> bytes:
    return jwks.loader("https://id.example/keys", httpx.MockTransport(answer))()


def test_a_key_set_is_fetched_in_whole() -> None:
    assert fetched(lambda _: httpx.Response(200, content=key_set())) == key_set()


def drip() -> Iterator[bytes]:
    while True:
        yield b" "


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(302, headers={"location": "http://169.254.169.254/"}), "answered 302"),
        (httpx.Response(500), "answered 500"),
        (httpx.Response(200, content=bytes(jwks.CAP + 1)), "more than 65536 bytes"),
        (httpx.Response(200, content=drip()), "more than 65536 bytes"),
    ],
)
def test_an_answer_that_is_no_key_set_is_refused(answer: httpx.Response, reason: str) -> None:
    asked: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer

    with pytest.raises(StoreUnavailable, match=reason):
        fetched(answers)
    assert asked == ["https://id.example/keys"]


def test_a_provider_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(100))
    monkeypatch.setattr(jwks, "monotonic", lambda: float(next(moments)))
    with pytest.raises(StoreUnavailable, match="longer than 5 seconds"):
        fetched(lambda _: httpx.Response(200, content=drip()))
    assert next(moments) < 10


def test_a_provider_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out")

    with pytest.raises(StoreUnavailable, match="cannot be read: timed out"):
        fetched(away)
    with pytest.raises(StoreUnavailable, match="No such file"):
        jwks.loader(str(tmp_path / "none"))()
