"""Access control lists. What is denied to a framework it hears of by operation id, or not at all."""

import json
from collections.abc import Iterator

import pytest

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import MASTERS, Subscribe, opened
from conformance.mesos.credentials import ASKING, GUEST, basic, credentials
from conformance.mesos.masters import Mesos
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import (
    BUNDLE,
    OURS,
    PRINCIPAL,
    framework,
    launch,
    operation,
    reservation,
    scalar,
    task,
    volume,
)

DENIED = {
    "reserve_resources": "roles",
    "unreserve_resources": "reserver_principals",
    "create_volumes": "roles",
    "destroy_volumes": "creator_principals",
    "resize_volumes": "roles",
    "run_tasks": "users",
    "teardown_frameworks": "framework_principals",
    "mark_agents_gone": "agents",
}
VOLUME = volume("acl-v")
THEIRS = reservation(principal=GUEST)
THEIR_VOLUME = volume("acl-g", 10, THEIRS, persistence={"id": "acl-g", "principal": GUEST})


@pytest.fixture(scope="module", params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master on which one principal may subscribe in some roles, and nothing else."""
    acls: Json = {rules: [{"principals": {"values": [GUEST]}, of: {"type": "NONE"}}] for rules, of in DENIED.items()}
    guests = {"principals": {"values": [GUEST]}, "roles": {"values": ["svc", "other"]}}
    acls["register_frameworks"] = [guests, {"principals": {"values": [GUEST]}, "roles": {"type": "NONE"}}]
    known = credentials(tmp_path_factory.mktemp("acls") / "credentials.json")
    flags = {"acls": json.dumps(acls), "credentials": known, **ASKING}
    with opened(request, tmp_path_factory, authorization=basic(PRINCIPAL), flags=flags) as one:
        yield one


@pytest.fixture
def guest(subscribe: Subscribe) -> Scheduler:
    """A framework of the principal that may do nothing, in the role in which another has a volume."""
    one = subscribe()
    one.accept(one.offer(), operation("RESERVE", BUNDLE, "r"), operation("CREATE", [VOLUME], "c"))
    one.finished("r", "c")
    one.call("SUPPRESS")
    one.put_back(one.offers())
    return subscribe(framework(principal=GUEST), Authorization=basic(GUEST))


def with_volume(one: Scheduler) -> tuple[Json, Json]:
    """Wait for the offer with a volume in it; return both."""
    offer = one.offer(lambda held: any("disk" in r for r in held["resources"]))
    (held,) = [r for r in offer["resources"] if "disk" in r]
    return offer, held


def object_of(value: str, resource: Json) -> str:
    """Return how the master names what it denies: the JSON of its message, fields in the order of the protocol."""
    role = {"allocation_info": {"role": "svc"}}
    amount = {"scalar": {"value": float(resource["scalar"]["value"])}}
    whole = {**{k: resource[k] for k in ("name", "type")}, **amount, **role, "reservations": resource["reservations"]}
    if "disk" in resource:
        path = {"mode": "RW", "container_path": "data"}
        whole["disk"] = {"persistence": resource["disk"]["persistence"], "volume": path}
    return json.dumps({"value": value, "resource": whole}, separators=(",", ":"))


def test_a_role_that_a_principal_may_not_have(subscribe: Subscribe) -> None:
    refused = subscribe(framework(principal=GUEST, roles=["svc", "closed"]), Authorization=basic(GUEST))
    assert refused.error == "Not authorized to register framework  with roles { closed, svc }"
    refused.stream.wait(lambda: refused.stream.ended == "clean", about="the end of the stream")
    assert subscribe(framework(principal=GUEST, roles=["other", "svc"]), Authorization=basic(GUEST)).error is None


def test_what_is_denied_is_named_and_the_rest_of_the_accept_goes_on(guest: Scheduler) -> None:
    offer, held = with_volume(guest)
    guest.accept(
        offer,
        operation("RESERVE", [scalar("cpus", 1, THEIRS), scalar("mem", 32, THEIRS)], "reserve"),
        operation("UNRESERVE", [scalar("cpus", 1, OURS)], "unreserve"),
        operation("CREATE", [THEIR_VOLUME], "create"),
        operation("DESTROY", [VOLUME], "destroy"),
        {
            "type": "GROW_VOLUME",
            "id": {"value": "grow"},
            "grow_volume": {"volume": VOLUME, "addition": scalar("disk", 10, OURS)},
        },
        operation("DESTROY", [volume("no such")], "invalid"),
    )
    for identity, action, value, resource in (
        ("reserve", "RESERVE_RESOURCES", "svc", scalar("cpus", 1, THEIRS)),
        ("unreserve", "UNRESERVE_RESOURCES", PRINCIPAL, scalar("cpus", 1, OURS)),
        ("create", "CREATE_VOLUME", "svc", THEIR_VOLUME),
        ("destroy", "DESTROY_VOLUME", PRINCIPAL, VOLUME),
        ("grow", "RESIZE_VOLUME", "svc", VOLUME),
    ):
        denial = f"Principal '{GUEST}' no authorized to perform action {action} on object {object_of(value, resource)}"
        assert guest.refused(identity) == denial
    assert guest.refused("invalid").startswith("Persistent volumes not found; on agent ")
    # What was denied has changed nothing: all comes back, the volume with it.
    again = guest.offer(lambda other: other["agent_id"] == offer["agent_id"], recorded=False)
    assert held in again["resources"]


def test_without_an_id_a_denial_is_silent(guest: Scheduler) -> None:
    offer, held = with_volume(guest)
    guest.accept(
        offer,
        operation("DESTROY", [VOLUME]),
        operation("UNRESERVE", [scalar("cpus", 1, OURS)]),
        launch(task("not-mine", offer["agent_id"])),
    )
    error = guest.task("not-mine", "TASK_ERROR")
    assert error["reason"] == "REASON_TASK_UNAUTHORIZED"
    identity = (guest.framework_id or {})["value"]
    denial = f"Principal '{GUEST}' no authorized to launch task not-mine of framework {identity} under user 'root'"
    assert error["message"] == denial
    again = guest.offer(lambda other: other["agent_id"] == offer["agent_id"], recorded=False)
    assert held in again["resources"]
    assert not [event for event in guest.stream.events if event["type"] == "UPDATE_OPERATION_STATUS"]


def test_an_operator_that_may_not_is_told_so(guest: Scheduler, master: Http) -> None:
    agent = with_volume(guest)[0]["agent_id"]
    owned = {"agent_id": agent, "resources": [scalar("cpus", 1, reservation(principal=GUEST, labels=None))]}
    theirs: dict[str, Json] = {
        "RESERVE_RESOURCES": owned,
        "UNRESERVE_RESOURCES": {"agent_id": agent, "resources": [scalar("cpus", 1, OURS)]},
        "CREATE_VOLUMES": {"agent_id": agent, "volumes": [THEIR_VOLUME]},
        "TEARDOWN": {"framework_id": guest.framework_id},
        "MARK_AGENT_GONE": {"agent_id": agent},
    }
    for kind, body in theirs.items():
        call = {"type": kind, kind.lower(): body}
        answer = master.send("POST", "/api/v1", call, Authorization=basic(GUEST))
        guest.recording.call(call, answer.status, answer.text)
        assert (answer.status, answer.text) == (403, "403 Forbidden.")
        assert master.send("POST", "/api/v1", call, Authorization=None).status == 401
    # Another may, where it is what the resources say.
    answer = master.ask("RESERVE_RESOURCES", **owned)
    assert answer.status == 400
    assert f"authenticated principal '{PRINCIPAL}', which does not match" in answer.text
    guest.teardown()
