"""Every exchange recorded from a real kube-apiserver 1.36.2 (recorded/semantics.txt), sent to the server under test.

Answers may differ in what recorded/allowed.py names, with a reason each, and in nothing else.
"""

import sys
from collections.abc import Iterator

import pytest

from conformance.kubernetes.recorded import defining, reading, surroundings, writing
from conformance.kubernetes.recorded.allowed import ALLOWED, OF_OTHERS
from conformance.kubernetes.recorded.replaying import Replay
from conformance.kubernetes.recorded.subjects import GROUP, definition
from conformance.kubernetes.server import Api, Embedded, eventually
from conformance.kubernetes.things import DEFINITIONS

_NAMESPACES = "/api/v1/namespaces"


@pytest.fixture(scope="module")
def replay(api: Api, embedded: Embedded | None) -> Iterator[Replay]:
    made = api.call("POST", DEFINITIONS, definition())
    assert made[0] == 201, made
    api.made(_NAMESPACES, {"metadata": {"name": "semtest"}})
    # Discovery is the last to know of a kind.
    eventually(lambda: api.call("GET", GROUP)[0] == 200)
    eventually(lambda: api.call("GET", f"{GROUP}/statefuldatabases")[0] == 200)
    yield Replay(api, ALLOWED if embedded is not None else (*ALLOWED, *OF_OTHERS))
    for path in (f"{_NAMESPACES}/semtest", f"{_NAMESPACES}/semdel", f"{DEFINITIONS}/statefuldatabases.example.dev"):
        api.call("DELETE", path)


def test_every_recorded_exchange(replay: Replay, embedded: Embedded | None, capsys: pytest.CaptureFixture[str]) -> None:
    surroundings.discovery(replay)
    surroundings.auth(replay)
    writing.create(replay)
    writing.generation(replay)
    writing.conflicts(replay)
    writing.deletion(replay)
    reading.watching(replay)
    held = replay.hold()
    reading.listing(replay)
    replay.resume(held)
    reading.watching_by_other_paths(replay)
    writing.apply(replay)
    defining.definitions(replay)
    surroundings.core(replay)
    replay.finish()
    with capsys.disabled():
        sys.stdout.write(f"\n{replay.entries_compared} recorded exchanges, {replay.comparison.assertions} assertions\n")
    assert not replay.unexpected, "\n".join(replay.unexpected)
    assert embedded is None or not replay.unused, f"no longer different: {replay.unused}"
