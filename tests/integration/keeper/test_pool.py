"""Following keepers: at once, over one lasting connection each, on one thread, and only the keeper that is pinned."""

import asyncio
import gc
import socket
import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from integration.keeper.following import IDENTITY, KEY, Following, task
from integration.keeper.member import eventually
from statefuldb.adapters.keeper.client import KeeperClient
from statefuldb.adapters.keeper.connection import open_connection, operator_context
from statefuldb.adapters.keeper.listening import Listening
from statefuldb.keeper.certificate import server_context
from statefuldb.model.keeper import KeeperPhase, KeeperStatus
from statefuldb.reconcile.ports import EffectFailed


def test_a_change_is_heard_of_on_the_same_connection(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None and view.status.phase is KeeperPhase.CHECKING)
    eventually(lambda: len(following.enqueued) == 1)
    keeper.state.update(phase=KeeperPhase.STARTING)
    following.sees(1, lambda view: view.status.phase is KeeperPhase.STARTING)
    eventually(lambda: len(following.enqueued) == 2)
    keeper.state.update(phase=KeeperPhase.RUNNING)
    following.sees(1, lambda view: view.status.phase is KeeperPhase.RUNNING)
    eventually(lambda: len(following.enqueued) == 3)
    assert keeper.connections == 1


def test_fifty_keepers_take_no_thread_each(following: Following) -> None:
    keepers = [following.serve(number) for number in range(1, 51)]
    before = {thread.name for thread in threading.enumerate() if not thread.name.startswith("Thread-")}
    for number, keeper in enumerate(keepers, 1):
        following.watch(number, keeper)
    for number in range(1, 51):
        following.sees(number, lambda view: view.status is not None)
    after = {thread.name for thread in threading.enumerate() if not thread.name.startswith("Thread-")}
    assert len(after - before) <= 8, after - before


def test_a_connection_that_waits_keeps_no_error_behind(following: Following, tmp_path: Path) -> None:
    keeper = following.serve(1)
    context = operator_context(tmp_path / "identity.pem")

    async def wait() -> list[object]:
        port = keeper.server_address[1]
        connection = await open_connection(
            "127.0.0.1", port, context=context, pinned_pem=keeper.certificate, listening=Listening()
        )
        waiting = asyncio.create_task(connection.get("/v1/status?after=1&timeout_seconds=60", timeout_seconds=60))
        assert await asyncio.to_thread(keeper.state.waited_for.wait, 20)
        kept: list[object] = [each for each in gc.get_objects() if isinstance(each, ssl.SSLWantReadError)]
        keeper.state.update(phase=KeeperPhase.RUNNING)
        assert KeeperStatus.from_json(await waiting).phase is KeeperPhase.RUNNING
        connection.close()
        return kept

    assert asyncio.run(wait()) == []


def test_a_keeper_gives_no_ticket_to_come_back_with(following: Following, tmp_path: Path) -> None:
    keeper = following.serve(1)
    context = operator_context(tmp_path / "identity.pem")
    address = ("127.0.0.1", keeper.server_address[1])
    with socket.create_connection(address) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"GET /v1/status HTTP/1.0\r\n\r\n")
        while tls.recv(4096):
            pass
        assert tls.session is not None
        assert not tls.session.has_ticket


def test_an_impostor_is_sent_nothing_and_the_keeper_is_found_again(following: Following) -> None:
    impostor = following.serve(2)
    following.certificates[task(1)] = server_context(str(task(1)), IDENTITY.ca_pem)[1]
    following.watch(1, impostor)
    following.sees(1, lambda view: "another certificate" in view.error)
    with pytest.raises(EffectFailed):
        following.pool.send_credentials(task(1), revision="r", username="u", password="p", database="d")
    assert impostor.told == []
    port = impostor.server_address[1]
    impostor.shutdown()
    impostor.server_close()
    following.serve(1, port)
    following.sees(1, lambda view: view.status is not None and view.status.task_id == str(task(1)))


