"""Limits of how often somebody may ask: token buckets, one for each of them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from kullback.moments import DAY

MOST_BUCKETS = 10_000


class TokenBuckets:
    """A bucket for each name that fills steadily, up to what a burst may take.

    Whoever has not been seen for longest is forgotten first: their bucket is the likeliest to be
    full again.
    """

    def __init__(
        self, clock: Callable[[], float] = monotonic, most_buckets: int = MOST_BUCKETS
    ) -> None:
        self._clock = clock
        self._most = most_buckets
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(
        self, name: Hashable, per_second: float, burst: float | None = None, tokens: float = 1.0
    ) -> int:
        """Take a token, or look: 0 where there is one, or seconds until then, a day at most."""
        room = max(per_second if burst is None else burst, 1.0)
        now = self._clock()
        left, since = self._buckets.pop(name, (room, now))
        left = min(room, left + (now - since) * per_second)
        is_there = left >= 1.0
        self._buckets[name] = (left - tokens if is_there else left, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0 if is_there else ceil((1.0 - left) / max(per_second, 1.0 / DAY))


def network(address: str) -> str:
    """Whom an address stands for: itself, or the /64 that whoever has an IPv6 address has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.packed[:8].hex())
    return address
