"""Never two leaders, whatever clocks, stalls, lost answers and people who delete the Lease do."""

import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterator

import kubernetes
import pytest
from urllib3.exceptions import MaxRetryError

from statefuldb.adapters.kubernetes.connection import FencedClient
from statefuldb.adapters.kubernetes.election import (
    LEASE_SECONDS,
    MISSING_SECONDS,
    PERIOD_SECONDS,
    RENEW_SECONDS,
    Election,
    Record,
)
from statefuldb.reconcile.ports import EffectFailed

NOWHERE = "http://127.0.0.1:1"
ME, OTHER = "operator-a", "operator-b"


def record(holder: str, version: int = 1, duration: float = LEASE_SECONDS) -> Record:
    return Record(holder=holder, version=str(version), duration_seconds=duration)


def leader(at: float = 100.0) -> Election:
    election = Election(ME)
    election.observe(record(""), at)
    election.written(at, at)
    return election


def test_a_lease_that_was_given_back_is_taken_at_once() -> None:
    election = Election(ME)
    assert not election.may_write(100.0)
    election.observe(record(""), 100.0)
    assert election.may_write(100.0)


@pytest.mark.parametrize("seen", [record(OTHER), record(OTHER, duration=0), record(ME)])
def test_any_other_lease_is_taken_only_after_it_was_seen_unchanged_for_its_duration(seen: Record) -> None:
    election = Election(ME)
    election.observe(seen, 100.0)
    election.observe(seen, 100.0 + LEASE_SECONDS - 0.1)
    assert not election.may_write(100.0 + LEASE_SECONDS - 0.1)
    assert election.may_write(100.0 + LEASE_SECONDS)


def test_a_missing_lease_is_left_to_its_leader_and_who_creates_it_waits_as_for_any_other() -> None:
    """No version tells of one that was created and deleted in between: its creator may still lead."""
    election = Election(ME)
    election.observe(None, 100.0)
    assert not election.may_write(100.0 + MISSING_SECONDS - 0.1)
    assert election.may_write(102.0)
    election.written(102.0, 102.1)
    assert not election.leads(102.1)
    election.observe(record(ME), 103.0)
    assert not election.may_write(103.0 + LEASE_SECONDS - 0.1)
    assert election.may_write(109.0)
    election.written(109.0, 109.1)
    assert election.leads(109.1)


def test_a_leader_writes_a_deleted_lease_again_and_goes_on() -> None:
    election = leader(100.0)
    election.observe(None, 101.0)
    assert election.may_write(101.0)
    election.written(101.0, 101.1)
    assert election.seconds_left(101.1) == pytest.approx(RENEW_SECONDS - 0.1)


def test_a_renewal_begins_the_wait_anew() -> None:
    election = Election(ME)
    election.observe(record(OTHER, version=1), 100.0)
    election.observe(record(OTHER, version=2), 105.0)
    assert not election.may_write(110.0)


def test_a_holder_with_a_longer_lease_is_waited_for_as_long_as_it_says() -> None:
    election = Election(ME)
    election.observe(record(OTHER, duration=15), 100.0)
    assert not election.may_write(114.9)
    assert election.may_write(115.0)


def test_leadership_counts_from_when_the_write_was_sent() -> None:
    election = Election(ME)
    election.observe(record(""), 100.0)
    election.written(100.0, 103.0)
    assert election.seconds_left(103.0) == RENEW_SECONDS - 3.0
    assert election.leads(103.9)
    assert election.lost(104.0)


def test_an_answer_that_comes_too_late_makes_no_leader_again() -> None:
    election = leader(100.0)
    election.written(103.0, 104.5)
    assert election.lost(104.5)
    assert not election.may_write(200.0)


def test_a_leader_that_sees_another_holder_is_none_any_more() -> None:
    election = leader(100.0)
    election.observe(record(OTHER), 101.0)
    assert election.lost(101.0)
    assert election.seconds_left(101.0) == 0.0


class Api:
    """Stores one Lease, and refuses a write to anything but the version that was read."""

    def __init__(self) -> None:
        self.stored: Record | None = None
        self._versions = itertools.count(1)

    def write(self, seen: Record | None, holder: str) -> bool:
        if (seen.version if seen else None) != (self.stored.version if self.stored else None):
            return False
        self.stored = record(holder, next(self._versions))
        return True


class Candidate:
    """One operator at its own clock. Each step of `run` ends with how long it takes; then it is where it says."""

    def __init__(self, api: Api, name: str, chance: random.Random) -> None:
        self.election = Election(name)
        self._api, self._chance = api, chance
        self._rate, self._offset = chance.uniform(0.9, 1.1), chance.uniform(-1e6, 1e6)

    def clock(self, now: float) -> float:
        return now * self._rate + self._offset

    def run(self, now: Callable[[], float]) -> Iterator[float]:
        while not self.election.lost(self.clock(now())):
            stored = self._api.stored
            yield self._pause()
            self.election.observe(stored, self.clock(now()))
            yield self._pause()
            if self.election.may_write(self.clock(now())):
                sent = self.clock(now())
                yield self._pause()
                done = self._api.write(stored, self.election.me)
                yield self._pause()
                if done and self._chance.random() > 0.1:  # else the answer is lost
                    self.election.written(sent, self.clock(now()))
            yield PERIOD_SECONDS / self._rate

    def _pause(self) -> float:
        """Mostly a request's time, at times a stall or a stop that outlasts the Lease."""
        kind = self._chance.random()
        return self._chance.uniform(0.0, 0.05) if kind < 0.9 else self._chance.uniform(0.0, 12.0)


# 302023274: a Lease that was deleted while the answer that there is none was on its way.
@pytest.mark.parametrize("seed", [*range(30), 302023274, None], ids=str)
def test_there_are_never_two_leaders(seed: int | None) -> None:
    if seed is None:
        # Another one in each run, taken here: who collects tests side by side finds the same ones.
        seed = random.SystemRandom().randrange(10**9)
    chance, api, time, number = random.Random(seed), Api(), 0.0, itertools.count()
    candidates: list[Candidate] = []
    due: list[tuple[float, int, Iterator[float]]] = []
    led: set[str] = set()

    def join() -> None:
        candidates.append(Candidate(api, f"{len(candidates)}", chance))
        heapq.heappush(due, (time, next(number), candidates[-1].run(lambda: time)))

    for _ in range(3):
        join()
    while time < 600.0:
        time, _, steps = heapq.heappop(due)
        leading = [c.election.me for c in candidates if c.election.leads(c.clock(time))]
        assert len(leading) <= 1, f"{leading} lead at {time}; seed {seed}"
        led.update(leading)
        pause = next(steps, None)
        if pause is None:
            join()  # the process ended, and was started anew under another name
        else:
            heapq.heappush(due, (time + pause, next(number), steps))
        if chance.random() < 0.001:
            api.stored = None
    assert len(led) > 2, f"nobody ever succeeded anybody; seed {seed}"


def test_a_fenced_client_reads_but_does_not_write() -> None:
    leads = threading.Event()
    client = FencedClient(kubernetes.client.Configuration(host=NOWHERE), leads.is_set)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(EffectFailed, match=f"{method} not sent"):
            client.call_api(method, NOWHERE)
    with pytest.raises(MaxRetryError):
        client.call_api("GET", NOWHERE)
    leads.set()
    with pytest.raises(MaxRetryError):
        client.call_api("POST", NOWHERE)
