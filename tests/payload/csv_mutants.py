"""Mutants of CSV bodies: signs that mean something put where they hurt."""

import random
from collections import Counter

from kullback.errors import BodyError, InvalidInput
from kullback.payload.csv_body import parse_csv
from kullback.payload.dialect import Dialect
from tests.payload.child import CAP, COLUMNS

SEEDS = (
    b"y_true,y_proba\n1,0.5\n0,0.25\n1,0.75\n",
    b'y_true,"y_proba",group\r\n"a",0.5,"x ""y"" z"\r\nb,1e-3,"l\nm"\r\n',
    b"y_true, y_proba.a, y_proba.b\n1, 0.5, 0.5\n0, 0.25, 0.75\n",
    "y_true;y_proba;sample_weight\nü;0,5;1\nß;0,25;,5\n".encode(),
    b"\xef\xbb\xbfy_true,y_proba\n\n\n1,0.5\n",
)
_PIECES = (b'"', b'""', b",", b";", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b" ")
_PLAIN, _GERMAN = Dialect(), Dialect(";", ",")


def survived(count: int) -> dict[str, int]:
    """How often each outcome came; any exception but a refusal passes."""
    draw = random.Random(4)  # noqa: S311 - the same in every run
    return dict(Counter(_outcome(draw, _mutant(draw)) for _ in range(count)))


def _mutant(draw: random.Random) -> bytes:
    raw = bytearray(draw.choice(SEEDS))
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        at = draw.randrange(len(raw) + 1)
        kind = draw.randrange(4)
        if kind == 0:
            raw[at:at] = draw.choice(_PIECES) * draw.choice((1, 1, 2, 1000))
        elif kind == 1:
            del raw[at : at + draw.randint(1, 9)]
        elif kind == 2 and at < len(raw):
            raw[at] = draw.randrange(256)
        else:
            raw[at:at] = bytes(draw.choice(SEEDS))[: draw.randint(1, 40)]
    return bytes(raw)


def _outcome(draw: random.Random, raw: bytes) -> str:
    dialect = draw.choice((_PLAIN, _GERMAN))
    try:
        parse_csv(bytearray(raw), COLUMNS, CAP, dialect)
    except (BodyError, InvalidInput) as error:
        return type(error).__name__
    return "read"
