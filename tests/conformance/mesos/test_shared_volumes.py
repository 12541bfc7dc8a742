"""Shared volumes, with and without the capability (Mesos docs, shared-resources)."""

from typing import Any

from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import CAPABILITIES, OURS, Json, framework, launch, operation, scalar, task, volume
from conformance.mesos.tidying import eventually

SHARING = [{"type": name} for name in (*CAPABILITIES, "SHARED_RESOURCES")]
DISK = scalar("disk", 64, OURS)
COMPUTE = (scalar("cpus", 0.1), scalar("mem", 32))
SHARED = {**volume("shared", 64), "shared": {}}


def shared_in(offer: Json) -> list[Json]:
    return [r for r in offer["resources"] if "shared" in r]


def created(one: Scheduler) -> Json:
    """Create the shared volume; return its agent."""
    offer = one.offer()
    one.accept(offer, operation("RESERVE", [DISK], "r"), operation("CREATE", [SHARED], "c"))
    one.finished("r", "c")
    agent: Json = offer["agent_id"]
    return agent


def with_shared(one: Scheduler, agent: Json, **options: Any) -> Json:
    return one.offer(lambda offer: offer["agent_id"] == agent and shared_in(offer), **options)


def test_several_tasks_use_a_shared_volume_at_once_and_it_stays_in_offers(subscribe: Subscribe) -> None:
    one = subscribe(framework(capabilities=SHARING))
    agent = created(one)
    offer = with_shared(one, agent)
    writes = "echo told > data/file; exec sleep 300"
    reads = "until grep -q told data/file; do sleep 0.1; done"
    resources = [*COMPUTE, SHARED]
    one.accept(offer, launch(task("a", agent, resources, writes), task("b", agent, resources, reads)))
    one.task("a", "TASK_RUNNING")
    one.task("b", "TASK_FINISHED")
    offer = with_shared(one, agent, recorded=False)
    one.accept(offer, operation("DESTROY", [SHARED], "d"))
    assert one.refused("d").startswith("Persistent volumes in use")
    assert one.call("KILL", {"task_id": {"value": "a"}, "agent_id": agent}).status == 202
    one.task("a", "TASK_KILLED")
    one.accept(with_shared(one, agent, recorded=False), operation("DESTROY", [SHARED], "d2"))
    one.finished("d2")


def test_it_is_not_offered_to_who_does_not_share(subscribe: Subscribe) -> None:
    one = subscribe(framework(capabilities=SHARING))
    agent = created(one)
    one.teardown()
    other = subscribe()
    offer = other.offer(lambda held: held["agent_id"] == agent)
    assert not shared_in(offer)
    other.accept(offer, operation("DESTROY", [SHARED], "d"))
    assert "does not contain" in other.refused("d")


def test_its_end_withdraws_the_offers_that_hold_it(subscribe: Subscribe) -> None:
    one = subscribe(framework(capabilities=SHARING))
    agent = created(one)
    first = with_shared(one, agent)
    sleeping = task("holds", agent, COMPUTE, "exec sleep 300")
    one.accept(first, launch(sleeping))
    one.task("holds", "TASK_RUNNING")
    offer = with_shared(one, agent, recorded=False)
    # Another framework of the role is offered it as soon as there is something else to offer.
    assert one.call("SUPPRESS").status == 202
    other = subscribe(framework(name="second", capabilities=SHARING))
    assert one.call("KILL", {"task_id": {"value": "holds"}, "agent_id": agent}).status == 202
    one.task("holds", "TASK_KILLED")
    known = eventually(lambda: [held for held in other.offers() if shared_in(held)], "an offer to the other one")
    one.accept(offer, operation("DESTROY", [SHARED], "d"))
    one.finished("d")
    gone = {held["id"]["value"] for held in known}
    other.stream.wait(lambda: not gone & {o["id"]["value"] for o in other.offers()}, about="withdrawn offers")
