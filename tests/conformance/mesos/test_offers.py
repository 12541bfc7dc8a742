"""Offers: filters, suppressing, reviving, several roles."""

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import (
    BUNDLE,
    OURS,
    PLAIN,
    bundled,
    framework,
    launch,
    operation,
    reservation,
    scalar,
    task,
)
from conformance.mesos.tidying import eventually

CHILD = reservation("svc/db", labels=None)
SILENCE_SECONDS = 2.0


def silent(one: Scheduler, known: int) -> bool:
    """Say whether no offer comes for a while."""
    try:
        one.stream.wait(lambda: offers_in(one.stream.events[known:]), SILENCE_SECONDS)
    except AssertionError:
        return True
    return False


def offers_in(events: list[Json]) -> list[Json]:
    return [event for event in events if event["type"] == "OFFERS"]


def decline_all(one: Scheduler, refuse_seconds: float | None) -> tuple[Json, int]:
    """Decline what is offered of both agents; return one of them, and how many events there were by then."""
    first = one.offer()
    second = one.offer(lambda held: one.is_whole(held) and held["agent_id"] != first["agent_id"], keeping=[first])
    assert one.decline(first, second, refuse_seconds=refuse_seconds).status == 202
    return first["agent_id"], len(one.stream.events)


def test_declined_for_long_is_not_offered_until_revived(subscribe: Subscribe) -> None:
    one = subscribe()
    agent, known = decline_all(one, 3600)
    assert silent(one, known)
    assert one.call("REVIVE").status == 202
    one.offer(lambda held: held["agent_id"] == agent)


def test_declined_without_filters_is_offered_again_after_five_seconds(subscribe: Subscribe) -> None:
    one = subscribe()
    agent, known = decline_all(one, None)
    assert silent(one, known)
    one.offer(lambda held: held["agent_id"] == agent)


def test_suppressed_roles_are_not_offered_anything(subscribe: Subscribe) -> None:
    one = subscribe()
    first = one.offer()
    second = one.offer(lambda held: one.is_whole(held) and held["agent_id"] != first["agent_id"], keeping=[first])
    assert one.call("SUPPRESS").status == 202
    one.decline(first, second)
    assert silent(one, len(one.stream.events))
    assert one.call("REVIVE", {"roles": ["svc"]}).status == 202
    one.offer(lambda held: held["agent_id"] == first["agent_id"])


def test_an_accept_of_nothing_declines(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer)
    again = one.offer(lambda held: one.is_whole(held) and held["agent_id"] == offer["agent_id"])
    assert again["id"] != offer["id"]


def test_reservations_outlive_their_framework_and_belong_to_the_role(subscribe: Subscribe, master: Http) -> None:
    first = subscribe()
    offer = first.offer()
    agent = offer["agent_id"]
    first.accept(offer, *bundled("left-task", agent, "left-1", "echo x > data/kept"))
    first.finished("left-1-r", "left-1-c")
    first.runs_to("TASK_FINISHED", "left-task")
    first.teardown()
    second = subscribe(framework(principal="another-principal"))
    held = second.offer(lambda other: second.is_whole(other) and other["agent_id"] == agent)
    mine = [r for r in held["resources"] if r.get("reservations")]
    assert {r["name"] for r in mine} == {"cpus", "mem", "disk"}
    second.accept(held, launch(task("left-task-2", agent, mine, "cat data/kept")))
    second.runs_to("TASK_FINISHED", "left-task-2")
    held = second.offer(lambda other: second.is_whole(other) and other["agent_id"] == agent)
    volumes = [r for r in held["resources"] if "disk" in r]
    # Nobody has forbidden it.
    second.accept(held, operation("DESTROY", volumes, "l-d"), operation("UNRESERVE", BUNDLE, "l-u"))
    second.finished("l-d", "l-u")


