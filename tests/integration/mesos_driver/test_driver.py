"""What bare pymesos does wrong, and the driver must not: each test is one defect of its list, seen over HTTP."""

import logging
import threading
import time

import pytest

from integration.mesos_driver.conftest import INFO, Setup
from integration.mesos_driver.scripted_master import Stream
from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import Event
from statefuldb.adapters.mesos.guard import UnsafeRequest


def stay(stream: Stream) -> None:
    stream.subscribed()
    stream.say({"type": "OFFERS", "offers": {"offers": []}})
    stream.ended.wait(20)


def test_a_failing_consumer_neither_ends_the_driver_nor_tears_down(setup: Setup) -> None:
    seen = threading.Event()

    def clumsy(event: Event) -> None:
        if event["type"] == "OFFERS":
            seen.set()
        raise ValueError("a defect of the consumer")

    master = setup.master(stay)
    driver = setup.driver(master.address, clumsy)
    assert seen.wait(10)
    driver.reviveOffers(["r"])
    master.wait_for("REVIVE")
    assert "TEARDOWN" not in master.kinds()


@pytest.mark.parametrize("end", ["stop", "abort"])
def test_leaving_sends_nothing(setup: Setup, end: str) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    getattr(driver, end)()
    for thread in driver._threads:
        thread.join(5)
    assert master.kinds() == ["SUBSCRIBE"]


def test_teardown_leaves_only_when_asked_for(setup: Setup) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    driver.teardown()
    assert master.wait_for("TEARDOWN")["framework_id"] == {"value": "framework-1"}


@pytest.mark.parametrize("status", [503, 200])
def test_there_is_no_reconnect_storm(setup: Setup, status: int) -> None:
    def refuse(stream: Stream) -> None:
        stream.begin(status)

    master = setup.master(refuse)
    setup.driver(master.address)
    threading.Event().wait(3)
    assert 2 <= len(master.subscriptions) <= 10


@pytest.mark.parametrize(("error", "deposed"), [("Framework has been removed", 0), ("Framework failed over", 1)])
def test_an_error_event_ends_the_client(setup: Setup, error: str, deposed: int) -> None:
    def refuse(stream: Stream) -> None:
        stream.begin()
        stream.say({"type": "ERROR", "error": {"message": error}})

    master = setup.master(refuse)
    depositions: list[str] = []
    setup.driver(master.address, on_deposed=lambda: depositions.append(setup.states[-1].error))
    threading.Event().wait(2)
    assert len(master.subscriptions) == 1
    assert setup.states[-1].fatal
    assert setup.states[-1].error == error
    assert depositions == [error] * deposed


def test_a_client_that_gives_way_subscribes_no_more(setup: Setup) -> None:
    gone = threading.Event()
    master = setup.master(lambda stream: stream.subscribed())
    driver = setup.driver(master.address, on_deposed=gone.set)
    setup.connected()
    driver.give_way("another operator has begun")
    assert gone.wait(10)
    assert (setup.states[-1].fatal, setup.states[-1].error) == (True, "another operator has begun")
    assert not driver.connected
    assert len(master.subscriptions) == 1


def test_a_silent_master_is_left_and_subscribed_to_again(setup: Setup) -> None:
    def hush(stream: Stream) -> None:
        stream.subscribed(heartbeat=0.2)
        stream.ended.wait(20)

    master = setup.master(hush)
    setup.driver(master.address)
    deadline = time.monotonic() + 10
    while len(master.subscriptions) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = [body for body, _ in master.calls if body["type"] == "SUBSCRIBE"][1]
    assert again["subscribe"]["framework_info"]["id"] == {"value": "framework-1"}


def test_a_redirect_names_the_leader(setup: Setup) -> None:
    leader = setup.master(stay)
    other = setup.master(lambda stream: stream.begin(307, Location=f"//{leader.address}/api/v1/scheduler"))
    driver = setup.driver(other.address)
    setup.connected()
    driver.suppressOffers(["r"])
    leader.wait_for("SUPPRESS")


