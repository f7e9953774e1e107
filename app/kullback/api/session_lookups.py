"""Look-ups of sessions, on threads of their own: cookies that are none hold up nothing else."""

from collections import OrderedDict

from kullback.access.sessions import Session, Sessions, is_token, name_of
from kullback.api.workers import WorkerPool

THREADS = 2
QUEUE = 64
MOST_RECENT = 10_000


class SessionLookups:
    """Begins, finds and ends sessions, and remembers which were valid."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._pool = WorkerPool(THREADS, QUEUE, "session")
        self._recent = OrderedDict[str, None]()

    def close(self) -> None:
        """Look nothing up any more."""
        self._pool.close()

    def was_valid(self, token: str) -> bool:
        """Whether a token was that of a session not long ago: then nobody has made it up."""
        return name_of(token) in self._recent

    async def begin(self, key: str, salt: str, before: str | None) -> str:
        """The token of a new session, in the place of the one that a browser had before.

        Raises:
            StoreUnavailable: it cannot be kept.
            Overloaded: too many are looked up.
        """

        def work() -> str:
            if before is not None and is_token(before):
                self._sessions.end(before)
            return self._sessions.begin(key, salt)

        token = await self._pool.run(work)
        self._remember(token)
        return token

    async def find(self, token: str) -> Session | None:
        """The session of a token, while it lasts; what looks like none is not looked up.

        Raises:
            StoreUnavailable: the store cannot be read.
            Overloaded: too many are looked up.
        """
        if not is_token(token):
            return None
        session = await self._pool.run(lambda: self._sessions.find(token))
        if session is not None:
            self._remember(token)
        return session

    async def end(self, token: str) -> None:
        """Let a token open nothing any more.

        Raises:
            StoreUnavailable: that cannot be written.
            Overloaded: too many are looked up.
        """
        await self._pool.run(lambda: self._sessions.end(token))

    def _remember(self, token: str) -> None:
        name = name_of(token)
        self._recent[name] = None
        self._recent.move_to_end(name)
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)
