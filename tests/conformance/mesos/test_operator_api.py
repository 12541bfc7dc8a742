"""The operator API, resizing volumes, offers that are withdrawn."""

from typing import Any

import pytest

from conformance.mesos.client import OPERATOR, Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.recording import Recording
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import BUNDLE, OURS, bundled, launch, operation, reservation, scalar, task, volume

THEIRS = reservation(principal="op", labels=None)
DISK = scalar("disk", 700, THEIRS)
VOLUME = {
    **DISK,
    "disk": {
        "persistence": {"id": "opvol", "principal": "op"},
        "volume": {"container_path": "d", "mode": "RW"},
    },
}


def asked(master: Http, recording: Recording, kind: str, **body: object) -> tuple[int, str]:
    answer = master.ask(kind, **body)
    recording.call({"type": kind, **body}, answer.status, answer.text)
    return answer.status, answer.text


def withdrawn(one: Scheduler, offer: Json) -> None:
    one.stream.wait(
        lambda: [e for e in one.stream.events if e["type"] == "RESCIND" and e["rescind"]["offer_id"] == offer["id"]],
        about="the withdrawn offer",
    )


def test_what_an_operator_reserves_is_taken_out_of_offers(
    subscribe: Subscribe, master: Http, recording: Recording
) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    assert asked(master, recording, "RESERVE_RESOURCES", agent_id=agent, resources=[DISK]) == (202, "")
    withdrawn(one, offer)
    held = one.offer(lambda other: other["agent_id"] == agent and one.is_whole(other))
    assert [r["scalar"]["value"] for r in held["resources"] if r.get("reservations")] == [700.0]
    assert asked(master, recording, "CREATE_VOLUMES", agent_id=agent, volumes=[VOLUME]) == (202, "")
    withdrawn(one, held)
    status, text = asked(master, recording, "UNRESERVE_RESOURCES", agent_id=agent, resources=[DISK])
    assert status == 409
    assert text.endswith(" does not contain disk(reservations: [(DYNAMIC,svc,op)]):700")
    assert asked(master, recording, "DESTROY_VOLUMES", agent_id=agent, volumes=[VOLUME]) == (202, "")
    assert asked(master, recording, "UNRESERVE_RESOURCES", agent_id=agent, resources=[DISK]) == (202, "")


def test_what_an_operator_may_not_do_is_refused(subscribe: Subscribe, master: Http, recording: Recording) -> None:
    one = subscribe()
    agent = one.offer()["agent_id"]
    nowhere = {"value": agent["value"].rpartition("-")[0] + "-S99"}
    assert asked(master, recording, "RESERVE_RESOURCES", agent_id=nowhere, resources=[DISK]) == (
        400,
        "No agent found with specified ID",
    )
    allocated = [{**DISK, "allocation_info": {"role": "svc"}}]
    status, text = asked(master, recording, "RESERVE_RESOURCES", agent_id=agent, resources=allocated)
    assert status == 400
    assert text.endswith(
        ": A reserve operation was attempted with an allocated resource, but the operator API only allows reservations "
        "to be made to unallocated resources"
    )
    assert asked(master, recording, "DESTROY_VOLUMES", agent_id=agent, volumes=[VOLUME]) == (
        400,
        "Invalid DESTROY operation: Persistent volumes not found",
    )
    huge = [scalar("disk", 99_000_000, THEIRS)]
    status, text = asked(master, recording, "RESERVE_RESOURCES", agent_id=agent, resources=huge)
    assert status == 409


def test_a_volume_in_use_is_not_destroyed(subscribe: Subscribe, master: Http, recording: Recording) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    # The rest stays unoffered: an answer below names what is free.
    assert one.call("SUPPRESS").status == 202
    one.accept(offer, *bundled("user", agent, "used", "exec sleep 300"))
    one.finished("used-r", "used-c")
    one.task("user", "TASK_RUNNING")
    assert asked(master, recording, "DESTROY_VOLUMES", agent_id=agent, volumes=[volume("used")]) == (
        400,
        "Invalid DESTROY operation: Persistent volumes in use",
    )
    status, _ = asked(master, recording, "UNRESERVE_RESOURCES", agent_id=agent, resources=list(BUNDLE[:1]))
    assert status == 409


def test_what_a_master_says_of_itself(master: Http) -> None:
    assert master.get("GET_HEALTH") == {"healthy": True}
    assert master.get("GET_VERSION")["version_info"]["version"] == "1.11.0"
    info = master.get("GET_MASTER")["master_info"]
    assert info["address"]["port"] == int(master.address.rpartition(":")[2])
    assert master.ask("TEARDOWN", framework_id={"value": "nope"}).status == 400


