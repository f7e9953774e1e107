"""What people say of a monitor stands on its page and in the overview, and does nothing there."""

import pytest

from kullback.moments import HOUR
from tests.monitoring.service import MONITOR, Service

pytestmark = pytest.mark.anyio

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


async def text(service: Service, path: str) -> str:
    answer = await service.client.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_notes_of_a_monitor_are_shown(service: Service) -> None:
    link = {"title": "Runbook", "url": "https://example.org/a?b=c&d=e"}
    await service.put(
        description="Clicks.\nSecond line.", owner="team-ads", tags=["front", "ads"], links=[link]
    )
    page = await text(service, "/monitors/clicks")
    assert '<p class="notes">Clicks.\nSecond line.</p>' in page
    assert '<a href="https://example.org/a?b=c&amp;d=e" rel="noopener' in page
    assert "<bdi>team-ads</bdi>" in page
    assert "<bdi>#front</bdi> <bdi>#ads</bdi>" in page
    overview = await text(service, "/")
    for note in ("<bdi>team-ads</bdi>", "#<bdi>front</bdi>", "#<bdi>ads</bdi>"):
        assert note in overview


async def test_notes_are_text(service: Service) -> None:
    link = {"title": SCRIPT, "url": "https://example.org/"}
    await service.put(description=SCRIPT, owner=SCRIPT, tags=[SCRIPT], links=[link])
    for path, times in (("/monitors/clicks", 4), ("/", 2)):
        page = await text(service, path)
        assert SCRIPT not in page
        assert page.count(ESCAPED) == times


async def test_a_change_of_notes_is_a_new_page(service: Service) -> None:
    await service.put(owner="us")
    await service.post("observations", MONITOR, y_true=[1], y_proba=[0.5])
    before = await service.client.get("/monitors/clicks")
    headers = {"if-none-match": before.headers["etag"]}
    again = await service.client.get("/monitors/clicks", headers=headers)
    assert again.status_code == 304
    await service.put(owner="them")
    after = await service.client.get("/monitors/clicks", headers=headers)
    assert (after.status_code, "<bdi>them</bdi>" in after.text) == (200, True)


async def test_what_happened_as_a_check_began_to_warn_stands_in_the_verdict(
    service: Service,
) -> None:
    await service.put()
    rows = {"y_true": [0, 1] * 500, "y_proba": [0.1] * 1000}
    start = service.clock.now // HOUR * HOUR - 3 * HOUR
    for hour in range(3):
        times = [start + hour * HOUR] * 1000
        await service.post("observations", MONITOR, **rows, timestamp=times)
    for what, time in (("release 2", start - 600), ("release 1", start - 3 * HOUR)):
        await service.post("annotations", MONITOR, text=what, time=time)
    page = await text(service, "/monitors/clicks")
    assert "critical" in page
    verdict = page[page.index('id="verdict"') : page.index('id="now"')]
    assert "<bdi>release 2</bdi>" in verdict
    assert "release 1" not in verdict