def test_what_goes_out_is_what_was_meant(setup: Setup) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    driver.kill("t1", "a1", 60)
    kill = master.wait_for("KILL")["kill"]
    assert kill["agent_id"] == {"value": "a1"}
    assert kill["kill_policy"]["grace_period"]["nanoseconds"] == 60 * 10**9
    driver.reconcile({"t1": "a1"})
    assert master.wait_for("RECONCILE")["reconcile"]["tasks"][0]["agent_id"] == {"value": "a1"}
    status = {"operation_id": {"value": "o"}, "uuid": {"value": "dXVpZA=="}, "agent_id": {"value": "a1"}}
    driver.acknowledge_operation(status)
    body = master.wait_for("ACKNOWLEDGE_OPERATION_STATUS")["acknowledge_operation_status"]
    assert body["uuid"] == "dXVpZA=="
    subscribe = master.calls[0][0]["subscribe"]["framework_info"]
    assert "capabilities" not in subscribe, "GPU_RESOURCES must not be added"
    assert subscribe["failover_timeout"] == INFO["failover_timeout"]


def test_two_drivers_share_no_headers(setup: Setup) -> None:
    first, second = setup.master(stay), setup.master(stay)
    one = setup.driver(first.address, credentials=("p1", "secret-one"))
    setup.connected()
    setup.states.clear()
    two = setup.driver(second.address)
    setup.connected()
    one.reviveOffers([])
    two.reviveOffers([])
    first.wait_for("REVIVE")
    second.wait_for("REVIVE")
    assert all("Authorization" not in headers for _, headers in second.calls)


def test_a_refused_call_is_an_error_that_tells_no_secret(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    master = setup.master(stay)
    driver = setup.driver(master.address, credentials=("p", "hush-hush"))
    setup.connected()
    master.status = 400
    with pytest.raises(CallFailed) as caught:
        driver.acceptOffers([{"value": "o"}], [{"type": "LAUNCH", "launch": {"task_infos": [{"env": "hush-hush"}]}}])
    assert "hush-hush" not in str(caught.value) + caplog.text


def test_calls_that_would_crash_mesos_never_leave(setup: Setup) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    zero = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0}}
    twice = [{"task_id": {"value": "t"}}, {"task_id": {"value": "t"}}]
    for operation in (
        {"type": "RESERVE", "reserve": {"resources": [zero]}},
        {"type": "CREATE", "create": {"volumes": [zero]}},
        {"type": "LAUNCH", "id": {"value": "x"}, "launch": {"task_infos": []}},
        {"type": "LAUNCH", "launch": {"task_infos": twice}},
        {"type": "LAUNCH_GROUP", "launch_group": {"task_group": {"tasks": twice}}},
    ):
        with pytest.raises(UnsafeRequest):
            driver.acceptOffers([{"value": "o"}], [operation])
    assert master.kinds() == ["SUBSCRIBE"]


def test_a_disconnected_driver_says_so(setup: Setup) -> None:
    master = setup.master(lambda stream: stream.begin(503))
    driver = setup.driver(master.address)
    with pytest.raises(CallFailed, match="not subscribed"):
        driver.kill("t", "a", 1)


def test_an_operator_that_may_not_act_sends_no_call_and_does_not_subscribe_again(setup: Setup) -> None:
    ending, leads = threading.Event(), threading.Event()
    leads.set()

    def end_when_told(stream: Stream) -> None:
        stream.subscribed()
        ending.wait(20)

    master = setup.master(end_when_told)
    driver = setup.driver(master.address, may_act=leads.is_set)
    setup.connected()
    leads.clear()
    with pytest.raises(CallFailed, match="REVIVE not sent"):
        driver.reviveOffers(["r"])
    ending.set()
    deadline = time.monotonic() + 10
    while not any("SUBSCRIBE not sent" in state.error for state in setup.states):
        assert time.monotonic() < deadline, setup.states
        time.sleep(0.01)
    assert master.kinds() == ["SUBSCRIBE"]
