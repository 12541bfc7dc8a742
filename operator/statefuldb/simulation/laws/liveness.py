"""The liveness laws: once faults and people rest, all comes to what is wanted of it, and then is at rest."""

from collections import Counter
from decimal import Decimal
from typing import Any

from statefuldb.adapters.mesos.reconciliation import AGAIN_LIMIT_SECONDS
from statefuldb.adapters.mesos.wire import resource_from_wire
from statefuldb.model.conditions import Reason
from statefuldb.model.quantity import parse_quantity
from statefuldb.model.resources import BYTES_PER_MIB, MILLI
from statefuldb.model.volume import Intent
from statefuldb.planning.members.serving import HEALTHY_AFTER_SECONDS
from statefuldb.planning.storage.holding import identity_of
from statefuldb.simulation.actors.people import NAMESPACE, Wanted
from statefuldb.simulation.world import World

Json = dict[str, Any]
SETTLE_SECONDS = 900.0
REST_SECONDS = 120.0
ENDS_SECONDS = 240.0
# Longer than one Event takes.
SAID_SECONDS = 10.0
UNEXPLAINED = "and nothing says why"
AT_REST_CALLS = ("RECONCILE", "RECONCILE_OPERATIONS", "DECLINE", "SUPPRESS")


def come_to_rest(world: World) -> None:
    """Let the world settle, and judge what has become of it. Raises LawBroken."""
    world.rest()
    # What went wrong has its end still before it, and what was lost by it comes back after that.
    world.pass_by(ENDS_SECONDS if world.faults is not None else 0.0)
    until = world.schedule.now + SETTLE_SECONDS
    while (world.people.to_come or unsettled(world)) and world.schedule.now < until:
        world.pass_by(5.0)
    open_ends = unsettled(world)
    unexplained = [text for text, _ in open_ends if UNEXPLAINED in text]
    world.verdict.judge("explained", not unexplained, "; ".join(unexplained))
    deletions = [text for text, deleted in open_ends if deleted]
    world.verdict.judge("deletable", not deletions, "; ".join(deletions))
    others = [text for text, deleted in open_ends if not deleted]
    world.verdict.judge("eventually_stable", not others, f"{SETTLE_SECONDS:g} s after all rested: " + "; ".join(others))
    _at_rest(world)
    _no_leak(world)


def unsettled(world: World) -> list[tuple[str, bool]]:
    """Return what is not yet as it is wanted, and whether it is a deletion."""
    found = []
    for wanted in world.people.wanted.values():
        stored = world.api.find("statefuldatabases", NAMESPACE, wanted.name)
        problem = _gone(stored) if wanted.spec is None else _there(world, stored, wanted)
        if problem:
            found.append((f"{wanted.name}: {problem}", wanted.spec is None))
    agents = {agent.id for agent in world.agents}
    # What ran on an agent whose id is gone for ever waits for a person's word that it runs no more.
    kept = [
        f"{v.name} is not released: {v.phase}"
        for v in world.laws.ledger()
        if v.intent is Intent.DELETE and (v.ended or v.launch is None or v.launch.agent.id in agents)
    ]
    return [*found, *((text, True) for text in kept)]


def _gone(stored: Json | None) -> str:
    return "" if stored is None else "the object is still there"


def _there(world: World, stored: Json | None, wanted: Wanted) -> str:
    if stored is None:
        return "the object is not there"
    status = stored.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    ready = conditions.get("Ready", {})
    if ready.get("observedGeneration") != stored["metadata"]["generation"]:
        return "its last generation is not observed"
    spec = _in_force(stored["spec"], status, conditions)
    if spec.get("replicas", 1) == 0 or spec.get("state") == "Stopped":
        running = [m for m in status.get("members", []) if m.get("ready")]
        unanswered = [w["message"] for w in _waits(status) if w["reason"] == Reason.AWAITING_RECONCILIATION]
        return "still runs" if running else "; ".join(unanswered)
    if ready.get("status") != "True":
        if {w["reason"] for w in _waits(status)} == {Reason.AWAITING_RESOURCES} and _is_full(world, stored, spec):
            return ""
        waits = [f"{w['reason']}: {w['message']}" for w in _waits(status)]
        return f"{ready.get('reason')}: {ready.get('message')} ({'; '.join(waits) or UNEXPLAINED})"
    if world.clients.connect(wanted.name) is None:
        return "called Ready, but a client cannot connect as its Secret says"
    return ""


