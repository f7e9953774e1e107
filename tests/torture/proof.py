"""The proof: servers are killed under load, then all rows are counted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from random import Random
from time import monotonic, sleep

from tests.torture import arms, audit
from tests.torture.audit import CLIENT, Answer, Difference
from tests.torture.clients import Clients, Ledger, send
from tests.torture.names import RENAMED, Names, Renamer
from tests.torture.pages import WINDOW_SECONDS, Page, added
from tests.torture.replicas import Replica, Target
from tests.torture.streams import SETTINGS
from tests.torture.supply import Supply

ANSWERS = 40
TRIED_AGAIN = 50
ALL_AT_ONCE = 0.25
WHILE_STARTING = 0.1
DEFAULT_SECONDS = 120.0  # until every default counts that is due
Place = tuple[str, int, int]
Disasters = Mapping[int, Callable[[], None]]


@dataclass(slots=True)
class Figures:
    """What came of it."""

    seed: int
    kills: int = 0
    faults: int = 0
    renames: int = 0
    removals: int = 0
    requests: int = 0
    rows: int = 0
    replayed: int = 0
    conflicts: int = 0
    unavailable: int = 0
    retries: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.10g}" for name, value in asdict(self).items())


class Proof:
    """Servers, what was sent to them, and what was found wrong."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        supply: Supply,
        seed: int,
        targets: Sequence[Target] | None = None,
    ) -> None:
        self.figures = Figures(seed)
        self.wrong: list[str] = []
        self.ledger = Ledger()
        self._replicas = replicas
        self._targets = targets or replicas
        self._names = Names()
        self._renamer: Renamer | None = None
        self._supply = supply
        self._rng = Random(seed)  # noqa: S311 - chance that can be repeated
        self._lost: set[Place] = set()
        self._doubled: set[Place] = set()
        self._open: list[Page] = []
        self._begun = 0
        self._began = monotonic()

    def set_up(self, monitor: str, window_seconds: int = WINDOW_SECONDS) -> None:
        """Create a monitor that is sliced by page."""
        wanted = {"slices": ["page"], "window_seconds": window_seconds}
        self._put(f"monitors/{monitor}", {**wanted, **SETTINGS.get(monitor, {})})
        if monitor in RENAMED:
            self._renamer = Renamer(self._targets, Random(self.figures.seed))  # noqa: S311 - chance that can be repeated

    def set_up_experiment(self, experiment: str) -> None:
        """Create an experiment that is sliced by page."""
        plan = asdict(arms.PLANS[experiment])
        del plan["outcome"]  # it is of another metric
        self._put(f"experiments/{experiment}", plan)

    @contextmanager
    def load(self) -> Iterator[Callable[[int], None]]:
        """Clients at work, and how to wait for so many answers; in the end they have them all."""
        sent = (self._targets, self._supply, self.ledger, self._names, self._rng)
        renaming = nullcontext() if self._renamer is None else self._renamer.at_work()
        with renaming, Clients(*sent) as clients:
            yield lambda answers: self.ledger.wait_for(answers, clients.check)

    def kill(
        self,
        times: int,
        told: Callable[[Figures], None],
        disasters: Disasters,
        answers: int = ANSWERS,
    ) -> None:
        """Kill servers under load so many times; each time, look for all that was answered.

        Before each kill come up to so many answers.

        A disaster happens, once, as soon as so many kills have.
        """
        left = sorted(disasters)
        with self.load() as wait_for:
            while self.figures.kills < times:
                wait_for(self._rng.randrange(1, answers))
                sleep(self._rng.uniform(0.0, 0.1))
                self._kill()
                if left and left[0] <= self.figures.kills:
                    disasters[left.pop(0)]()
                    wait_for(1)
                self.look()
                told(self.count())

    def kill_one(self, victim: Replica) -> None:
        """Kill one server."""
        victim.end()
        self.figures.kills += 1

    def look(self, *, is_over: bool = False) -> None:
        """Find all that was answered, and nothing twice; what is by default once all is over."""
        begun = len(self._supply.pages)
        self._open += self._supply.pages[self._begun : begun]
        self._begun = begun
        answered = self.ledger.names()
        left = list[Page]()
        for monitor, pages in _by_monitor(self._open):
            found = self._weights(monitor, pages)
            for page in pages:
                _, weight, _, rate = found.get(page.number, (0, 0.0, None, None))
                self._compare(page, weight, page.due(answered, is_over=is_over))
                settled = page.settled(answered, is_over=is_over)
                self._compare_labels(page, weight * (rate or 0.0), settled)
                left += [] if page.is_done(answered) else [page]
        self._open = left

    def finish(self) -> Figures:
        """Compare all there is with all that was sent, now that every request was answered.

        Raises:
            AssertionError: something was lost, was doubled, or is not the same to the bit.
        """
        self._wait_for_defaults()
        self._send_again()
        self._open, self._begun = [], 0
        self.look(is_over=True)
        for monitor, pages in _by_monitor(self._supply.pages):
            for what, found, wanted in self._differences(monitor, pages):
                self._expect(f"{monitor}, {what}", found, wanted)
        self._expect("answers that say something else", list(self._said_otherwise()), [])
        self._expect("requests done twice", self.ledger.twice(), [])
        self._expect("requests answered differently", sorted(self.ledger.changed), [])
        self._expect("errors logged", [line for one in self._replicas for line in one.errors], [])
        figures = self.count()
        is_exact = figures.lost == figures.doubled == 0 and not self.wrong
        assert is_exact, "\n".join([f"NOT EXACTLY ONCE: {figures}", *self.wrong[:20]])
        return figures

    def count(self) -> Figures:
        """The figures by now."""
        counted, figures = self.ledger.counted, self.figures
        figures.requests = len(self.ledger.names())
        figures.rows = sum(len(rows) for page in self._supply.pages for rows in page.rows.values())
        figures.replayed, figures.retries = counted["replayed"], counted["retries"]
        figures.conflicts, figures.unavailable = counted["409"], counted["503"]
        figures.renames = 0 if self._renamer is None else self._renamer.times
        figures.removals = sum(
            page.removed and page.is_done(self.ledger.answers) for page in self._supply.pages
        )
        figures.lost, figures.doubled = len(self._lost), len(self._doubled)
        figures.seconds = monotonic() - self._began
        return figures

    def _kill(self) -> None:
        rng = self._rng
        victims = (
            list(self._replicas) if rng.random() < ALL_AT_ONCE else [rng.choice(self._replicas)]
        )
        for victim in victims:
            self.kill_one(victim)
        for victim in victims:
            victim.start()
            if rng.random() < WHILE_STARTING:
                sleep(rng.uniform(0.0, 0.5))
                self.kill_one(victim)
                victim.start()
        for victim in victims:
            victim.wait_until_it_listens()

    def _put(self, path: str, wanted: Mapping[str, object]) -> None:
        address = f"{self._replicas[0].address}/v1/{path}"
        CLIENT.put(address, json=wanted).raise_for_status()

    def _weights(self, name: str, pages: Sequence[Page]) -> Mapping[int, audit.Numbers]:
        address = self._rng.choice(self._replicas).address
        if name in arms.PLANS:
            return arms.Reader(address, name).report(pages).pages()
        return audit.Reader(address, name, self._names).report(pages).pages()

    def _differences(self, name: str, pages: Sequence[Page]) -> Iterator[Difference]:
        address = self._rng.choice(self._replicas).address
        if name in arms.PLANS:
            return arms.differences(arms.Reader(address, name), name, pages)
        return audit.differences(audit.Reader(address, name, self._names), pages)

    def _compare(self, page: Page, weight: float, due: set[int]) -> None:
        if not weight.is_integer():
            self.wrong.append(f"{page.monitor}, page {page.number}: a torn batch, {weight}")
        if page.removed and page.is_done(self.ledger.names()) and weight:
            self.wrong.append(f"{page.monitor}, page {page.number}: removed, and there: {weight}")
        for place, times in enumerate(added(weight)):
            where = (page.monitor, page.number, place)
            if times == 0 and place in due:
                self._lost.add(where)
            if times > 1:
                self._doubled.add(where)

    def _compare_labels(self, page: Page, positive: float, settled: Mapping[int, int]) -> None:
        """What was the last word about a label holds: rows of 1 have their weight among these."""
        ones = added(round(positive))
        self._lost |= {
            (page.monitor, page.number, place)
            for place, label in settled.items()
            if ones[place] != label
        }

    def _said_otherwise(self) -> Iterator[str]:
        """Jobs whose answer does not say which rows count and which do not."""
        for job in (job for page in self._supply.pages for job in page.jobs):
            if job.said is None:  # it is of an experiment
                continue
            answer = Answer.model_validate_json(self.ledger.answers[job.name])
            if not answer.says(job.said):
                yield f"{job.name}: {answer!r}, where {job.said!r} is expected"

    def _wait_for_defaults(self) -> None:
        """Wait until no prediction waits for a label that never comes."""
        until = monotonic() + DEFAULT_SECONDS
        for monitor in {page.monitor for page in self._supply.pages if page.by_default}:
            reader = audit.Reader(self._replicas[0].address, monitor, self._names)
            while reader.waiting():
                assert monotonic() < until, f"{monitor} still waits: {reader.counts()}"
                sleep(0.1)

    def _send_again(self) -> None:
        """Send some of what was answered once more: each must be a replay, if it is not removed."""
        jobs = [
            job
            for page in self._supply.pages
            for job in page.jobs
            if job.is_keyed and not (page.removed and job.digits)
        ]
        before = self.ledger.counted["replayed"]
        some = self._rng.sample(jobs, min(TRIED_AGAIN, len(jobs)))
        for job in some:
            target = self._rng.choice(self._replicas)
            self.ledger.answered(job, send(CLIENT, target, job, self._names).raise_for_status())
        self._expect("replays", self.ledger.counted["replayed"] - before, len(some))

    def _expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.wrong.append(f"{what}: {found!r}, where {wanted!r} is expected")


def _by_monitor(pages: Sequence[Page]) -> Iterator[tuple[str, list[Page]]]:
    for monitor in sorted({page.monitor for page in pages}):
        yield monitor, [page for page in pages if page.monitor == monitor]
