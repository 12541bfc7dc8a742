"""Maintenance with inverse offers, draining, quota."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from conformance.mesos.client import Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.recording import Recording
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import OURS, framework, launch, operation, reservation, scalar, task
from conformance.mesos.tidying import eventually

HOUR = 3600 * 10**9


class Operator:
    """A person who asks the master, and what was answered."""

    def __init__(self, master: Http, recording: Recording) -> None:
        self.master = master
        self._recording = recording

    def ask(self, kind: str, **body: object) -> tuple[int, str]:
        answer = self.master.ask(kind, **body)
        self._recording.call({"type": kind, **body}, answer.status, answer.text)
        return answer.status, answer.text

    def back_in_service(self, agent_id: Json) -> bool:
        return self.master.ask("REACTIVATE_AGENT", agent_id=agent_id).status == 200

    def agent(self, agent_id: Json) -> Json:
        agents = self.master.get("GET_AGENTS")["agents"]
        return next(one for one in agents if one["agent_info"]["id"] == agent_id)

    def machine(self, agent_id: Json) -> Json:
        """The machine of an agent: its host name, and the address that it listens on."""
        agent = self.agent(agent_id)
        return {
            "hostname": agent["agent_info"]["hostname"],
            "ip": agent["pid"].partition("@")[2].rpartition(":")[0],
        }


@pytest.fixture
def operator(master: Http, recording: Recording) -> Iterator[Operator]:
    """Yield an operator; no machine is in the schedule and no agent out of service afterwards."""
    one = Operator(master, recording)
    yield one
    master.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": []})
    for agent in master.get("GET_AGENTS").get("agents", []):
        if agent.get("deactivated"):
            eventually(partial(one.back_in_service, agent["agent_info"]["id"]), "an agent in service")
    master.ask("UPDATE_QUOTA", quota_configs=[{"role": "svc"}])


def inverse_offers(one: Scheduler, agent: Json) -> list[Json]:
    return [
        inverse
        for event in list(one.stream.events)
        if event["type"] == "INVERSE_OFFERS"
        for inverse in event["inverse_offers"]["inverse_offers"]
        if inverse["agent_id"] == agent
    ]


def takes_tasks(one: Scheduler, agent: Json) -> bool:
    """Say whether an agent runs a task: a drained one counts as such when its tasks have ended, and still drops others
    until their executors have, even if it is reactivated before that."""
    offer = one.offer(lambda held: held["agent_id"] == agent)
    name = f"probe-{offer['id']['value']}"
    one.accept(offer, launch(task(name, agent)))
    first = one.stream.wait(lambda: one.task_updates(name), about=f"anything of {name}")[0]
    if first["state"] != "TASK_DROPPED":
        one.task(name, "TASK_FINISHED")
        return True
    assert first["reason"] == "REASON_AGENT_DRAINING"
    one.acknowledge(first)
    return False


def running(one: Scheduler, name: str) -> Json:
    """Start a task; return its agent's id."""
    offer = one.offer()
    one.accept(offer, launch(task(name, offer["agent_id"], command="exec sleep 300")))
    one.task(name, "TASK_RUNNING")
    agent: Json = offer["agent_id"]
    return agent


