"""Operations that are refused, and what follows them in an ACCEPT."""

import pytest

from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import (
    BUNDLE,
    OURS,
    PLAIN,
    Json,
    bundled,
    cpus,
    launch,
    operation,
    ports,
    reservation,
    scalar,
    task,
    volume,
)

RESERVED = "(reservations: [(DYNAMIC,svc,svc-principal,{owner: t})])"
UNLABELLED = "(reservations: [(DYNAMIC,svc,svc-principal)])"
WHOLE = (
    "ports(allocated: svc):[31000-31099]; cpus(allocated: svc):4; mem(allocated: svc):8192; disk(allocated: svc):40960"
)
PROVIDERS = "Invalid resources: The resources have multiple resource providers: "


def parts(text: str) -> list[str]:
    return sorted(text.split("; "))


REFUSED: dict[str, tuple[Json, str]] = {
    "for a role that it does not have": (
        operation("RESERVE", cpus(1, reservation("other")), "x"),
        "A reserve operation was attempted for a resource with role 'other', but the resource was allocated to role "
        "'svc'",
    ),
    "with another principal": (
        operation("RESERVE", cpus(1, reservation(principal="someone-else")), "x"),
        "A reserve operation was attempted by authenticated principal 'svc-principal', which does not match a reserved "
        "resource in the request with principal 'someone-else'",
    ),
    "without a principal": (
        operation("RESERVE", cpus(0.1, reservation(principal=None, labels=None)), "x"),
        "A reserve operation was attempted by principal 'svc-principal', but there is a reserved resource in the "
        "request with no principal set",
    ),
    "of what is not reserved": (
        operation("RESERVE", cpus(1), "x"),
        "Resource cpus(allocated: svc):1 is not dynamically reserved",
    ),
    "of nothing": (operation("RESERVE", [], "x"), PROVIDERS),
    "back of nothing": (operation("UNRESERVE", [], "x"), PROVIDERS),
    "no volume": (operation("CREATE", [], "x"), PROVIDERS),
    "no volume to destroy": (operation("DESTROY", [], "x"), PROVIDERS),
    "back of a static reservation": (
        operation("UNRESERVE", cpus(1, {"type": "STATIC", "role": "svc"}), "x"),
        "Resource cpus(allocated: svc)(reservations: [(STATIC,svc)]):1 is not dynamically reserved",
    ),
    "back of a volume": (
        operation("UNRESERVE", [volume("v")], "x"),
        f"A dynamically reserved persistent volume disk(allocated: svc){RESERVED}[v:data]:512 cannot be unreserved "
        "directly. Please destroy the persistent volume first then unreserve the resource",
    ),
    "a volume of unreserved disk": (
        operation("CREATE", [{k: v for k, v in volume("v", 64).items() if k != "reservations"}], "x"),
        "Invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources",
    ),
    "an id with a slash": (
        operation("CREATE", [volume("a/b")], "x"),
        "Invalid resources: Invalid DiskInfo: Invalid persistence ID for persistent volume: 'a/b' contains invalid "
        "characters",
    ),
    "a volume without its path": (
        operation("CREATE", [{**scalar("disk", 64, OURS), "disk": {"persistence": {"id": "v"}}}], "x"),
        "Invalid resources: Invalid DiskInfo: Expecting 'volume' to be set for persistent volume",
    ),
    "a volume that cannot be written": (
        operation("CREATE", [volume("v", volume={"container_path": "data", "mode": "RO"})], "x"),
        "Not a persistent volume: Read-only persistent volume not supported",
    ),
    "a volume with a host path": (
        operation("CREATE", [volume("v", volume={"container_path": "d", "host_path": "/d", "mode": "RW"})], "x"),
        "Invalid resources: Invalid DiskInfo: Expecting 'host_path' to be unset for persistent volume",
    ),
    "disk that is no volume": (
        operation("CREATE", [scalar("disk", 64, OURS)], "x"),
        f"Not a persistent volume: Resource disk(allocated: svc){RESERVED}:64 does not have DiskInfo",
    ),
    "a volume of another principal": (
        operation("CREATE", [volume("v", persistence={"id": "v", "principal": "other"})], "x"),
        "Create volume operation attempted by authenticated principal 'svc-principal', which does not match a volume "
        "in the operation with principal 'other' set in 'disk.persistence'",
    ),
    "a volume of no principal": (
        operation("CREATE", [volume("v", persistence={"id": "v"})], "x"),
        "Create volume operation attempted by principal 'svc-principal', but there is a volume in the operation with "
        "no principal set in 'disk.persistence'",
    ),
    "a shared volume": (
        operation("CREATE", [{**volume("v"), "shared": {}}], "x"),
        f"Create volume operation for 'disk(allocated: svc){RESERVED}[v:data]<SHARED>:512' has been attempted by "
        "framework '{framework}' with no SHARED_RESOURCES capability",
    ),
    "an unknown volume": (operation("DESTROY", [volume("v")], "x"), "Persistent volumes not found"),
    "two roles": (
        operation("RESERVE", [{**cpus(1, OURS)[0], "allocation_info": {"role": "other"}}], "x"),
        "A reserve operation was attempted for a resource with role 'svc', but the resource was allocated to role "
        "'other'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_operation_is_refused_with_its_reason_and_agent(subscribe: Subscribe, name: str) -> None:
    one = subscribe()
    assert one.framework_id is not None
    offer = one.offer()
    wanted, text = REFUSED[name]
    one.accept(offer, wanted)
    agent = offer["agent_id"]["value"]
    expected = text.replace("{framework}", one.framework_id["value"])
    assert one.refused("x").startswith(f"{expected}; on agent {agent} at slave(")
    unchanged(one, offer)


INVALID: dict[str, tuple[Json, str]] = {
    "a negative amount": (
        operation("RESERVE", cpus(-1, PLAIN), "x"),
        f"Resource 'cpus{UNLABELLED}:-1' is invalid: Invalid scalar resource: value <= 0",
    ),
    "less than a thousandth": (
        operation("RESERVE", cpus(0.0004, PLAIN), "x"),
        f"Resource 'cpus{UNLABELLED}:0' is invalid: Invalid scalar resource: value <= 0",
    ),
    "for everybody": (
        operation("RESERVE", cpus(1, reservation("*", labels=None)), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,*,svc-principal)]):1' is invalid: Invalid reservation: role \"*\" "
        "cannot be reserved",
    ),
    "refined for a role that is not below": (
        operation("RESERVE", cpus(1, PLAIN, reservation("other", labels=None)), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,svc,svc-principal),(DYNAMIC,other,svc-principal)]):1' is invalid: "
        "Invalid refined reservation: role 'other' is not a refinement of 'svc'",
    ),
    "refined for itself": (
        operation("RESERVE", cpus(1, {"type": "STATIC", "role": "svc"}, PLAIN), "x"),
        "Resource 'cpus(reservations: [(STATIC,svc),(DYNAMIC,svc,svc-principal)]):1' is invalid: Invalid refined "
        "reservation: role 'svc' is not a refinement of 'svc'",
    ),
    "a static refinement": (
        operation("RESERVE", cpus(1, PLAIN, {"type": "STATIC", "role": "svc/db"}), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,svc,svc-principal),(STATIC,svc/db)]):1' is invalid: Invalid refined "
        "reservation: A refined reservation cannot be STATIC",
    ),
    "overlapping ports": (
        operation(
            "RESERVE",
            [{**ports(1, 2, PLAIN), "ranges": {"range": [{"begin": 1, "end": 5}, {"begin": 5, "end": 6}]}}],
            "x",
        ),
        "Resource 'ports(reservations: [(DYNAMIC,svc,svc-principal)]):[1-5, 5-6]' is invalid: Invalid ranges resource: "
        "overlapping ranges",
    ),
    "disk of no disk": (
        operation("CREATE", [{**volume("v"), "name": "mem"}], "x"),
        f"Resource 'mem{RESERVED}[v:data]:512' is invalid: DiskInfo should not be set for mem resource",
    ),
    "no body": (
        {"type": "RESERVE", "id": {"value": "x"}},
        "A RESERVE offer operation must have the Offer.Operation.reserve field set.",
    ),
    "an update": (
        {
            **operation("RESERVE", cpus(1, PLAIN), "x"),
            "reserve": {"resources": cpus(1, PLAIN), "source": cpus(1, OURS)},
        },
        "Reservation updates are not yet implemented for the scheduler API.",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_operation_is_refused_as_such(subscribe: Subscribe, name: str) -> None:
    one = subscribe()
    offer = one.offer()
    wanted, text = INVALID[name]
    one.accept(offer, wanted)
    assert one.refused("x") == f"Operation attempted with invalid resources: {text}"
    unchanged(one, offer)


def unchanged(one: Scheduler, offer: Json) -> None:
    """The agent is offered again as it was."""
    again = one.offer(lambda held: one.is_whole(held) and held["agent_id"] == offer["agent_id"])
    assert sorted(map(str, again["resources"])) == sorted(map(str, offer["resources"]))


def test_more_than_was_offered_is_refused_and_says_what_there_is(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", [scalar("cpus", 400, OURS), *BUNDLE[1:]], "big"))
    have, _, want = one.refused("big").partition(" does not contain ")
    assert parts(have) == parts(WHOLE)
    assert parts(want) == parts("cpus(allocated: svc):400; mem(allocated: svc):256; disk(allocated: svc):512")
    unchanged(one, offer)


def test_without_an_id_a_refused_operation_is_silent(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", cpus(400, OURS)), {"type": "UNKNOWN"}, {"type": "LAUNCH", "launch": {}})
    unchanged(one, offer)
    assert not [event for event in one.stream.events if event["type"] == "UPDATE_OPERATION_STATUS"]


def test_a_refused_operation_does_not_stop_those_after_it(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, operation("RESERVE", [scalar("disk", 512, OURS)], "r"))
    one.finished("r")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    failing, creating, launching = bundled("ch-task", agent, "ch", "true")
    failing["reserve"]["resources"][0] = scalar("cpus", 400, OURS)
    one.accept(held, failing, creating, launching)
    assert " does not contain cpus(allocated: svc):400" in one.refused("ch-r")
    one.finished("ch-c")
    status = one.task("ch-task", "TASK_ERROR")
    assert status["reason"] == "REASON_TASK_INVALID"
    assert status["source"] == "SOURCE_MASTER"
    assert "uuid" not in status
    assert status["message"].startswith("Total resources ")
    assert " required by task and its executor is more than available " in status["message"]


def test_the_refusal_comes_before_what_the_agent_has_finished(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", cpus(1, OURS), "good"), operation("RESERVE", cpus(400, OURS), "bad"))
    one.finished("good")
    assert one.refused("bad")
    order = [
        event["update_operation_status"]["status"]["operation_id"]["value"]
        for event in one.stream.events
        if event["type"] == "UPDATE_OPERATION_STATUS"
    ]
    assert order == ["bad", "good"]


def test_a_persistence_id_is_used_once_on_an_agent_and_role(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    disk, held = [scalar("disk", 512, OURS)], [volume("dup")]
    first = [operation("RESERVE", disk, "r1"), operation("CREATE", held, "c1")]
    one.accept(offer, *first, operation("RESERVE", disk, "r2"), operation("CREATE", held, "c2"))
    assert one.refused("c2").startswith("Persistence ID 'dup' is not unique; on agent ")
    one.finished("r1", "c1", "r2")


def test_a_path_that_cannot_be_mounted_is_taken_all_the_same(subscribe: Subscribe) -> None:
    one = subscribe()
    absolute = volume("abs", volume={"container_path": "/var/data", "mode": "RW"})
    one.accept(
        one.offer(), operation("RESERVE", [scalar("disk", 512, OURS)], "r"), operation("CREATE", [absolute], "c")
    )
    one.finished("r", "c")


def test_one_operation_id_may_be_used_twice(subscribe: Subscribe) -> None:
    one = subscribe()
    same = operation("RESERVE", cpus(0.1, PLAIN), "same")
    one.accept(one.offer(), same, same)
    assert one.operation("same")["state"] == "OPERATION_FINISHED"
    assert one.operation("same", seen=1)["state"] == "OPERATION_FINISHED"
    first, second = one.operation_updates("same")[:2]
    assert first["uuid"] != second["uuid"]


def test_a_stale_offer_fails_all_that_is_done_with_it(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.decline(offer, refuse_seconds=3600)
    gone = offer["id"]["value"]
    one.accept(offer, operation("RESERVE", BUNDLE, "stale-r"), launch(task("stale-t", offer["agent_id"])))
    assert one.refused("stale-r") == f"Operation attempted with invalid offers: Offer {gone} is no longer valid"
    status = one.task("stale-t", "TASK_DROPPED")
    assert status["reason"] == "REASON_INVALID_OFFERS"
    assert status["message"] == f"Task launched with invalid offers: Offer {gone} is no longer valid"
    assert "uuid" not in status


def test_an_accept_holds_each_offer_once_and_one_at_least(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept([offer, offer], operation("RESERVE", BUNDLE, "twice"))
    twice = f"Operation attempted with invalid offers: Duplicate offer {offer['id']['value']} in offer list"
    assert one.refused("twice") == twice
    one.accept([], operation("RESERVE", BUNDLE, "none"))
    assert one.refused("none") == "Operation attempted with invalid offers: No offers specified"


def test_offers_of_two_agents_are_not_accepted_together(subscribe: Subscribe) -> None:
    one = subscribe()
    first = one.offer()
    second = one.offer(lambda other: one.is_whole(other) and other["agent_id"] != first["agent_id"], keeping=[first])
    one.accept([first, second], operation("RESERVE", cpus(0.1, PLAIN), "two"))
    assert one.refused("two") == (
        "Operation attempted with invalid offers: Aggregated offers must belong to one single agent. Offer "
        f"{second['id']['value']} uses agent {second['agent_id']['value']} and agent {first['agent_id']['value']}"
    )
