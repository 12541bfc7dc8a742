"""One scheduler: a subscription, the offers it holds, and what it has been told. It acknowledges what it waits for."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from conformance.mesos.client import PATIENCE_SECONDS, SCHEDULER, Answer, Http, Json, Stream
from conformance.mesos.recording import Recording
from conformance.mesos.things import framework


class Scheduler:
    """A scheduler of one master. Nothing is answered unless a test does so."""

    def __init__(self, master: Http, recording: Recording, info: Json | None = None, **headers: str | None) -> None:
        self.master = master
        self.recording = recording
        self.info = info if info is not None else framework()
        self.headers = headers
        self.framework_id: Json | None = None
        self._settled: set[str] = set()
        self._acknowledged: set[str] = set()
        self.stream = self._subscribe()

    def _subscribe(self, **more: Any) -> Stream:
        call: Json = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self.info, **more}}
        if "id" in self.info:
            call["framework_id"] = self.info["id"]
        stream = Stream(self.master, call, **self.headers)
        self.recording.call(call, stream.status, getattr(stream, "text", ""))
        if stream.status == 200:
            stream.wait(lambda: stream.events, about="a first event")
            first = stream.events[0]
            if first["type"] == "SUBSCRIBED":
                self.framework_id = first["subscribed"]["framework_id"]
                self.info = {**self.info, "id": self.framework_id}
        return stream

    @property
    def error(self) -> str | None:
        """The message of the ERROR event, if there is one."""
        said = [event["error"]["message"] for event in self.stream.events if event["type"] == "ERROR"]
        return said[0] if said else None

    def succeeded_by(self, **changes: Any) -> "Scheduler":
        """Subscribe again under the same id, on a stream of its own."""
        return Scheduler(self.master, self.recording, {**self.info, **changes}, **self.headers)

    def call(self, kind: str, body: Json | None = None, **headers: str | None) -> Answer:
        """Send one call."""
        sent: Json = {"type": kind}
        if self.framework_id is not None:
            sent["framework_id"] = self.framework_id
        if body is not None:
            sent[kind.lower()] = body
        answer = self.master.send(
            "POST", SCHEDULER, sent, **{"Mesos_Stream_Id": self.stream.id, **self.headers, **headers}
        )
        self.recording.call(sent, answer.status, answer.text)
        return answer

    def offers(self) -> list[Json]:
        """Return the outstanding offers that have not been answered."""
        held: dict[str, Json] = {}
        for event in list(self.stream.events):
            if event["type"] == "OFFERS":
                held.update({offer["id"]["value"]: offer for offer in event["offers"].get("offers", [])})
            elif event["type"] == "RESCIND":
                held.pop(event["rescind"]["offer_id"]["value"], None)
        return [offer for identity, offer in held.items() if identity not in self._settled]

    def offer(
        self,
        wanted: Callable[[Json], Any] | None = None,
        *,
        keeping: Iterable[Json] = (),
        recorded: bool = True,
        seconds: float = PATIENCE_SECONDS,
    ) -> Json:
        """Wait for an offer as wanted, by default of everything that one agent has.

        All others but those to be kept are put back, so that parts of an agent come joined. What is in it may be a
        matter of chance; then it is not to be recorded.
        """
        kept = [offer["id"] for offer in keeping]
        fits = wanted or self.is_whole
        deadline = time.monotonic() + seconds
        while True:
            held = [offer for offer in self.offers() if offer["id"] not in kept]
            found = next((offer for offer in held if fits(offer)), None)
            if found is not None:
                if recorded:
                    self.recording.seen("offer", {k: v for k, v in found.items() if k != "url"})
                return found
            self.put_back(held)
            self.stream.wait_for_more(max(deadline - time.monotonic(), 0.1), "an offer")

    def put_back(self, held: list[Json]) -> None:
        """Decline offers that a test has no interest in: the recording does not hold that."""
        if not held:
            return
        self.settle(held)
        body: Json = {"offer_ids": [offer["id"] for offer in held], "filters": {"refuse_seconds": 0}}
        call = {"type": "DECLINE", "framework_id": self.framework_id, "decline": body}
        self.master.send("POST", SCHEDULER, call, **{"Mesos_Stream_Id": self.stream.id, **self.headers})

    def is_whole(self, offer: Json) -> bool:
        """Say whether an offer holds all scalars that its agent has for the role that it is made to."""
        agents = self.master.get("GET_AGENTS").get("agents", [])
        (agent,) = [a for a in agents if a["agent_info"]["id"] == offer["agent_id"]]
        role = offer.get("allocation_info", {}).get("role") or self.info["roles"][0]
        return amounts(offer["resources"]) == amounts(r for r in agent["total_resources"] if is_for(role, r))

    def settle(self, offers: Iterable[Json]) -> None:
        """Note offers as answered."""
        self._settled |= {offer["id"]["value"] for offer in offers}

    def accept(self, offers: Json | list[Json], *operations: Json, refuse_seconds: float = 0.0) -> Answer:
        """Send an ACCEPT."""
        listed = [offers] if isinstance(offers, dict) else offers
        self.settle(listed)
        body = {
            "offer_ids": [offer["id"] for offer in listed],
            "operations": list(operations),
            "filters": {"refuse_seconds": refuse_seconds},
        }
        answer = self.call("ACCEPT", body)
        assert answer.status == 202, answer.text
        assert answer.text == ""
        return answer

    def decline(self, *offers: Json, refuse_seconds: float | None = 0.0) -> Answer:
        """Send a DECLINE; without filters for None."""
        self.settle(offers)
        body: Json = {"offer_ids": [offer["id"] for offer in offers]}
        if refuse_seconds is not None:
            body["filters"] = {"refuse_seconds": refuse_seconds}
        return self.call("DECLINE", body)

    def operation_updates(self, identity: str) -> list[Json]:
        """Return the updates of an operation so far."""
        return [
            event["update_operation_status"]["status"]
            for event in list(self.stream.events)
            if event["type"] == "UPDATE_OPERATION_STATUS"
            and event["update_operation_status"]["status"].get("operation_id", {}).get("value") == identity
        ]

    def operation(self, identity: str, *, seen: int = 0, acknowledge: bool = True) -> Json:
        """Wait for an update of an operation beyond the first `seen`, and acknowledge it where it has a uuid."""
        updates = self.stream.wait(lambda: self.operation_updates(identity)[seen:], about=f"operation {identity}")
        status: Json = updates[0]
        if acknowledge and "uuid" in status:
            body = {k: status[k] for k in ("operation_id", "agent_id")} | {"uuid": status["uuid"]["value"]}
            answer = self.call("ACKNOWLEDGE_OPERATION_STATUS", body)
            assert answer.status == 202, answer.text
        return status

    def refused(self, identity: str) -> str:
        """Wait for the OPERATION_ERROR of an operation, made by the master, and return its message."""
        status = self.operation(identity)
        assert status["state"] == "OPERATION_ERROR"
        assert "uuid" not in status
        assert "agent_id" not in status
        message: str = status["message"]
        return message

    def finished(self, *identities: str) -> None:
        """Wait until operations have FINISHED, told of by their agent."""
        for identity in identities:
            status = self.operation(identity)
            assert status["state"] == "OPERATION_FINISHED", status
            assert status["uuid"]["value"]
            assert status["agent_id"]["value"]

    def task_updates(self, identity: str) -> list[Json]:
        """Return the updates of a task so far."""
        return [
            event["update"]["status"]
            for event in list(self.stream.events)
            if event["type"] == "UPDATE" and event["update"]["status"]["task_id"]["value"] == identity
        ]

    def acknowledge(self, status: Json) -> Answer:
        """Acknowledge a task's status."""
        return self.call("ACKNOWLEDGE", {k: status[k] for k in ("agent_id", "task_id", "uuid")})

    def task(self, identity: str, state: str, *, seen: int = 0, acknowledge: bool = True) -> Json:
        """Wait until a task is told to be in a state, acknowledging what comes before it, and return that status."""

        def told() -> Json | None:
            for status in self.task_updates(identity)[seen:]:
                if status["state"] == state or status.get("uuid", "") not in {*self._acknowledged, ""}:
                    return status
            return None

        while True:
            status: Json = self.stream.wait(told, about=f"task {identity} {state}")
            last = status["state"] == state
            if status.get("uuid", "") not in {*self._acknowledged, ""} and (acknowledge or not last):
                self._acknowledged.add(status["uuid"])
                assert self.acknowledge(status).status == 202
            if last:
                return status

    def runs_to(self, state: str, identity: str) -> Json:
        """Wait for STARTING, RUNNING and then a state of a task, each told by its executor and acknowledged."""
        for passed in ("TASK_STARTING", "TASK_RUNNING", state):
            status = self.task(identity, passed)
            assert status["source"] == "SOURCE_EXECUTOR"
            assert status["executor_id"] == {"value": identity}
        return status

    def told(self, kind: str, **body: Any) -> None:
        """Wait for an event, exactly as given."""
        event = {"type": kind, kind.lower(): body}
        self.stream.wait(lambda: event in self.stream.events, about=str(event))

    def teardown(self) -> None:
        """End the framework; its stream ends cleanly."""
        assert self.call("TEARDOWN").status == 202
        self.stream.wait(lambda: self.stream.ended, about="the end of the stream")
        assert self.stream.ended == "clean"

    def record(self) -> None:
        """Put what has been told into the recording."""
        for event in self.stream.events:
            self.recording.event(event)
        if self.stream.ended and not self.stream.left:
            self.recording.seen("stream", {"ended": self.stream.ended})


def is_for(role: str, resource: Json) -> bool:
    """Say whether a resource is offered to a role: unreserved, or reserved for it or one above."""
    stack = resource.get("reservations", [])
    return not stack or f"{role}/".startswith(f"{stack[-1]['role']}/")


def amounts(resources: Iterable[Json]) -> dict[str, float]:
    """Return how much there is of each kind of scalar, to three decimals."""
    found: dict[str, float] = {}
    for resource in resources:
        if "scalar" in resource:
            name = resource["name"]
            found[name] = round(found.get(name, 0.0) + resource["scalar"]["value"], 3)
    return found


def unchanged(one: Scheduler, offer: Json) -> None:
    """The agent is offered again as it was."""
    again = one.offer(lambda held: one.is_whole(held) and held["agent_id"] == offer["agent_id"])
    assert sorted(map(str, again["resources"])) == sorted(map(str, offer["resources"]))
