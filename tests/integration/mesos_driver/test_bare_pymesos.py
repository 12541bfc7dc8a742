"""What bare pymesos 0.3.15 does wrong, seen over HTTP. A test that fails here names a repair no longer needed.

Each has its counterpart on our driver, in `test_driver.py` or `test_driver_repairs.py`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.mesos_driver.bare import run_bare
from integration.mesos_driver.scripted_master import Script, ScriptedMaster, Stream
from integration.mesos_driver.test_driver_repairs import offers_event

Json = dict[str, Any]


@pytest.fixture
def masters() -> Iterator[Any]:
    made: list[ScriptedMaster] = []

    def make(script: Script, status: int = 202, version: str = "1.11.0") -> ScriptedMaster:
        made.append(ScriptedMaster(script, status=status, version=version))
        return made[-1]

    yield make
    for one in made:
        one.close()


def stay(stream: Stream) -> None:
    stream.subscribed()
    stream.ended.wait(20)


def offering(stream: Stream) -> None:
    stream.subscribed()
    stream.say({"type": "OFFERS", "offers": {"offers": [{"id": {"value": "o"}}]}})
    stream.ended.wait(20)


def updating(stream: Stream) -> None:
    stream.subscribed()
    status = {"task_id": {"value": "t"}, "agent_id": {"value": "a"}, "state": "TASK_RUNNING", "uuid": "dQ=="}
    stream.say({"type": "UPDATE", "update": {"status": status}})
    stream.ended.wait(20)


def operating(stream: Stream) -> None:
    stream.subscribed()
    status = {"operation_id": {"value": "o"}, "agent_id": {"value": "a"}, "uuid": {"value": "dQ=="}}
    stream.say({"type": "UPDATE_OPERATION_STATUS", "update_operation_status": {"status": status}})
    stream.ended.wait(20)


def tears_down(directory: Path, make: Callable[[], Any], **orders: Any) -> bool:
    """Whether it does in one of three runs: its thread interrupts the main one, which may end before that is sent."""
    for _ in range(3):
        master = make()
        run_bare(directory, master.address, seconds=3, **orders)
        if "TEARDOWN" in master.kinds():
            return True
    return False


def test_a_callback_error_tears_the_framework_down(masters: Any, tmp_path: Path) -> None:
    assert tears_down(tmp_path, lambda: masters(offering), clumsy=True)


def test_a_refused_acknowledgement_tears_the_framework_down(masters: Any, tmp_path: Path) -> None:
    assert tears_down(tmp_path, lambda: masters(updating, status=503))


@pytest.mark.parametrize("end", ["stop", "abort"])
def test_leaving_tears_the_framework_down(masters: Any, tmp_path: Path, end: str) -> None:
    master = masters(stay)
    run_bare(tmp_path, master.address, calls=[[end, []]], failover=True, seconds=3)
    assert "TEARDOWN" in master.kinds()


def ending(stream: Stream) -> None:
    stream.subscribed()


def refusing(stream: Stream) -> None:
    stream.begin()
    stream.say({"type": "ERROR", "error": {"message": "Framework has been removed"}})


def recovering(stream: Stream) -> None:
    stream.begin(503)


@pytest.mark.parametrize("script", [ending, refusing, recovering])
def test_it_storms_a_master_that_ends_the_stream(masters: Any, tmp_path: Path, script: Script) -> None:
    master = masters(script)
    # `await` False: what matters is how often it comes within two seconds.
    run_bare(tmp_path, master.address, **{"await": False}, seconds=2)
    assert len(master.subscriptions) > 30


def test_silence_goes_unnoticed(masters: Any, tmp_path: Path) -> None:
    def hush(stream: Stream) -> None:
        stream.subscribed(heartbeat=0.2)
        stream.ended.wait(20)

    master = masters(hush)
    outcome = run_bare(tmp_path, master.address, seconds=3)
    assert outcome.found["connected"]
    assert len(master.subscriptions) == 1


def test_a_large_event_is_read_in_time_quadratic_in_its_size(masters: Any, tmp_path: Path) -> None:
    took = {}
    for size in (9_000, 4_000_000, 40_000_000):
        event = offers_event(size)

        def talk(stream: Stream, event: Any = event) -> None:
            stream.subscribed()
            stream.say(event)
            stream.ended.wait(60)

        found = run_bare(tmp_path, masters(talk).address, patience=45, seconds=0.1).found
        took[size] = found["cpu_seconds"]
    begun, small, large = took.values()
    # Ten times as much; the driver is held to 12 times (test_driver_repairs.py).
    assert large - begun > 12 * (small - begun), took


def test_agent_ids_and_kill_policies_are_dropped(masters: Any, tmp_path: Path) -> None:
    master = masters(stay)
    task = {"task_id": {"value": "t"}, "agent_id": {"value": "a"}}
    run_bare(tmp_path, master.address, calls=[["reconcileTasks", [[task]]], ["killTask", [{"value": "t"}]]])
    assert "agent_id" not in master.wait_for("RECONCILE")["reconcile"]["tasks"][0]
    assert set(master.wait_for("KILL")["kill"]) == {"task_id"}


def test_an_operation_is_acknowledged_with_an_object_for_bytes(masters: Any, tmp_path: Path) -> None:
    master = masters(operating)
    run_bare(tmp_path, master.address)
    body = master.wait_for("ACKNOWLEDGE_OPERATION_STATUS")["acknowledge_operation_status"]
    assert body["uuid"] == {"value": "dQ=="}


def test_gpus_are_asked_for_and_the_failover_time_out_is_short(masters: Any, tmp_path: Path) -> None:
    master = masters(stay)
    run_bare(tmp_path, master.address, info={"capabilities": [{"type": "MULTI_ROLE"}]})
    info = master.calls[0][0]["subscribe"]["framework_info"]
    assert {"type": "GPU_RESOURCES"} in info["capabilities"]
    assert info["failover_timeout"] == 100


def test_a_version_with_a_suffix_ends_it(masters: Any, tmp_path: Path) -> None:
    master = masters(stay, version="1.11.0-rc1")
    run_bare(tmp_path, master.address, **{"await": False}, seconds=2)
    assert master.subscriptions == []


def test_one_drivers_credentials_are_sent_to_another_drivers_master(masters: Any, tmp_path: Path) -> None:
    first, second = masters(stay), masters(stay)
    # The first makes a call too, so that its headers are in the shared default; the second has no credentials.
    both = [{"address": first.address, "principal": "p", "secret": "hush"}, {"address": second.address}]
    run_bare(tmp_path, both, leak=True, calls=[["reviveOffers", []]])
    revived = [headers for body, headers in second.calls if body["type"] == "REVIVE"]
    assert revived
    assert "Authorization" in revived[0]


def test_a_refused_call_tells_its_body(masters: Any, tmp_path: Path) -> None:
    master = masters(stay, status=400)
    operations = [{"type": "LAUNCH", "launch": {"task_infos": [{"environment": "hush-hush"}]}}]
    outcome = run_bare(tmp_path, master.address, calls=[["acceptOffers", [[{"value": "o"}], operations]]])
    assert "hush-hush" in outcome.found["error"]


def test_it_cannot_be_imported_outside_the_main_thread() -> None:
    program = (
        "import threading\n"
        "def load():\n"
        "    try:\n"
        "        import pymesos\n"
        "    except ValueError as error:\n"
        "        print('refused', error)\n"
        "thread = threading.Thread(target=load)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "refused" in done.stdout


def test_an_ipv6_master_is_not_understood(masters: Any, tmp_path: Path) -> None:
    assert "error" in run_bare(tmp_path, "[::1]:5050", **{"await": False}).found


def test_tls_is_not_spoken(masters: Any, tmp_path: Path) -> None:
    outcome = run_bare(tmp_path, "https://127.0.0.1:5050", **{"await": False})
    assert "error" in outcome.found
