"""Two teams on one service: whatever each does, nothing of the other's is seen or changed."""

from collections.abc import AsyncIterator

import pytest

from kullback.api.authorization import AuthorizedRoute
from kullback.settings import Settings
from tests.access.service import Guarded, bearer, guarded
from tests.access.teams import NAMED, TEAMS, tried
from tests.experiments.service import PAIRED, TWO
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio

ROWS = {"y_true": [1, 0], "y_proba": [0.75, 0.25]}


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Guarded]:
    async with guarded(settings) as service:
        yield service


async def populated(service: Guarded, prefix: str, key: str) -> None:
    """A monitor and an experiment of a team, with rows."""
    for path, setup, rows in (
        ("/v1/monitors", {}, ROWS),
        ("/v1/experiments", PAIRED, TWO),
    ):
        place = f"{path}/{prefix}clicks"
        for method, at, body in (("PUT", place, setup), ("POST", f"{place}/observations", rows)):
            answer = await service.client.request(method, at, json=body, headers=bearer(key))
            assert answer.is_success, answer.text


async def test_whatever_belongs_to_another_team_is_not_there(service: Guarded) -> None:
    """Every route with a name in it, of a name that is there and of one that is not, alike."""
    key = await service.issue(prefixes=["team-a."])
    await populated(service, "team-b.", service.admin)
    routes = [route for route in service.app.routes if isinstance(route, AuthorizedRoute)]
    named = [route for route in routes if "{name}" in route.path]
    assert len(named) >= 15
    tried = 0
    for route in named:
        if route.path.startswith("/playground"):
            continue
        for method in route.methods or ():
            answers = [
                await service.client.request(
                    method,
                    route.path.replace("{name}", name),
                    json={},
                    headers={**bearer(key), "x-request-id": "one"},
                )
                for name in ("team-b.clicks", "team-b.absent")
            ]
            creates = method == "PUT" and route.path in NAMED
            leads_on = route.path.endswith("/")  # whatever the name
            status = 403 if creates else 302 if leads_on else 404
            assert [each.status_code for each in answers] == 2 * [status]
            here, absent = (each.text.replace("absent", "clicks") for each in answers)
            assert here == absent, f"{method} {route.path}"
            tried += 1
    assert tried >= 15


async def test_lists_and_pages_show_what_belongs_to_the_team(service: Guarded) -> None:
    keys = {prefix: await service.issue(prefixes=[prefix]) for prefix in TEAMS}
    for prefix, key in keys.items():
        await populated(service, prefix, key)
    for prefix, key in keys.items():
        (other,) = set(TEAMS) - {prefix}
        for path in ("/v1/monitors", "/v1/experiments", "/", "/monitors/none", "/experiments/none"):
            answer = await service.client.get(path, headers=bearer(key))
            assert f"{prefix}clicks" in answer.text, path
            assert other not in answer.text, path
    for path in ("/metrics", "/v1/keys"):
        refused(await service.client.get(path, headers=bearer(keys["team-a."])), 403)


async def test_a_name_may_be_given_by_the_team_whose_it_is(service: Guarded) -> None:
    key = await service.issue("write", prefixes=["team-a.", "shared-"])
    statuses = []
    for name in ("team-a.x", "shared-x", "team-b.x", "team-a", "x"):
        answer = await service.client.put(f"/v1/monitors/{name}", json={}, headers=bearer(key))
        statuses.append(answer.status_code)
    assert statuses == [201, 201, 403, 403, 403]
    assert "begin with team-a. or shared-" in answer.json()["detail"]


def test_two_teams_never_meet() -> None:
    assert tried(examples=6, steps=15) >= 30