def test_a_task_on_reserved_resources_ends_and_they_are_given_back(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    reserve = operation("RESERVE", BUNDLE[:2], "r")
    one.accept(offer, reserve, launch(task("short", agent, BUNDLE[:2])))
    one.finished("r")
    one.runs_to("TASK_FINISHED", "short")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    one.accept(held, operation("UNRESERVE", BUNDLE[:2], "u"))
    one.finished("u")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    assert not [r for r in held["resources"] if r.get("reservations")]


def test_another_roles_reservation_is_not_offered(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, operation("RESERVE", [scalar("cpus", 1, OURS)], "r"))
    one.finished("r")
    one.teardown()
    other = subscribe(framework(roles=["other"]))
    held = other.offer(lambda again: again["agent_id"] == offer["agent_id"])
    assert sum(r["scalar"]["value"] for r in held["resources"] if r["name"] == "cpus") == 3.0
    other.accept(held, operation("UNRESERVE", [scalar("cpus", 1, OURS)], "alien"))
    assert " does not contain cpus(allocated: other)" in other.refused("alien")


def of_role(one: Scheduler, role: str, agent: Json | None = None) -> Json:
    """Wait for an offer for a role; the other role is suppressed for it, so that all of an agent comes."""
    others = [name for name in one.info["roles"] if name != role]
    assert one.call("SUPPRESS", {"roles": others}).status == 202
    assert one.call("REVIVE", {"roles": [role]}).status == 202
    one.put_back([held for held in one.offers() if held["allocation_info"]["role"] != role])
    return one.offer(
        lambda held: (
            held["allocation_info"]["role"] == role and agent in (None, held["agent_id"]) and one.is_whole(held)
        )
    )


def test_a_reservation_is_refined_for_a_child_role_one_level_at_a_time(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=["svc", "svc/db"]))
    offer = of_role(one, "svc/db")
    agent = offer["agent_id"]
    one.accept(offer, operation("RESERVE", [scalar("cpus", 0.5, PLAIN, CHILD)], "two-at-once"))
    assert one.refused("two-at-once").endswith(
        " does not contain cpus(allocated: svc/db)(reservations: [(DYNAMIC,svc,svc-principal)]):0.5"
    )
    offer = of_role(one, "svc/db", agent)
    one.accept(offer, operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "wrong-role"))
    assert one.refused("wrong-role").startswith(
        "A reserve operation was attempted for a resource with role 'svc', but the resource was allocated to role "
        "'svc/db'; on agent "
    )
    offer = of_role(one, "svc", agent)
    one.accept(offer, operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "lvl1"))
    one.finished("lvl1")
    offer = of_role(one, "svc/db", agent)
    one.accept(offer, operation("RESERVE", [scalar("cpus", 0.5, PLAIN, CHILD)], "lvl2"))
    one.finished("lvl2")
    offer = of_role(one, "svc/db", agent)
    (refined,) = [r for r in offer["resources"] if len(r.get("reservations", [])) == 2]
    one.accept(offer, operation("UNRESERVE", [refined], "un2"))
    one.finished("un2")
    offer = of_role(one, "svc", agent)
    (plain,) = [r for r in offer["resources"] if r.get("reservations")]
    assert plain["reservations"] == [PLAIN]
    one.accept(offer, operation("UNRESERVE", [plain], "un1"))
    one.finished("un1")


def test_offers_of_roles_that_a_framework_has_left_are_withdrawn(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=["svc", "svc/db"]))
    offer = of_role(one, "svc")
    info = {**one.info, "roles": ["svc/db"]}
    answer = one.call("UPDATE_FRAMEWORK", {"framework_info": info})
    assert (answer.status, answer.text) == (200, "")
    one.stream.wait(lambda: [e for e in one.stream.events if e["type"] == "RESCIND"], about="the withdrawn offer")
    assert offer["id"] not in [held["id"] for held in one.offers()]
    answer = one.call("UPDATE_FRAMEWORK", {"framework_info": {**info, "user": "nobody"}})
    assert answer.status == 400
    assert answer.text == (
        "FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; attempted to update from "
        "'root' to 'nobody'"
    )
    answer = one.call("UPDATE_FRAMEWORK", {"framework_info": {**info, "checkpoint": True}})
    assert answer.text == (
        "FrameworkInfo update is not valid: Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update "
        "from 'false' to 'true'"
    )


