"""Bodies are counted as they come and as they inflate; what does not fit is refused early."""

import gzip
import logging
import re
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import anyio
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from kullback.api.intake import Intake
from kullback.errors import BodyTooLarge, MalformedBody, Overloaded, UnsupportedBody
from kullback.main import create_app
from kullback.payload.body import Body, decompressed
from kullback.payload.media import JSON
from kullback.payload.room import inflation_limit
from kullback.settings import Settings
from tests.conftest import client_of
from tests.payload.bodies import IS_JSON, typed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.anyio

law = hypothesis_settings(deadline=None, derandomize=True, max_examples=100)
Compress = Callable[[bytes], bytes]
CODECS: dict[str, Compress] = {"gzip": gzip.compress, "zstd": zstd.compress}
MIB = 1 << 20
ENTROPY = "/v1/scores/entropy"


def inflated(raw: bytes, encoding: str, cap: int = MIB) -> bytes:
    return bytes(decompressed(Body(bytearray(raw), JSON, encoding), cap))


def gzip_bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def zstd_bomb(size: int) -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def receiving(*chunks: bytes, length: int | None = None) -> tuple[Request, list[bytes]]:
    """A request whose body comes in these chunks and then breaks off; and what has been read."""
    left, read = list(chunks), []

    async def receive() -> Message:
        if not left:
            return {"type": "http.disconnect"}
        read.append(left.pop(0))
        return {"type": "http.request", "body": read[-1], "more_body": True}

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return Request({"type": "http", "headers": headers}, receive), read


@law
@given(st.lists(st.binary(max_size=50_000), min_size=1, max_size=4))
def test_members_are_joined(parts: list[bytes]) -> None:
    for encoding, compress in CODECS.items():
        assert inflated(b"".join(map(compress, parts)), encoding) == b"".join(parts)


@pytest.mark.parametrize("encoding", CODECS)
def test_a_body_of_many_pieces_is_inflated_whole(encoding: str) -> None:
    plain = b"".join(str(number).encode() for number in range(500_000))
    assert inflated(CODECS[encoding](plain), encoding, 4 * MIB) == plain


@pytest.mark.parametrize("encoding", CODECS)
def test_a_body_that_ends_early_is_malformed(encoding: str) -> None:
    raw = CODECS[encoding](b'{"p": [0.5, 0.5]}' * 20)
    for end in range(1, len(raw)):
        with pytest.raises(MalformedBody):
            inflated(raw[:end], encoding)
        with pytest.raises(MalformedBody):
            inflated(raw + raw[:end], encoding)


@pytest.mark.parametrize("encoding", CODECS)
@pytest.mark.parametrize("garbage", [b"\0", b"garbage", b"{}", b"\x1f\x8b", b"\xff" * 40_000])
def test_nothing_else_may_follow(encoding: str, garbage: bytes) -> None:
    with pytest.raises(MalformedBody):
        inflated(CODECS[encoding](b"{}") + garbage, encoding)


@law
@given(st.binary(min_size=1, max_size=60))
def test_garbage_is_malformed(raw: bytes) -> None:
    for encoding in CODECS:
        with pytest.raises(MalformedBody):
            inflated(raw, encoding)


@pytest.mark.parametrize("encoding", CODECS)
def test_a_changed_bit_is_malformed_or_changes_nothing_else(encoding: str) -> None:
    plain = b'{"p": [0.5, 0.5]}' * 20
    raw = CODECS[encoding](plain)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            inflated(bytes(changed), encoding)
        except (MalformedBody, BodyTooLarge):
            continue