def test_a_window_is_announced_in_offers_and_asked_for_in_inverse_ones(
    subscribe: Subscribe, operator: Operator, recording: Recording
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = running(one, "stays")
    away = {"start": {"nanoseconds": int(time.time() * 1e9) + HOUR}, "duration": {"nanoseconds": HOUR}}
    machine = operator.machine(agent)
    window = {"machine_ids": [machine], "unavailability": away}
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": [window]}) == (200, "")
    held = one.offer(lambda offer: offer["agent_id"] == agent and "unavailability" in offer)
    assert held["unavailability"] == away
    (asked, *_) = one.stream.wait(lambda: inverse_offers(one, agent), about="an inverse offer")
    assert asked["unavailability"] == away
    assert asked["framework_id"] == one.framework_id
    recording.seen("inverse offer", {name: value for name, value in asked.items() if name != "url"})
    body = {"inverse_offer_ids": [asked["id"]], "filters": {"refuse_seconds": 0}}
    assert one.call("DECLINE_INVERSE_OFFERS", body).status == 202
    assert eventually(lambda: replies(operator), "an answer") == ["DECLINE"]
    again = one.stream.wait(lambda: inverse_offers(one, agent)[1:], about="the question again")[0]
    body = {"inverse_offer_ids": [again["id"]], "filters": {"refuse_seconds": 60}}
    assert one.call("ACCEPT_INVERSE_OFFERS", body).status == 202
    eventually(lambda: replies(operator) == ["ACCEPT"], "another answer")
    status = operator.master.get("GET_MAINTENANCE_STATUS")["status"]
    assert status["draining_machines"][0]["id"] == machine
    where = f"{machine['hostname']} ({machine['ip']})"
    in_schedule = f"Agent {agent['value']} is part of a maintenance schedule under Machine {where}"
    assert operator.ask("DRAIN_AGENT", agent_id=agent) == (400, in_schedule)
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": []}) == (200, "")
    held = one.offer(lambda offer: offer["agent_id"] == agent and "unavailability" not in offer)
    assert operator.master.get("GET_MAINTENANCE_STATUS") == {"status": {}}
    assert operator.master.get("GET_MAINTENANCE_SCHEDULE") == {"schedule": {}}


def test_who_subscribes_again_is_asked_again_for_a_machine(subscribe: Subscribe, operator: Operator) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = running(one, "stays-on")
    away = {"start": {"nanoseconds": int(time.time() * 1e9) + HOUR}, "duration": {"nanoseconds": HOUR}}
    window = {"machine_ids": [operator.machine(agent)], "unavailability": away}
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": [window]}) == (200, "")
    first = one.stream.wait(lambda: inverse_offers(one, agent), about="an inverse offer")[0]
    again = one.succeeded_by()
    asked = again.stream.wait(lambda: inverse_offers(again, agent), about="the question to the successor")[0]
    assert asked["unavailability"] == away
    assert asked["id"] != first["id"]
    again.teardown()


def replies(operator: Operator) -> list[str]:
    machines = operator.master.get("GET_MAINTENANCE_STATUS")["status"].get("draining_machines", [])
    return [one["status"] for machine in machines for one in machine.get("statuses", [])]


def test_a_schedule_that_makes_no_sense_is_refused(subscribe: Subscribe, operator: Operator) -> None:
    away = {"start": {"nanoseconds": int(time.time() * 1e9) + HOUR}}
    machine = {"hostname": "nowhere", "ip": "10.0.0.1"}
    text = '{"hostname":"nowhere","ip":"10.0.0.1"}'
    empty = [{"machine_ids": [], "unavailability": away}]
    twice = [{"machine_ids": [machine, machine], "unavailability": away}]
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": empty}) == (
        400,
        "List of machines in the maintenance window is empty",
    )
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": twice}) == (
        400,
        f"Machine '{text}' appears more than once in the schedule",
    )
    assert operator.ask("START_MAINTENANCE", machines=[machine]) == (
        400,
        f"Machine '{text}' is not part of a maintenance schedule",
    )
    planned = [{"machine_ids": [machine], "unavailability": away}]
    assert operator.ask("UPDATE_MAINTENANCE_SCHEDULE", schedule={"windows": planned}) == (200, "")
    assert operator.ask("STOP_MAINTENANCE", machines=[machine]) == (
        400,
        f"Machine '{text}' is not in DOWN mode and cannot be brought up",
    )


def test_a_drained_agent_ends_its_tasks_and_is_offered_again_when_reactivated(
    subscribe: Subscribe, operator: Operator
) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = running(one, "drained")
    assert operator.ask("REACTIVATE_AGENT", agent_id=agent) == (400, "Agent is not deactivated")
    assert operator.ask("DRAIN_AGENT", agent_id={"value": "nope"}) == (400, "Unknown agent")
    assert operator.ask("DRAIN_AGENT", agent_id=agent, max_grace_period={"seconds": 5}) == (200, "")
    assert operator.ask("REACTIVATE_AGENT", agent_id=agent) == (400, "Agent is still in the DRAINING state")
    shown = operator.agent(agent)
    assert shown["deactivated"] is True
    assert shown["active"] is False
    config = {"max_grace_period": {"nanoseconds": 5 * 10**9}, "mark_gone": False}
    assert shown["drain_info"] == {"state": "DRAINING", "config": config}
    status = one.task("drained", "TASK_KILLED")
    assert status["reason"] == "REASON_AGENT_DRAINING"
    assert status["message"] == "Command terminated with signal Terminated"
    eventually(lambda: operator.agent(agent)["drain_info"]["state"] == "DRAINED", "an agent that is drained")
    assert operator.ask("REACTIVATE_AGENT", agent_id=agent) == (200, "")
    one.offer(lambda offer: offer["agent_id"] == agent and one.is_whole(offer))
    assert "drain_info" not in operator.agent(agent)
    one.teardown()
    # How often an agent drops a task is a matter of chance, so it is not compared.
    aside = Scheduler(operator.master, Recording())
    eventually(lambda: takes_tasks(aside, agent), "an agent that takes tasks")
    aside.teardown()
    aside.stream.close()


