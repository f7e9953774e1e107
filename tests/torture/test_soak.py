"""Half the load with random faults leaves nothing behind."""

from tests.torture.soak import soaked

SECONDS = 8.0
MORE_MEGABYTES = 64


def test_faults_among_requests_lose_no_row_and_leave_nothing_open() -> None:
    soak = soaked(SECONDS)
    assert soak.statuses[200] > 0
    assert len(soak.faults) > 1
    assert not [status for status in soak.statuses if status >= 500 and status != 503]
    assert soak.counted == soak.acknowledged > 0
    assert max(soak.megabytes) - soak.megabytes[0] < MORE_MEGABYTES
    assert soak.descriptors[-1] <= max(soak.descriptors[:2]) + 8
