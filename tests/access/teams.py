"""Two teams on one service, that do anything to any name, again and again."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import hypothesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from kullback.settings import Settings
from tests.access.service import Guarded, bearer, guarded
from tests.api.test_every_operation import READS, STEPS, filled

NAMED = ("/v1/monitors/{name}", "/v1/experiments/{name}")
TEAMS = ("team-a.", "team-b.")
SHOWN = 100  # steps between two looks at how far it is


class TwoTeams(RuleBasedStateMachine):
    """Both do anything to any name; each is answered as if the other were not there."""

    portal: ClassVar[BlockingPortal]
    told: ClassVar[Callable[[int], None]]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self._directory = TemporaryDirectory()
        settings = Settings(database_url=f"sqlite:///{self._directory.name}/kullback.db")
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
        self.counted()
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
        self.counted()
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

    def counted(self) -> None:
        kind = type(self)
        kind.steps += 1
        if kind.steps % SHOWN == 0:
            kind.told(kind.steps)

    def teardown(self) -> None:
        self.portal.call(self._stack.aclose)
        self._directory.cleanup()


def tried(
    examples: int, steps: int, seed: int | None = None, told: Callable[[int], None] = lambda _: None
) -> int:
    """Let two teams do what they like, so many times; how many steps that were.

    Without a seed it is the same each time.
    """
    limits = profile(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with start_blocking_portal() as portal:
        own = {"portal": portal, "told": staticmethod(told), "steps": 0}
        machine: Any = type("Machine", (TwoTeams,), own)
        if seed is not None:
            machine = hypothesis.seed(seed)(machine)
        run_state_machine_as_test(machine, settings=limits)
        done: int = machine.steps
        return done
