"""An ACCEPT with operations that are refused: what is said, and what becomes of the others."""

from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import unchanged
from conformance.mesos.things import (
    BUNDLE,
    OURS,
    PLAIN,
    bundled,
    cpus,
    launch,
    operation,
    scalar,
    task,
    volume,
)

WHOLE = (
    "ports(allocated: svc):[31000-31099]; cpus(allocated: svc):4; mem(allocated: svc):8192; disk(allocated: svc):40960"
)


def parts(text: str) -> list[str]:
    return sorted(text.split("; "))


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