def test_a_deactivated_agent_keeps_its_tasks(subscribe: Subscribe, operator: Operator) -> None:
    one = subscribe(framework(checkpoint=True))
    agent = running(one, "kept")
    assert operator.ask("DEACTIVATE_AGENT", agent_id={"value": "nope"}) == (400, "Unknown agent")
    assert operator.ask("DEACTIVATE_AGENT", agent_id=agent) == (200, "")
    eventually(lambda: operator.agent(agent)["active"] is False, "an agent that is not active")
    eventually(lambda: agent not in [held["agent_id"] for held in one.offers()], "its offers to be rescinded")
    assert operator.ask("REACTIVATE_AGENT", agent_id=agent) == (200, "")
    eventually(lambda: operator.agent(agent)["active"] is True, "an agent that is active again")
    assert [status["state"] for status in one.task_updates("kept")][-1] == "TASK_RUNNING"


def test_a_quota_bounds_what_a_role_is_offered_and_counts_reservations(
    subscribe: Subscribe, operator: Operator
) -> None:
    limits = {"cpus": {"value": 2}, "mem": {"value": 1000}}
    assert operator.ask("UPDATE_QUOTA", quota_configs=[{"role": "svc", "limits": limits}]) == (200, "")
    (config,) = operator.master.get("GET_QUOTA")["status"]["configs"]
    assert config == {"role": "svc", "limits": limits}
    one = subscribe()
    offer = one.offer(lambda held: True)
    assert sum(r["scalar"]["value"] for r in offer["resources"] if r["name"] == "cpus") == 2.0
    assert sum(r["scalar"]["value"] for r in offer["resources"] if r["name"] == "mem") == 1000.0
    one.accept(offer, operation("RESERVE", [scalar("cpus", 1.5, OURS)], "r"))
    one.finished("r")
    held = one.offer(lambda other: [r for r in other["resources"] if r.get("reservations")], recorded=False)
    assert sum(r["scalar"]["value"] for r in held["resources"] if r["name"] == "cpus") <= 2.0


def cpus_offered(one: Scheduler) -> float:
    """Return how many cpus an agent offers; which of the agents has what is left of a quota is a matter of chance."""
    offer = one.offer(lambda held: [r for r in held["resources"] if r["name"] == "cpus"], recorded=False)
    return sum(float(r["scalar"]["value"]) for r in offer["resources"] if r["name"] == "cpus")


def test_a_quota_bounds_no_role_below_and_counts_what_those_hold(subscribe: Subscribe, operator: Operator) -> None:
    limits = {"cpus": {"value": 2}, "mem": {"value": 1000}}
    assert operator.ask("UPDATE_QUOTA", quota_configs=[{"role": "svc", "limits": limits}]) == (200, "")
    below = subscribe(framework(roles=["svc/below"]))
    offer = below.offer(lambda held: [r for r in held["resources"] if r["name"] == "cpus"], recorded=False)
    assert sum(r["scalar"]["value"] for r in offer["resources"] if r["name"] == "cpus") > 2.0
    below.accept(offer, operation("RESERVE", [scalar("cpus", 1.5, reservation("svc/below"))], "r"))
    below.finished("r")
    below.teardown()
    assert cpus_offered(subscribe()) == 0.5


def test_a_quota_that_makes_no_sense_is_refused(subscribe: Subscribe, operator: Operator) -> None:
    nested = {"role": "a/b", "limits": {"cpus": {"value": 2}}}
    assert operator.ask("UPDATE_QUOTA", quota_configs=[nested]) == (
        400,
        "Updating quota on nested role 'a/b' is not supported yet",
    )
    more = {"role": "svc", "guarantees": {"cpus": {"value": 3}}, "limits": {"cpus": {"value": 2}}}
    assert operator.ask("UPDATE_QUOTA", force=True, quota_configs=[more]) == (
        400,
        "Invalid QuotaConfig: 'QuotaConfig.guarantees' { cpus: 3 } is not contained within the "
        "'QuotaConfig.limits' { cpus: 2 }",
    )
