"""Operations until they are acknowledged."""

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import PLAIN, operation, scalar
from conformance.mesos.tidying import eventually

RESERVE = operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "k1")


def open_operations(master: Http) -> list[str]:
    """The ids of the operations that the master knows."""
    found = master.get("GET_OPERATIONS").get("operations", [])
    return [one["info"]["id"]["value"] for one in found if "id" in one["info"]]


def acknowledged(one: Scheduler, status: Json, **changes: object) -> tuple[int, str]:
    body = {"uuid": status["uuid"]["value"], "operation_id": status["operation_id"], "agent_id": status["agent_id"]}
    sent = {name: value for name, value in {**body, **changes}.items() if value is not None}
    answer = one.call("ACKNOWLEDGE_OPERATION_STATUS", sent)
    return answer.status, answer.text


def reconciled(one: Scheduler, operations: list[Json], identity: str, seen: int) -> Json:
    assert one.call("RECONCILE_OPERATIONS", {"operations": operations}).status == 202
    return one.operation(identity, seen=seen)


def test_it_is_sent_again_after_ten_seconds_with_the_same_uuid(subscribe: Subscribe) -> None:
    one = subscribe()
    one.accept(one.offer(), RESERVE)
    first = one.operation("k1", acknowledge=False)
    again = one.operation("k1", seen=1)
    assert again == first
    assert first["state"] == "OPERATION_FINISHED"


def test_it_is_known_until_it_is_acknowledged_in_the_right_form(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    one.accept(one.offer(), RESERVE)
    status = one.operation("k1", acknowledge=False)
    assert set(status) == {"operation_id", "state", "uuid", "agent_id"}
    as_object = "Failed to convert JSON into Call protobuf: Not expecting a JSON object for field 'uuid'"
    assert acknowledged(one, status, uuid=status["uuid"]) == (400, as_object)
    without_agent = "Failed to validate scheduler::Call: Expecting 'agent_id' to be present"
    assert acknowledged(one, status, agent_id=None) == (400, without_agent)
    assert acknowledged(one, status, operation_id={"value": "other"}) == (202, "")
    assert open_operations(master) == ["k1"]
    assert acknowledged(one, status) == (202, "")
    eventually(lambda: open_operations(master) == [], "an operation that is forgotten")
    assert acknowledged(one, status) == (202, "")


def test_reconciliation_tells_what_is_known_and_not_of_what_is_acknowledged(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, RESERVE)
    status = one.operation("k1", acknowledge=False)
    wanted = {"operation_id": {"value": "k1"}, "agent_id": offer["agent_id"]}
    answer = reconciled(one, [wanted], "k1", 1)
    assert answer == {name: value for name, value in status.items() if name != "uuid"}
    assert reconciled(one, [], "k1", 2) == answer
    assert acknowledged(one, status) == (202, "")
    eventually(lambda: open_operations(master) == [], "an operation that is forgotten")
    answer = reconciled(one, [wanted], "k1", 3)
    assert answer["state"] == "OPERATION_UNKNOWN"
    assert answer["message"] == "Reconciliation: Operation is unknown"
    assert one.call("RECONCILE_OPERATIONS", {"operations": []}).status == 202


def test_what_never_was_is_unknown_with_and_without_an_agent(subscribe: Subscribe) -> None:
    one = subscribe()
    agent = one.offer()["agent_id"]
    answer = reconciled(one, [{"operation_id": {"value": "never"}}], "never", 0)
    assert answer["state"] == "OPERATION_UNKNOWN"
    assert answer["message"] == "Reconciliation: Operation is unknown and no 'agent_id' was provided"
    answer = reconciled(one, [{"operation_id": {"value": "never-2"}, "agent_id": agent}], "never-2", 0)
    assert answer["message"] == "Reconciliation: Operation is unknown"
    assert answer["agent_id"] == agent
    nowhere = {"value": agent["value"].rpartition("-")[0] + "-S99"}
    answer = reconciled(one, [{"operation_id": {"value": "never-3"}, "agent_id": nowhere}], "never-3", 0)
    assert answer["state"] == "OPERATION_UNKNOWN"


def test_the_operator_sees_what_was_asked_and_how_it_stands(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    one.accept(one.offer(), RESERVE)
    status = one.operation("k1", acknowledge=False)
    (seen,) = master.get("GET_OPERATIONS")["operations"]
    one.recording.seen("operations", seen)
    assert seen["framework_id"] == one.framework_id
    assert seen["agent_id"] == status["agent_id"]
    assert seen["info"]["type"] == "RESERVE"
    assert seen["info"]["reserve"]["resources"][0]["allocation_info"] == {"role": "svc"}
    assert seen["latest_status"] == status
    assert seen["statuses"] == [status]
    assert seen["uuid"]["value"]


def test_without_an_id_nothing_is_told(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", [scalar("cpus", 0.5, PLAIN)]))
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == offer["agent_id"])
    assert [r for r in held["resources"] if r.get("reservations")]
    assert not [event for event in one.stream.events if event["type"] == "UPDATE_OPERATION_STATUS"]
    eventually(lambda: master.get("GET_OPERATIONS") == {}, "an operation that is forgotten")


def test_after_a_fail_over_the_agent_tells_the_new_instance_in_its_time(subscribe: Subscribe) -> None:
    old = subscribe()
    kept = old.offer()
    other = old.offer(lambda offer: old.is_whole(offer) and offer["agent_id"] != kept["agent_id"], keeping=[kept])
    old.accept(other, operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "fo-op"))
    status = old.operation("fo-op", acknowledge=False)
    new = old.succeeded_by()
    old.stream.wait(lambda: old.stream.ended, about="the end of the first stream")
    assert old.error == "Framework failed over"
    new.accept(kept, operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "fo-stale"))
    assert new.refused("fo-stale") == (
        f"Operation attempted with invalid offers: Offer {kept['id']['value']} is no longer valid"
    )
    assert not [event for event in old.stream.events if event["type"] == "RESCIND"]
    assert new.operation("fo-op") == status
