"""Too many callers are told so, each of them, and the service goes on."""

import pytest

from tests.serving import serving
from tests.torture.overload import PATH, overload
from tests.torture.storm import Order

CALLERS = 60
MOST_MEGABYTES = 512


@pytest.mark.parametrize("rows", [500, 5_000])
def test_everybody_is_answered_and_those_in_vain_are_told_when_to_come_again(rows: int) -> None:
    with serving(KULLBACK_WORKERS="1", KULLBACK_QUEUE="1") as server:
        order = Order(server.address, PATH, CALLERS, 1.0, rows)
        seen = overload(server, order, server.address)
        log = server.log.read_text()
    for weather in (seen.peak, seen.storm):
        assert set(weather.statuses) <= {"200", "503"}
        assert weather.served > 0
        assert weather.unadvised == 0
        assert weather.broken == 0
    assert set(seen.probes.statuses) == {"200"}
    assert seen.megabytes < MOST_MEGABYTES
    assert "Traceback" not in log