def test_agents_are_shown_with_what_they_have_in_both_forms(
    subscribe: Subscribe, master: Http, recording: Recording
) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", BUNDLE, "r"), operation("CREATE", [volume("seen")], "c"))
    one.finished("r", "c")
    (agent,) = [a for a in master.get("GET_AGENTS")["agents"] if a["agent_info"]["id"] == offer["agent_id"]]
    assert agent["active"] is True
    assert agent["agent_info"]["attributes"] == offer["attributes"]
    mine = [r for r in agent["total_resources"] if r.get("reservations")]
    recording.seen("reserved", {"resources": mine})
    assert {r["role"] for r in mine} == {"svc"}
    assert mine[0]["reservation"] == {name: OURS[name] for name in ("principal", "labels")}
    assert {r["role"] for r in agent["total_resources"] if not r.get("reservations")} == {"*"}
    recording.seen("capabilities", agent["capabilities"])
    # The second is there only once an agent has come back.
    first, last = agent["registered_time"], agent.get("reregistered_time", agent["registered_time"])
    assert 0 < int(first["nanoseconds"]) <= int(last["nanoseconds"])


def disks(offer: Json) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for resource in offer["resources"]:
        if resource["name"] == "disk":
            kind = "volume" if "disk" in resource else "reserved" if resource.get("reservations") else "free"
            found.setdefault(kind, []).append(resource["scalar"]["value"])
    return found


def of_agent(one: Scheduler, agent: Json) -> Json:
    return one.offer(lambda held: held["agent_id"] == agent and any("disk" in r for r in held["resources"]))


def test_a_volume_grows_and_shrinks_while_no_task_uses_it(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    whole = sum(r["scalar"]["value"] for r in offer["resources"] if r["name"] == "disk")
    one.accept(
        offer, operation("RESERVE", [scalar("disk", 512, OURS)], "r"), operation("CREATE", [volume("gv", 256)], "c")
    )
    one.finished("r", "c")
    held = of_agent(one, agent)
    assert disks(held) == {"volume": [256.0], "reserved": [256.0], "free": [whole - 512]}
    (small,) = [r for r in held["resources"] if "disk" in r]
    grow = {
        "type": "GROW_VOLUME",
        "id": {"value": "g"},
        "grow_volume": {"volume": small, "addition": scalar("disk", 128, OURS)},
    }
    big = {**small, "scalar": {"value": 384.0}}
    early = task("early", agent, [scalar("cpus", 0.1), big])
    one.accept(held, grow, launch(early))
    # What grows is not there for those that come after it in the same ACCEPT.
    assert "required by task and its executor is more than available" in one.task("early", "TASK_ERROR")["message"]
    one.finished("g")
    held = of_agent(one, agent)
    assert disks(held)["volume"] == [384.0]
    (grown,) = [r for r in held["resources"] if "disk" in r]
    shrink = {
        "type": "SHRINK_VOLUME",
        "id": {"value": "s"},
        "shrink_volume": {"volume": grown, "subtract": {"value": 128}},
    }
    one.accept(held, shrink)
    one.finished("s")
    held = of_agent(one, agent)
    assert disks(held)["volume"] == [256.0]
    # What was freed stays away from everybody until the framework is gone.
    assert sum(map(sum, disks(held).values())) == whole - 128
    one.teardown()
    other = subscribe()
    held = other.offer(lambda again: again["agent_id"] == agent and other.is_whole(again))
    assert disks(held) == {"volume": [256.0], "reserved": [256.0], "free": [whole - 512]}


def resized(kind: str, held: Json, **body: object) -> Json:
    return {"type": kind, "id": {"value": "x"}, kind.lower(): {"volume": held, **body}}


def test_resizing_that_makes_no_sense_is_refused(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(
        offer, operation("RESERVE", [scalar("disk", 512, OURS)], "r"), operation("CREATE", [volume("gv", 256)], "c")
    )
    one.finished("r", "c")
    held = of_agent(one, agent)
    (mine,) = [r for r in held["resources"] if "disk" in r]
    wrong = {
        "nothing": (
            resized("GROW_VOLUME", mine, addition=scalar("disk", 0, OURS)),
            "The size of 'GrowVolume.addition' field must be greater than zero; on agent ",
        ),
        "otherwise reserved": (
            resized("GROW_VOLUME", mine, addition=scalar("disk", 10, reservation(labels=None))),
            "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields; on agent ",
        ),
        "by nothing": (
            resized("SHRINK_VOLUME", mine, subtract={"value": 0}),
            "Value of 'ShrinkVolume.subtract' must be greater than zero; on agent ",
        ),
        "by all": (
            resized("SHRINK_VOLUME", mine, subtract={"value": 256}),
            "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'; on agent ",
        ),
        "more than there is": (
            resized("GROW_VOLUME", mine, addition=scalar("disk", 1024, OURS)),
            "Invalid GROW_VOLUME operation: ",
        ),
    }
    for name, (wanted, text) in wrong.items():
        held = of_agent(one, agent)
        one.accept(held, {**wanted, "id": {"value": name}})
        assert one.refused(name).startswith(text)


@pytest.mark.parametrize(
    "call",
    [
        {"type": {}},
        {"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": "x"}},
        {"type": "DRAIN_AGENT", "drain_agent": 5},
        {"type": "RESERVE_RESOURCES", "reserve_resources": {"agent_id": {"value": "x"}, "resources": 5}},
        {"type": "UPDATE_QUOTA", "update_quota": "x"},
        b"[" * 2_000,
    ],
)
def test_a_call_of_another_shape_is_refused_and_harms_nobody(master: Http, call: Any) -> None:
    assert master.send("POST", OPERATOR, call).status == 400
    assert master.ask("GET_HEALTH").status == 200
