"""Reading the certificates of keepers, through agents of which some may take long to say nothing.

Each agent is asked one thing at a time, so that one that hangs holds up the keepers that it has and no others.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from statefuldb.model.identity import TaskId
from statefuldb.model.volume import Launch
from statefuldb.reconcile.ports import NotAnswered

FETCHERS = 8
SOON_SECONDS = 5.0
AT_LAST_SECONDS = 60.0
SHARE = 10

FetchCertificate = Callable[[TaskId, Launch], str]


class _Agent:
    """One agent that is asked, and how often it has not answered; kept while anybody waits for it."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.failures = 0
        self.error = ""


class Certificates:
    """Asks on threads of its own. `fetch` brings a certificate (PEM) from a sandbox and raises EffectFailed."""

    def __init__(self, fetch: FetchCertificate) -> None:
        self._fetch = fetch
        self._fetchers = ThreadPoolExecutor(FETCHERS, thread_name_prefix="certificates")
        self._agents: WeakValueDictionary[str, _Agent] = WeakValueDictionary()

    async def of(self, task_id: TaskId, launch: Launch) -> str:
        """Return a keeper's certificate. Raises EffectFailed: one agent's silence is told to all who wait for it."""
        agent = self._agents.setdefault(launch.agent.id, _Agent())
        failures = agent.failures
        async with agent.turn:
            if agent.failures > failures:
                raise NotAnswered(agent.error)
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._fetchers, self._fetch, task_id, launch)
            except NotAnswered as silent:
                agent.failures += 1
                agent.error = str(silent)
                raise

    def close(self) -> None:
        """Ask no more."""
        self._fetchers.shutdown(wait=False, cancel_futures=True)


def longest_pause_seconds(age_seconds: float) -> float:
    """Return after how long at most a certificate is asked for again, of a keeper that was launched so long ago.

    One that was just launched is about to have one; of others it is mostly the agent that does not answer.
    """
    return min(AT_LAST_SECONDS, max(SOON_SECONDS, age_seconds / SHARE))