def _is_full(world: World, stored: Json, spec: Json) -> bool:
    """Whether the agent of a member, which runs on as it was launched, has indeed less free than it is to have more."""
    cluster, wanted = world.mesos.master.cluster, spec["resources"]
    for entry in world.laws.ledger():
        agent = cluster.agents.get(entry.launch.agent.id) if entry.launch is not None else None
        if agent is None or entry.launch is None or entry.owner_uid != stored["metadata"]["uid"]:
            continue
        left = agent.total
        for user in cluster.users_on(agent.id):
            left = left - user.resources.exclusive()
        free = Counter[str]()
        for resource in left.to_json():
            if "scalar" in resource and not resource.get("reservations"):
                free[resource["name"]] += resource["scalar"]["value"]
        more_cpus = parse_quantity(wanted["cpus"]) - Decimal(entry.launch.cpus_milli) / MILLI
        more_bytes = parse_quantity(wanted["memory"]) - entry.launch.memory_bytes
        return more_cpus > free["cpus"] or more_bytes > free["mem"] * BYTES_PER_MIB
    return False


def _in_force(spec: Json, status: Json, conditions: dict[str, Json]) -> Json:
    """Return the spec that is the target: that of before, where the last one is refused, which is said."""
    refused = conditions.get("Accepted", {}).get("status") == "False"
    accepted: Json = status.get("accepted", {}).get("spec", spec)
    return accepted if refused else spec


def _waits(status: Json) -> list[Json]:
    return list(status.get("plan", {}).get("waiting", []))


def _at_rest(world: World) -> None:
    """Rest is no write to the API and no call but asking for what may have been missed.

    It begins where whatever failed last has outlived that, which is written down, and so is what a master says last.
    """
    world.pass_by(HEALTHY_AFTER_SECONDS + 10.0)
    _all_is_answered(world)
    _all_is_said(world)
    written, calls = _in_a_while(world)
    if written and "RECONCILE" in calls:
        # It may be told otherwise of what is lost: of an agent that is forgotten meanwhile a master knows less.
        written, calls = _in_a_while(world)
    loud = {kind: n for kind, n in calls.items() if kind not in AT_REST_CALLS}
    world.verdict.judge(
        "eventually_stable", not written and not loud, f"at rest there were {written} writes and the calls {loud}"
    )


def _in_a_while(world: World) -> tuple[int, dict[str, int]]:
    """Let a while pass, and return the writes to the API in it, and the calls to Mesos by their kinds."""
    version, before = world.api.store.version, dict(world.calls)
    world.pass_by(REST_SECONDS)
    calls = {k: n - before.get(k, 0) for k, n in world.calls.items() if n != before.get(k, 0)}
    return world.api.store.version - version, calls


def _all_is_answered(world: World) -> None:
    """Let a master that was started again give up the agents that never come back, and answer for what was there.

    It says nothing of that before, nor by itself: it is asked.
    """
    if _awaits_agents(world):
        while _awaits_agents(world):
            world.pass_by(SAID_SECONDS)
        world.pass_by(AGAIN_LIMIT_SECONDS + SAID_SECONDS)


def _awaits_agents(world: World) -> bool:
    return any(agent.recovered and not agent.gone for agent in world.mesos.master.cluster.agents.values())


def _all_is_said(world: World) -> None:
    """Let the Events that wait be written: one after the other, each as slowly as the API server answers."""
    until, latest = world.schedule.now + SETTLE_SECONDS, ""
    while latest != (latest := _latest_event(world)) and world.schedule.now < until:
        world.pass_by(SAID_SECONDS)


def _latest_event(world: World) -> str:
    versions = [event["metadata"]["resourceVersion"] for event in world.api.objects("events")]
    return max(versions, key=int, default="")


def _no_leak(world: World) -> None:
    """Whatever carries our label is in the ledger."""
    known = {volume.identity for volume in world.laws.ledger()}
    for agent in world.agents:
        for resource in agent.total:
            owner = identity_of(resource_from_wire(resource))
            if owner is not None:
                message = (
                    f"{agent.host.hostname} holds {resource['name']} for {owner.uid}, whom the ledger does not know"
                )
                world.verdict.judge("no_leak", owner in known, message)