@pytest.mark.parametrize(
    ("encoding", "bomb"), [("gzip", gzip_bomb(128 * MIB)), ("zstd", zstd_bomb(1024 * MIB))]
)
def test_a_bomb_is_refused_in_little_memory(encoding: str, bomb: bytes) -> None:
    assert len(bomb) < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            inflated(bomb, encoding, 4 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("encoding", CODECS)
def test_the_cap_is_of_what_comes_out(encoding: str) -> None:
    assert len(inflated(CODECS[encoding](bytes(MIB)), encoding)) == MIB
    with pytest.raises(BodyTooLarge):
        inflated(CODECS[encoding](bytes(MIB + 1)), encoding)
    with pytest.raises(BodyTooLarge):
        inflated(CODECS[encoding](bytes(MIB)) + CODECS[encoding](b"x"), encoding)


@pytest.mark.parametrize("encoding", CODECS)
def test_more_members_than_anyone_needs_are_refused(encoding: str) -> None:
    member = CODECS[encoding](b"")
    assert inflated(member * 1000, encoding) == b""
    with pytest.raises(MalformedBody, match="65536"):
        inflated(member * 65_537, encoding)


def test_a_zstd_window_larger_than_128_mib_is_refused() -> None:
    options = {
        int(zstd.CompressionParameter.window_log): 28,
        int(zstd.CompressionParameter.enable_long_distance_matching): 1,
    }
    packer = zstd.ZstdCompressor(options=options)
    raw = packer.compress(b"{}") + packer.flush()
    with pytest.raises(MalformedBody):
        inflated(raw, "zstd")


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "GZip", " zstd ", "identity", "Identity", ""])
async def test_encodings_are_read_without_case(client: AsyncClient, encoding: str) -> None:
    name = encoding.strip().lower()
    body = CODECS[name](b'{"p": [1]}') if name in CODECS else b'{"p": [1]}'
    answer = await client.post(ENTROPY, content=body, headers=typed(JSON, encoding))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "encoding",
    ["br", "deflate", "x-gzip", "gzip, gzip", "gzip;q=1", "gzip,", "identity, gzip", "*"],
)
async def test_other_encodings_are_told_what_is_read(client: AsyncClient, encoding: str) -> None:
    answer = await client.post(ENTROPY, content=b"{}", headers=typed(JSON, encoding))
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, zstd, identity"


async def test_an_encoding_may_not_stand_twice(client: AsyncClient) -> None:
    headers = [("content-type", JSON), ("content-encoding", "gzip"), ("content-encoding", "gzip")]
    answer = await client.post(ENTROPY, content=gzip.compress(b'{"p":[1]}'), headers=headers)
    assert answer.status_code == 415


async def test_a_body_is_inflated_once(client: AsyncClient) -> None:
    twice = gzip.compress(gzip.compress(b'{"p":[1]}'))
    answer = await client.post(ENTROPY, content=twice, headers=typed(JSON, "gzip"))
    assert answer.status_code == 400


@pytest.mark.parametrize("encoding", CODECS)
async def test_what_a_body_inflates_to_is_held_until_its_work_is_done(encoding: str) -> None:
    intake, raw = Intake(MIB, 2 * MIB), CODECS[encoding](bytes(MIB))

    async def body() -> Body:
        async def receive() -> Message:
            return {"type": "http.request", "body": raw, "more_body": False}

        headers = [(b"content-encoding", encoding.encode())]
        return await intake.read(Request({"type": "http", "headers": headers}, receive))

    first, second = await body(), await body()
    with first.hold:
        decompressed(first, MIB)
        first.hold.release()  # its caller left; the work goes on
        with pytest.raises(Overloaded), second.hold:
            decompressed(second, MIB)
    third = await body()
    with third.hold:
        assert len(decompressed(third, MIB)) == MIB


async def test_a_declared_length_beyond_the_cap_is_refused_before_reading() -> None:
    request, read = receiving(b"x", length=MIB + 1)
    intake = Intake(MIB, MIB)
    with pytest.raises(BodyTooLarge):
        await intake.read(request)
    assert read == []


