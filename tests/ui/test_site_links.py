"""Pages lead to Grafana, to runbooks and to themselves by the addresses that were set."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from kullback.judgement.settings import CHECKS
from kullback.main import create_app
from kullback.settings import Settings
from kullback.ui.site_links import RUNBOOKS, SiteLinks

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()


@asynccontextmanager
async def served(settings: Settings, **addresses: str) -> AsyncIterator[AsyncClient]:
    """A service with an empty monitor and experiment, whose links lead to these addresses."""
    app = create_app(settings.model_copy(update=addresses))
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        await client.put("/v1/monitors/clicks", json={})
        await client.put("/v1/experiments/ranker", json={"arms": ["a", "b"]})
        yield client


async def test_nothing_leads_outside_unless_it_is_set(settings: Settings) -> None:
    async with served(settings) as client:
        for page in ("/", "/monitors/clicks", "/experiments/ranker"):
            text = (await client.get(page)).text
            assert "Grafana" not in text
            assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://kullback"}


async def test_texts_that_leave_the_service_have_its_public_address(settings: Settings) -> None:
    async with served(settings, public_url="https://scores.example/kullback") as client:
        for page, place in (
            ("/monitors/clicks", "v1/monitors/clicks/observations"),
            ("/monitors/no-such", "v1/monitors/no-such"),
            ("/playground/log-loss", "v1/scores/log-loss"),
        ):
            text = (await client.get(page)).text
            assert f"https://scores.example/kullback/{place}" in text
            assert "http://kullback/" not in text


async def test_pages_lead_to_their_dashboards(settings: Settings) -> None:
    async with served(settings, grafana_url="https://grafana.example") as client:
        home, monitor, experiment = [
            (await client.get(page)).text
            for page in (
                "/",
                "/monitors/clicks?from=2026-01-31&to=2026-02-01",
                "/experiments/ranker",
            )
        ]
    assert 'href="https://grafana.example/d/kullback-fleet"' in home
    board = "https://grafana.example/d/kullback-monitor?var-monitor=clicks"
    assert f'href="{board}&amp;from=1769817600000&amp;to=1769904000000"' in monitor
    assert "https://grafana.example/d/kullback-experiments?var-experiment=ranker" in experiment


def test_every_check_has_a_runbook_and_it_is_that_of_its_alert() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "alerts.md").read_text(), re.MULTILINE)
    alerts = dict(re.findall(r'alert: (\w+)\n\s+expr: .*\{check=~?"(.+)"\}', RULES))
    assert set(RUNBOOKS) == set(CHECKS)
    assert set(RUNBOOKS.values()) <= set(headings)
    for check, alert in RUNBOOKS.items():
        assert re.fullmatch(alerts[alert], check)


@pytest.mark.parametrize("address", ["https://docs.example/x", "https://docs.example/x/"])
def test_a_runbook_is_a_place_of_the_documentation(address: str) -> None:
    links = SiteLinks(address)
    assert links.runbook("slice") == "https://docs.example/x/alerts.html#kullbacksliceoff"
    assert SiteLinks().runbook("slice") == ""


def test_the_boards_that_pages_lead_to_are_there() -> None:
    boards = (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")
    uids = {json.loads(file.read_text())["uid"] for file in boards}
    links = SiteLinks(grafana="https://g.example")
    for address in (links.fleet, links.board("monitor", "a"), links.board("experiment", "a")):
        assert address.partition("/d/")[2].partition("?")[0] in uids
