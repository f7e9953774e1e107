"""Two teams on one service: whatever each does, nothing of the other's is seen or changed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from kullback.api.authorization import AuthorizedRoute
from kullback.settings import Settings
from tests.access.service import Guarded, bearer, guarded
from tests.api.test_every_operation import READS, STEPS, filled
from tests.experiments.service import PAIRED, TWO
from tests.monitoring.service import refused

pytestmark = pytest.mark.anyio

NAMED = ("/v1/monitors/{name}", "/v1/experiments/{name}")
TEAMS = ("team-a.", "team-b.")
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
            assert [each.status_code for each in answers] == 2 * [403 if creates else 404]
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


class TwoTeams(RuleBasedStateMachine):
    """Both do anything to any name; each is answered as if the other were not there."""

    portal: BlockingPortal
    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self._directory = TemporaryDirectory()
        url = f"sqlite:///{self._directory.name}/kullback.db"
        settings = self.settings.model_copy(update={"database_url": url})
        self.service: Guarded = self.portal.call(self._stack.enter_async_context, guarded(settings))
        self.keys: dict[str, str] = {}
        self.there: set[tuple[str, str]] = set()

    @initialize()
    def both_have_keys(self) -> None:
        async def issue() -> None:
            for prefix in TEAMS:
                self.keys[prefix] = await self.service.issue(prefixes=[prefix])

        self.portal.call(issue)

    @rule(
        team=st.sampled_from(TEAMS),
        owner=st.sampled_from(TEAMS),
        step=st.sampled_from([step for step in STEPS if "{name}" in step[1]]),
        once=st.sampled_from(["", "key-1", "key-2"]),
    )
    def do(self, team: str, owner: str, step: tuple[str, str, Any], once: str) -> None:
        method, template, body = step
        if template.startswith("/playground"):
            return
        kind = template.removeprefix("/v1").split("/")[1]
        path = template.replace("{name}", f"{owner}clicks")
        headers = {**bearer(self.keys[team])} | ({"idempotency-key": once} if once else {})
        before = self.seen(owner)
        answer = self.portal.call(
            lambda: self.service.client.request(method, path, json=body, headers=headers)
        )
        if team != owner:
            assert answer.status_code in {403, 404}
            assert self.seen(owner) == before
        elif answer.is_success and template in NAMED and method in {"PUT", "DELETE"}:
            change = self.there.add if method == "PUT" else self.there.discard
            change((kind, owner))
        assert answer.status_code < 500
        self.nothing_of_the_other(team, answer.text)

    @rule(team=st.sampled_from(TEAMS), path=st.sampled_from(READS))
    def look(self, team: str, path: str) -> None:
        headers = bearer(self.keys[team])
        answer = self.portal.call(lambda: self.service.client.get(filled(path), headers=headers))
        self.nothing_of_the_other(team, answer.text)
        if path in {"/v1/monitors", "/v1/experiments"}:
            kind = path.rpartition("/")[2]
            names = {each["name"] for each in answer.json()[kind]}
            assert names == ({f"{team}clicks"} if (kind, team) in self.there else set())

    def seen(self, team: str) -> list[bytes]:
        """All that a team can see of its own."""
        paths = [f"/v1/{kind}/{team}clicks" for kind in ("monitors", "experiments")]

        async def read() -> list[bytes]:
            headers = {**bearer(self.keys[team]), "x-request-id": "one"}
            places = [*paths, *(f"{path}/report" for path in paths)]
            answers = [await self.service.client.get(place, headers=headers) for place in places]
            return [answer.content for answer in answers]

        return self.portal.call(read)

    def nothing_of_the_other(self, team: str, text: str) -> None:
        (other,) = set(TEAMS) - {team}
        assert f"{other}clicks" not in text.replace(f"named {other}clicks", "")

    def teardown(self) -> None:
        self.portal.call(self._stack.aclose)
        self._directory.cleanup()


def tried(settings: Settings, examples: int, steps: int) -> None:
    """Let two teams do what they like, so many times."""
    with start_blocking_portal() as portal:
        machine = type("Machine", (TwoTeams,), {"portal": portal, "settings": settings})
        limits = profile(profile.default, max_examples=examples, stateful_step_count=steps)
        run_state_machine_as_test(machine, settings=limits)


def test_two_teams_never_meet(settings: Settings) -> None:
    tried(settings, examples=6, steps=15)