async def test_a_body_without_a_length_is_counted_while_it_comes() -> None:
    request, read = receiving(*[bytes(MIB // 4)] * 100)
    with pytest.raises(BodyTooLarge):
        await Intake(MIB, 4 * MIB).read(request)
    assert len(read) == 5


@pytest.mark.parametrize("length", ["-1", "+5", "5x", "٣", "", "9" * 30, "1e3"])
async def test_a_length_that_is_no_number_is_not_believed(length: str) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    headers = [(b"content-length", length.encode())]
    body = await Intake(MIB, MIB).read(Request({"type": "http", "headers": headers}, receive))
    assert body.raw == b"{}"


@pytest.mark.parametrize("declared", [None, 0, 2, 5, 500])
async def test_the_body_is_what_came_whatever_was_declared(declared: int | None) -> None:
    left = [b"{", b"", b'"p":', b"1}"]

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    intake = Intake(MIB, MIB)
    body = await intake.read(Request({"type": "http", "headers": headers}, receive))
    assert body.raw == b'{"p":1}'
    body.hold.release()
    request, _ = receiving(length=MIB)
    with pytest.raises(ClientDisconnect):  # not Overloaded: all room is free again
        await intake.read(request)


@pytest.mark.parametrize(
    ("chunks", "length"),
    [([], MIB), ([b"x"], MIB), ([b"x" * MIB], None), ([bytes(MIB), b"x"], None), ([], 2 * MIB)],
)
async def test_a_body_that_is_not_read_to_its_end_gives_its_room_back(
    chunks: list[bytes], length: int | None
) -> None:
    intake = Intake(MIB, MIB)
    for _ in range(3):
        request, _ = receiving(*chunks, length=length)
        with pytest.raises((ClientDisconnect, BodyTooLarge)):
            await intake.read(request)


async def test_an_unknown_encoding_takes_no_room() -> None:
    headers = [(b"content-length", str(MIB).encode()), (b"content-encoding", b"br")]
    intake = Intake(MIB, MIB)
    for _ in range(3):
        with pytest.raises(UnsupportedBody):
            await intake.read(Request({"type": "http", "headers": headers}))


async def test_bodies_beyond_the_room_for_all_are_refused_for_the_moment() -> None:
    intake = Intake(MIB, 2 * MIB)
    held = []
    for _ in range(2):
        left = [bytes(MIB)]

        async def receive(left: list[bytes] = left) -> Message:
            return {"type": "http.request", "body": left.pop(), "more_body": False}

        held.append(await intake.read(Request({"type": "http", "headers": []}, receive)))
    request, _ = receiving(b"x")
    with pytest.raises(Overloaded):
        await intake.read(request)
    held[0].hold.release()
    request, _ = receiving(bytes(MIB))
    with pytest.raises(ClientDisconnect):
        await intake.read(request)


async def test_what_is_declared_and_not_sent_takes_no_room() -> None:
    intake, silence = Intake(MIB, MIB), anyio.Event()

    async def nothing() -> Message:
        await silence.wait()
        return {"type": "http.disconnect"}

    async def declare() -> None:
        headers = [(b"content-length", str(MIB).encode())]
        with pytest.raises(ClientDisconnect):
            await intake.read(Request({"type": "http", "headers": headers}, nothing))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(declare)
        await anyio.wait_all_tasks_blocked()
        sent = [bytes(MIB)]

        async def receive() -> Message:
            return {"type": "http.request", "body": sent.pop(), "more_body": False}

        body = await intake.read(Request({"type": "http", "headers": []}, receive))
        assert len(body.raw) == MIB
        silence.set()


async def test_a_body_that_cannot_fit_now_is_refused_before_reading() -> None:
    intake = Intake(MIB, 2 * MIB)
    for body in (bytes(MIB), b"x"):

        async def receive(body: bytes = body) -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await intake.read(Request({"type": "http", "headers": []}, receive))
    request, read = receiving(b"x", length=MIB)
    with pytest.raises(Overloaded):
        await intake.read(request)
    assert read == []


@pytest.fixture
def settings() -> Settings:
    return Settings(max_body_mb=1, inflight_mb=1)


async def test_a_full_service_answers_503_and_then_has_room_again(own_client: AsyncClient) -> None:
    begun, go_on = anyio.Semaphore(0), anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"p":' + b" " * (MIB - 9)
        begun.release()
        await go_on.wait()
        yield b"[1]}"

    statuses: list[int] = []

    async def first() -> None:
        headers = IS_JSON | {"content-length": str(MIB)}
        statuses.append(
            (await own_client.post(ENTROPY, content=slow(), headers=headers)).status_code
        )

    async with anyio.create_task_group() as group:
        for _ in range(2):  # room is there for one body, as it came and inflated
            group.start_soon(first)
            await begun.acquire()
        refused = await own_client.post(ENTROPY, content=b'{"p":[1]}', headers=IS_JSON)
        go_on.set()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert statuses == [200, 200]
    again = await own_client.post(ENTROPY, content=b'{"p":[1]}', headers=IS_JSON)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("sent", "cap", "sentence"),
    [
        (
            gzip.compress(bytes(2 * MIB)),
            64 * MIB,
            "100 times what was sent (1048576 bytes): send it",
        ),
        (
            zstd.compress(bytes(2 * MIB)),
            64 * MIB,
            "100 times what was sent (1048576 bytes): send it",
        ),
        (
            gzip.compress(bytes(4 * MIB)) + bytes(MIB),
            2 * MIB,
            "2097152 bytes (KULLBACK_MAX_BODY_MB)",
        ),
        (gzip.compress(bytes(MIB)), MIB // 64, "16384 bytes: send it in parts"),
    ],
)
def test_what_inflates_too_much_is_told_why(sent: bytes, cap: int, sentence: str) -> None:
    encoding = "gzip" if sent.startswith(b"\x1f") else "zstd"
    body = Body(bytearray(sent), JSON, encoding)
    with pytest.raises(BodyTooLarge, match=re.escape(f"inflates to more than {sentence}")):
        decompressed(body, inflation_limit(len(sent), cap))


async def test_a_body_beyond_the_cap_is_413(own_client: AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(MIB // 2)

    answer = await own_client.post(ENTROPY, content=endless(), headers=IS_JSON)
    assert answer.status_code == 413
    answer = await own_client.post(ENTROPY, content=bytes(MIB + 1), headers=IS_JSON)
    assert answer.status_code == 413
    detail = "the body is larger than 1048576 bytes (KULLBACK_MAX_BODY_MB)"
    assert answer.json()["detail"] == detail
    bomb = gzip_bomb(16 * MIB)
    answer = await own_client.post(ENTROPY, content=bomb, headers=typed(JSON, "gzip"))
    assert answer.status_code == 413


async def test_a_client_that_leaves_is_no_error(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kullback")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": ENTROPY,
        "query_string": b"",
        "headers": [
            (b"content-type", JSON.encode()),
            (b"content-length", str(MIB).encode()),
        ],
    }
    async with client_of(app) as client:
        caplog.clear()
        for _ in range(3):
            messages: list[Message] = [
                {"type": "http.request", "body": b'{"p":', "more_body": True},
                {"type": "http.disconnect"},
            ]

            async def receive(messages: list[Message] = messages) -> Message:
                return messages.pop(0)

            await app({**scope}, receive, send)
        assert [record.levelname for record in caplog.records] == ["INFO"] * 3
        answer = await client.post(ENTROPY, content=b'{"p":[1]}', headers=IS_JSON)
    assert sent == []
    assert answer.status_code == 200


async def test_a_crowd_leaves_the_room_as_it_was(settings: Settings) -> None:
    app = create_app(settings)
    statuses: list[int] = []
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):

        async def post() -> None:
            body = b'{"p":[1]}' + b" " * 200_000
            statuses.append((await client.post(ENTROPY, content=body, headers=IS_JSON)).status_code)

        for _ in range(3):
            async with anyio.create_task_group() as group:
                for _ in range(30):
                    group.start_soon(post)
        body = b'{"p":[1]}' + b" " * (MIB - 9)
        answer = await client.post(ENTROPY, content=body, headers=IS_JSON)
    assert set(statuses) <= {200, 503}
    assert answer.status_code == 200
