"""No task id is used twice, within a process and across processes: a real agent dies of it."""

import threading
from typing import Any

import pytest

from integration.mesos_driver.conftest import INFO, Setup
from integration.mesos_driver.scripted_master import ScriptedMaster, Stream
from integration.mesos_driver.test_driver import stay
from statefuldb.adapters.machine import RealMachine
from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.adapters.mesos.driver import Driver
from statefuldb.adapters.mesos.guard import UnsafeRequest, UsedTaskIds
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.model.identity import TaskId

UID = "0a1b2c3d-0000-4000-8000-000000000001"
Json = dict[str, Any]


def named(incarnation: int, ordinal: int = 0) -> str:
    return str(TaskId(uid=UID, ordinal=ordinal, incarnation=incarnation))


def launching(*task_ids: str) -> list[Json]:
    return [{"type": "LAUNCH", "launch": {"task_infos": [{"task_id": {"value": each}} for each in task_ids]}}]


def launch(driver: Driver, *task_ids: str) -> None:
    driver.acceptOffers([{"value": "o"}], launching(*task_ids))


def launched(master: ScriptedMaster) -> list[str]:
    return [
        task["task_id"]["value"]
        for body, _ in list(master.calls)
        for operation in body.get("accept", {}).get("operations", [])
        for task in operation["launch"]["task_infos"]
    ]


@pytest.mark.parametrize("task_id", [named(1), "scout.1"])
def test_an_id_is_not_used_again_in_a_later_call(setup: Setup, task_id: str) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    launch(driver, task_id)
    with pytest.raises(UnsafeRequest, match="used before"):
        launch(driver, task_id)
    assert launched(master) == [task_id]


def test_an_id_whose_call_was_refused_may_have_arrived_all_the_same(setup: Setup) -> None:
    master = setup.master(stay, status=503)
    driver = setup.driver(master.address)
    setup.connected()
    with pytest.raises(Exception, match="503"):
        launch(driver, named(1))
    master.status = 202
    with pytest.raises(UnsafeRequest):
        launch(driver, named(1))
    launch(driver, named(2))
    assert launched(master) == [named(1), named(2)]


def test_a_call_with_one_used_id_uses_none_of_the_others(setup: Setup) -> None:
    master = setup.master(stay)
    driver = setup.driver(master.address)
    setup.connected()
    launch(driver, named(1))
    with pytest.raises(UnsafeRequest):
        launch(driver, named(1, ordinal=1), named(1))
    launch(driver, named(1, ordinal=1))
    assert launched(master) == [named(1), named(1, ordinal=1)]


def test_the_id_of_a_task_that_an_agent_tells_of_is_used(setup: Setup) -> None:
    def tell(stream: Stream) -> None:
        stream.subscribed()
        for incarnation, state in ((7, "TASK_UNREACHABLE"), (9, "TASK_UNKNOWN")):
            status = {"task_id": {"value": named(incarnation)}, "state": state}
            stream.say({"type": "UPDATE", "update": {"status": status}})
        stream.ended.wait(20)

    told = threading.Semaphore(0)
    master = setup.master(tell)
    driver = setup.driver(master.address, lambda event: told.release() if event["type"] == "UPDATE" else None)
    assert told.acquire(timeout=10)
    assert told.acquire(timeout=10)
    with pytest.raises(UnsafeRequest):
        launch(driver, named(7))
    # What Mesos knows nothing of was not launched: only that is sure of it.
    launch(driver, named(9))
    assert launched(master) == [named(9)]


@pytest.mark.parametrize("listed", ["tasks", "unreachable_tasks", "completed_tasks"])
def test_another_process_knows_used_ids_from_the_list_of_tasks(setup: Setup, listed: str) -> None:
    task = {"task_id": {"value": named(3)}, "framework_id": {"value": "framework-1"}}
    master = setup.master(stay, answers={"GET_AGENTS": {}, "GET_OPERATIONS": {}, "GET_TASKS": {listed: [task]}})
    masters, drivers, connected = MasterList((master.address,)), [], threading.Event()
    asking = MasterApi(masters=masters, transport=Transport())

    def make_driver(on_event: Any, on_state: Any) -> Driver:
        drivers.append(
            Driver(
                masters=masters,
                transport=Transport(),
                framework_info=dict(INFO),
                on_event=on_event,
                on_state=on_state,
                machine=RealMachine(),
            )
        )
        return drivers[0]

    adapter = MesosAdapter(
        make_driver=make_driver,
        list_tasks=asking.each_task,
        list_tasks_ever=asking.tasks_ever,
        list_agents=asking.each_agent,
        list_frameworks=asking.frameworks,
        list_operations=asking.operations,
        cluster="c",
        role="r",
        principal=None,
        keeper_command=("keeper",),
        save_framework_id=lambda _: None,
        on_offers=lambda *_: None,
        on_connected=connected.set,
        owner_of=lambda _: None,
        enqueue=lambda _: None,
        clock=RealMachine(),
        timers=RealMachine(),
    )
    setup.ends.append(adapter.stop)
    adapter.start()
    assert connected.wait(10)
    with pytest.raises(UnsafeRequest):
        launch(drivers[0], named(3))
    launch(drivers[0], named(4))
    assert launched(master) == [named(4)]


def test_of_many_members_the_last_launched_are_remembered() -> None:
    used = UsedTaskIds(limit=2)
    for ordinal in range(3):
        used.note(named(incarnation, ordinal) for incarnation in range(1, 5))
    used.claim({"accept": {"operations": launching(named(4, ordinal=0))}})
    for again in (named(4, ordinal=2), named(1, ordinal=2)):
        with pytest.raises(UnsafeRequest):
            used.claim({"accept": {"operations": launching(again)}})
