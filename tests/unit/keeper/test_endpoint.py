"""The keeper's endpoint among strangers: whoever has shown no certificate costs it little, and keeps nobody out."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from statefuldb.adapters.keeper.client import KeeperClient
from statefuldb.adapters.keeper.operator_identity import make_identity
from statefuldb.keeper import endpoint
from statefuldb.keeper.certificate import server_context
from statefuldb.keeper.endpoint import Endpoint
from statefuldb.keeper.state import State

LIMIT = 4


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Endpoint, KeeperClient, State]]:
    monkeypatch.setattr(endpoint, "STRANGERS_LIMIT", LIMIT)
    monkeypatch.setattr(endpoint, "HANDSHAKE_SECONDS", 1.0)
    identity, state = make_identity(), State("sdb.u.0.1")
    (tmp_path / "identity.pem").write_text(identity.client_pem)
    context, certificate = server_context("sdb.u.0.1", identity.ca_pem)
    one = Endpoint(("127.0.0.1", 0), context=context, state=state, commands={})
    one.start()
    client = KeeperClient(
        address="127.0.0.1", port=one.server_port, pinned_pem=certificate, identity=tmp_path / "identity.pem"
    )
    yield one, client, state
    one.shutdown()
    one.server_close()


def test_strangers_that_say_nothing_are_few_and_soon_gone(served: tuple[Endpoint, KeeperClient, State]) -> None:
    """Each had a thread for 45 s, however many came: a task has 64 MiB beside its server, which is killed for more."""
    one, client, state = served
    waiting: list[str] = []
    listener = threading.Thread(target=lambda: waiting.append(client.status(after=1).reason))
    listener.start()
    time.sleep(0.3)
    before = threading.active_count()
    strangers = [socket.create_connection(("127.0.0.1", one.server_port)) for _ in range(10 * LIMIT)]
    time.sleep(0.3)
    assert threading.active_count() - before <= LIMIT
    state.update(reason="whoever is let in goes on to be served")
    listener.join(10)
    assert waiting == ["whoever is let in goes on to be served"]
    time.sleep(1.0)
    assert client.status().revision == 2, "and lets others in again, though none of the strangers has left"
    for stranger in strangers:
        stranger.close()


def test_threads_that_cannot_be_started_cost_nobody_a_place(
    served: tuple[Endpoint, KeeperClient, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task may have a limit of threads; after as many failures as there are places, nobody was let in any more."""
    one, client, _ = served

    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as none_left:
        none_left.setattr(threading.Thread, "start", start)
        for _ in range(2 * LIMIT):
            with socket.create_connection(("127.0.0.1", one.server_port)) as refused:
                assert refused.recv(1) == b""
    assert client.status().task_id == "sdb.u.0.1"


def test_no_name_service_is_asked_where_a_keeper_listens(
    served: tuple[Endpoint, KeeperClient, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is away holds whoever asks it up for half a minute, and every database that has to start meanwhile."""
    one, _, state = served
    asked: list[str] = []
    monkeypatch.setattr(socket, "getfqdn", asked.append)
    monkeypatch.setattr(socket, "gethostbyaddr", asked.append)
    Endpoint(("127.0.0.1", 0), context=one.context, state=state, commands={}).server_close()
    assert asked == []