OLD = {"role": "svc", "reservation": {"principal": "svc-principal"}}


def test_without_refinement_reservations_come_in_the_older_form(subscribe: Subscribe) -> None:
    one = subscribe(framework(capabilities=[{"type": "MULTI_ROLE"}]))
    offer = one.offer()
    agent = offer["agent_id"]
    old = [{**scalar("cpus", 0.25), **OLD}, {**scalar("disk", 64), **OLD}]
    disk = {
        "persistence": {"id": "lv", "principal": "svc-principal"},
        "volume": {"container_path": "data", "mode": "RW"},
    }
    created = operation("CREATE", [{**old[1], "disk": disk}], "old-c")
    newer = operation("RESERVE", [scalar("cpus", 0.5, PLAIN)], "new-form")
    one.accept(offer, newer, operation("RESERVE", old, "old-r"), created)
    one.finished("new-form", "old-r", "old-c")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    mine = {r["name"]: r for r in held["resources"] if r.get("role") == "svc"}
    assert mine["cpus"]["scalar"]["value"] == 0.75
    assert mine["cpus"]["reservation"] == {"principal": "svc-principal"}
    assert "reservations" not in mine["cpus"]
    one.accept(held, operation("DESTROY", [mine["disk"]], "old-d"), operation("UNRESERVE", [mine["cpus"], old[1]], "u"))
    one.finished("old-d", "u")


def test_without_partition_awareness_what_is_not_known_is_lost(subscribe: Subscribe) -> None:
    one = subscribe(framework(capabilities=[{"type": "MULTI_ROLE"}]))
    offer = one.offer()
    one.decline(offer, refuse_seconds=3600)
    one.accept(offer, launch(task("stale", offer["agent_id"])))
    assert one.task("stale", "TASK_LOST")["reason"] == "REASON_INVALID_OFFERS"
    wanted = {"task_id": {"value": "never-was"}, "agent_id": offer["agent_id"]}
    assert one.call("RECONCILE", {"tasks": [wanted]}).status == 202
    assert one.task("never-was", "TASK_LOST")["message"] == "Reconciliation: Task is unknown to the agent"


def test_what_is_used_and_offered_is_seen_by_the_operator(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    offer = one.offer()
    one.accept(offer, launch(task("seen", offer["agent_id"], command="exec sleep 300")))
    one.task("seen", "TASK_RUNNING")

    def allocated() -> list[Json]:
        (agent,) = [a for a in master.get("GET_AGENTS")["agents"] if a["agent_info"]["id"] == offer["agent_id"]]
        return [r for r in agent.get("allocated_resources", []) if r["name"] == "cpus"]

    (cpus,) = eventually(allocated, "the task's resources")
    assert cpus["scalar"]["value"] == 0.1
    assert cpus["allocation_info"] == {"role": "svc"}
    (running,) = master.get("GET_TASKS")["tasks"]
    assert running["state"] == "TASK_RUNNING"
    assert running["task_id"] == {"value": "seen"}


def test_who_holds_an_offer_is_shown_with_it(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    offer = one.offer()
    (shown,) = [f for f in master.get("GET_FRAMEWORKS")["frameworks"] if f["framework_info"]["id"] == one.framework_id]
    assert [held for held in shown["offers"] if held["id"] == offer["id"]] == [offer]
    one.decline(*one.offers(), refuse_seconds=3600)

    def offers() -> list[Json]:
        (now,) = [
            f for f in master.get("GET_FRAMEWORKS")["frameworks"] if f["framework_info"]["id"] == one.framework_id
        ]
        return list(now.get("offers", []))

    eventually(lambda: not any(held["id"] == offer["id"] for held in offers()), "the offer to be let go of")
