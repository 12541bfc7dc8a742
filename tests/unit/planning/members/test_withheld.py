"""Another framework of the role runs on a part of what is reserved for a member, and lets go of it later."""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Unreserve
from statefuldb.model.spec import ResourcesSpec, Strategy
from unit.planning.members.test_partial_accept import RESERVING, attempt, ours, over, running, settle
from unit.planning.world import MIB, decide, observed, offer, remaining, spec


@RESERVING
def test_what_another_framework_had_taken_of_a_bundle_is_given_back_once_it_lets_go(strategy: Strategy) -> None:
    """On a real Mesos: a task of another framework on two thirds of a stopped member's cpus, which then ended."""
    wanted = spec(strategy)
    first, accept = attempt(wanted, observed(), offer())
    idle = remaining(offer(), accept, launched=False)
    (taken,) = [r for r in ours(idle) if r.name == "cpus"]
    without = replace(idle, resources=tuple(r for r in idle.resources if r != taken))
    ended = over(replace(first, initialised=True, token=1), TaskState.KILLED)
    second, accept = attempt(wanted, observed(volumes=(ended,)), without)
    assert second.launch is not None
    assert second.launch.leaves_surplus
    held = remaining(without, accept, launched=False)
    listed = replace(held, resources=(*ours(held), taken))
    used = remaining(without, accept, launched=True)
    seen = replace(running(second), reserved=(listed,))
    waits = decide(wanted, seen, used)
    assert not waits.actions, "it is forgotten while it is used"
    assert waits.wants_offers
    assert not decide(wanted, replace(seen, reserved=None), used).actions, "the master does not say"
    freed = replace(used, resources=(*used.resources, taken))
    _, given_back = decide(wanted, seen, freed).actions
    assert isinstance(given_back, AcceptOffers)
    assert given_back.operations == (Unreserve(resources=(taken,)),)
    after, (left,) = settle(wanted, replace(seen, reserved=(replace(held, resources=tuple(ours(held))),)), freed)
    assert not ours(left)
    assert after.volumes[0].launch is not None
    assert not after.volumes[0].launch.leaves_surplus


@RESERVING
def test_what_is_whole_or_made_larger_is_not_looked_for(strategy: Strategy) -> None:
    first, accept = attempt(spec(strategy), observed(), offer())
    idle = remaining(offer(), accept, launched=False)
    ended = over(replace(first, initialised=True, token=1), TaskState.KILLED)
    for wanted in (spec(strategy), spec(strategy, resources=ResourcesSpec(cpus_milli=700, memory_bytes=512 * MIB))):
        second, _ = attempt(wanted, observed(volumes=(ended,)), idle)
        assert second.launch is not None
        assert not second.launch.leaves_surplus