def test_where_a_keeper_has_seen_a_higher_epoch_they_are_sent_once_more_above_it(following: Following) -> None:
    keeper = following.serve(1)
    keeper.seen = 7
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    following.pool.send_credentials(task(1), revision="r7", username="u", password="p", database="d")
    assert [body["epoch"] for body in keeper.told] == [3, 8]
    following.sees(1, lambda view: view.status.credentials_revision == "r7")


def test_credentials_are_sent_with_the_epoch_and_the_answer_is_seen(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    following.pool.send_credentials(task(1), revision="r7", username="u", password="p", database="d")
    assert keeper.told[0]["epoch"] == 3
    following.sees(1, lambda view: view.status.credentials_revision == "r7")


def test_who_is_not_followed_any_more_is_not_spoken_to(following: Following) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    following.pool.unwatch(task(1))
    assert following.pool.view(task(1)) is None
    eventually(lambda: len(following.enqueued) == 1)
    keeper.state.update(phase=KeeperPhase.RUNNING)
    other = following.serve(2)
    following.watch(2, other)
    following.sees(2, lambda view: view.status is not None)
    eventually(lambda: len(following.enqueued) == 2)


def test_a_pool_that_is_closed_leaves_nothing_unfinished(following: Following) -> None:
    keepers = [following.serve(number) for number in (1, 2)]
    for number, keeper in enumerate(keepers, 1):
        following.watch(number, keeper)
        following.sees(number, lambda view: view.status is not None)
    following.pool.watch(KEY, task(3), keepers[0].launch)  # has no certificate, and is tried again
    following.sees(3, lambda view: "no certificate yet" in view.error)
    following.pool.close()
    tasks = [each for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done()]
    assert not [each for each in tasks if "KeeperPool._follow" in repr(each)]


def test_a_keeper_is_followed_on_whatever_goes_wrong(following: Following) -> None:
    keeper = following.serve(1)
    following.mistakes.append(RuntimeError("nobody thought of that"))
    following.watch(1, keeper)
    following.sees(1, lambda view: "RuntimeError" in view.error)
    following.sees(1, lambda view: view.status is not None)


def test_a_keeper_that_does_not_answer_in_time_is_said_to(following: Following) -> None:
    following.mistakes = [TimeoutError() for _ in range(100)]
    following.watch(1, following.serve(1))
    following.sees(1, lambda view: view.error.endswith(": no answer in time"))


def test_an_answer_that_comes_late_does_not_end_the_silence_that_came_after_it(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = following.serve(1)
    following.watch(1, keeper)
    following.sees(1, lambda view: view.status is not None)
    asked, may_return = threading.Event(), threading.Event()
    ask = KeeperClient.status

    def held_up(client: KeeperClient) -> KeeperStatus:
        status = ask(client)
        asked.set()
        assert may_return.wait(60)
        return status

    monkeypatch.setattr(KeeperClient, "status", held_up)
    account = {"revision": "r7", "username": "u", "password": "p", "database": "d"}
    sending = threading.Thread(target=following.pool.send_credentials, args=(task(1),), kwargs=account)
    sending.start()
    try:
        assert asked.wait(60)
        keeper.state.update(phase=KeeperPhase.RUNNING)
        following.sees(1, lambda view: view.status.phase is KeeperPhase.RUNNING)
        keeper.state.update(task_id=str(task(2)))
        following.sees(1, lambda view: view.status is None)
    finally:
        may_return.set()
        sending.join()
    view = following.pool.view(task(1))
    assert view is not None
    assert view.status is None


def test_a_keeper_that_was_launched_under_a_clock_that_was_ahead_is_tried_ever_more_rarely(
    following: Following,
) -> None:
    keeper = following.serve(1)
    following.mistakes = [TimeoutError() for _ in range(100)]
    following.pool.watch(KEY, task(1), replace(keeper.launch, at_seconds=time.time() + 3_600.0))
    time.sleep(2.0)
    assert 100 - len(following.mistakes) <= 5
