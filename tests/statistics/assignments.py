"""Hashes that others use to assign units, and whether our buckets depend on them."""

from collections.abc import Callable, Mapping
from hashlib import blake2b, md5
from zlib import crc32

import numpy as np
from scipy import stats

from kullback.numerics.types import Flags, Indices
from kullback.tally.units import BUCKETS, bucket_of, hash_of
from tests.statistics.coverage import ALPHA
from tests.statistics.estimates import apart

Assignment = Callable[[Indices], Flags]


def of_text(share: Callable[[bytes], bool]) -> Assignment:
    """By the digits of an id."""
    return lambda ids: np.array([share(b"%d" % number) for number in ids.tolist()])


def by_splitmix(ids: Indices) -> Flags:
    """By the first bit of SplitMix64 that starts from the id."""
    with np.errstate(over="ignore"):
        words = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        words ^= words >> np.uint64(31)
    treated: Flags = words >> np.uint64(63) == 1
    return treated


def by_bucket_hash(ids: Indices) -> Flags:
    """By the hash that buckets are made of, below one half of all: as it must never be."""
    treated: Flags = hash_of(ids) < np.uint64(2**63)
    return treated


SCHEMES: Mapping[str, Assignment] = {
    "crc32 mod 2": of_text(lambda unit: crc32(unit) % 2 == 0),
    "md5 mod 100": of_text(lambda unit: int(md5(unit).hexdigest(), 16) % 100 < 50),  # noqa: S324 - theirs
    "blake2b": of_text(lambda unit: blake2b(unit).digest()[0] < 128),
    "splitmix": by_splitmix,
    "odd and even": lambda ids: ids % 2 == 0,
}


def ramp_coverage(salt: int, runs: int) -> float:
    """Of the 95 % interval where a hash treats 3 of 1,000 users; salt 0 is the buckets' own."""
    least = np.uint64(int(0.003 * 2**64))
    held = 0
    for run in range(runs):
        rng = np.random.default_rng([9, run])
        ids = rng.integers(0, 2**63, 20_000)
        estimate = apart(rng.standard_normal(ids.size), hash_of(ids, salt) < least)
        low, high = estimate.by(bucket_of(ids)).interval(ALPHA)
        held += low <= 0 <= high
    return held / runs


def dependence_complaints(buckets: Indices, treated: Flags) -> list[str]:
    """Why arms and buckets are not independent of each other, if they are not."""
    cells = np.bincount(2 * buckets + treated, minlength=2 * BUCKETS).reshape(BUCKETS, 2)
    p = float(stats.chi2_contingency(cells).pvalue)
    return [] if p > 1e-4 else [f"buckets know the arm: p = {p:.1g}"]
