"""A candidate looks at the Lease each second: it sees that the API was restored where no leader lives to see it."""

import threading
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.lease import Leadership
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.test_events import ABSENT

Json = dict[str, Any]


class Api:
    """Holds one Lease, at the version that the test says; 0 where there is none."""

    def __init__(self) -> None:
        self.version, self.holder, self.writes = 0, "another", 0

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method != "GET":
            self.writes += 1
        if not self.version:
            return ABSENT
        spec = {"holderIdentity": self.holder, "leaseDurationSeconds": 6}
        return 200, {"metadata": {"resourceVersion": str(self.version)}, "spec": spec}


def candidate(api: Api, restored: list[str], failures: int = 0) -> Leadership:
    def on_restored() -> None:
        restored.append("restored")
        if len(restored) <= failures:
            raise EffectFailed("write the framework record: 503")

    client = client_over(api.exchange)
    return Leadership(client, namespace="system", me="me", on_lost=lambda: None, on_restored=on_restored)


@pytest.fixture
def at_once() -> threading.Event:
    """Ends an acquisition after one look."""
    stopping = threading.Event()
    stopping.set()
    return stopping


def test_a_lease_that_went_back_says_that_the_api_was_restored(at_once: threading.Event) -> None:
    """A leader ends 4 s after its last renewal, and no etcd is put back as fast: nobody was left to notice it."""
    api, restored = Api(), list[str]()
    leadership = candidate(api, restored)
    for version in (9, 9, 10, 0, 11):
        api.version = version
        leadership.acquire(at_once)
    assert not restored
    api.version = 10
    leadership.acquire(at_once)
    assert restored == ["restored"]
    for version in (10, 12):
        api.version = version
        leadership.acquire(at_once)
    assert restored == ["restored"], "once"


def test_who_cannot_write_it_down_tries_again_and_does_not_lead_meanwhile(at_once: threading.Event) -> None:
    api, restored = Api(), list[str]()
    leadership = candidate(api, restored, failures=2)
    api.version = 9
    leadership.acquire(at_once)
    api.version, api.holder = 5, ""
    for _ in range(2):
        leadership.acquire(at_once)
        assert not api.writes
    leadership.acquire(at_once)
    assert restored == ["restored"] * 3
    assert api.writes == 1
    leadership.release()
