"""The driver: pymesos, with its defects contained by subclassing (docs/decisions/0003-pymesos.md).

Kept of pymesos are its calls. Replaced are the event stream (reconnect storm, no heartbeat watch, death on any
callback error), sending (headers shared between drivers, secrets in errors) and everything that could send TEARDOWN
without being asked. The consumer gets plain v1 JSON events, in order, on a thread of its own.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import Any
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.guard import UsedTaskIds, check_call
from statefuldb.adapters.mesos.masters import Masters
from statefuldb.adapters.mesos.pymesos_import import MesosSchedulerDriver
from statefuldb.adapters.mesos.stream import EventStream, read_record
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.adapters.mesos.uncollected import uncollected
from statefuldb.model.observed import TaskState
from statefuldb.reconcile.back_off import LIMIT_SECONDS, back_off_seconds
from statefuldb.reconcile.ports import Machine

log = getLogger(__name__)

Event = Mapping[str, Any]
CALL_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 10.0
HEARTBEATS_MISSED = 3
SCHEDULER_PATH = "/api/v1/scheduler"
# States in which a task has been launched for certain. Of others the master may answer for what never was.
_SEEN = {state for state in TaskState if state.alive} | {TaskState.UNREACHABLE}
# What a master tells the stream of a framework when another one subscribes with its id.
_DEPOSED = "Framework failed over"
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError)


class CallFailed(Exception):
    """A call was refused, or it is unknown whether it arrived (`unanswered`). The message holds no body."""

    def __init__(self, message: str, *, unanswered: bool = False) -> None:
        super().__init__(message)
        self.unanswered = unanswered


_DROPPED = (OSError, http.client.HTTPException, CallFailed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionState:
    """What the driver says of its connection. `fatal` means that it will not try again by itself."""

    connected: bool
    error: str = ""
    fatal: bool = False


class Driver(MesosSchedulerDriver):  # type: ignore[misc]
    """One framework's connection. The candidates of `masters` are tried in turn; a redirect names the leader.

    Nothing is sent while `may_act` says no, a subscription neither. `on_call` gets the type of each call that was sent,
    and whether it was accepted, refused or unanswered. `on_deposed` is called where somebody else has subscribed as
    this framework, or has begun in its place.
    """

    def __init__(
        self,
        *,
        masters: Masters,
        transport: Transport,
        framework_info: Mapping[str, Any],
        on_event: Callable[[Event], None],
        on_state: Callable[[ConnectionState], None],
        machine: Machine,
        may_act: Callable[[], bool] = lambda: True,
        on_call: Callable[[str, str], None] = lambda kind, outcome: None,
        on_deposed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            None,
            dict(framework_info),
            "",
            implicit_acknowledgements=False,
            failover=True,
        )
        self._masters = masters
        self._transport = transport
        self._on_event = on_event
        self._on_state = on_state
        self._may_act = may_act
        self._on_call = on_call
        self._on_deposed = on_deposed
        self._threads: list[threading.Thread] = []
        self._chance = machine.chance
        self._hand_on = machine.lane("mesos-events")
        self._ending = threading.Event()
        self._leader: str | None = None
        self._stream = EventStream()
        self._again = threading.Event()
        self._used = UsedTaskIds()

    @property
    def stream_id(self) -> str | None:
        """The id under which calls are made.

        None until all that was told before this subscription has been taken up: what was decided by that was meant for
        an earlier one.
        """
        return self._stream.calls_under

    @property
    def framework(self) -> dict[str, Any]:
        """The FrameworkInfo exactly as given: pymesos would add GPU_RESOURCES and a short fail-over time-out."""
        return dict(self._framework)

    def start(self) -> None:
        """Subscribe, and stay subscribed until `stop`."""
        self._started = True
        self._masters.start(self._leader_changed)
        thread = threading.Thread(target=self._run, name="mesos-stream", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self, failover: bool = True) -> None:
        """Close the connection. Sends nothing: tasks run on (law `no_surprise_teardown`)."""
        del failover
        self._started = False
        self._end()
        self._close_stream()
        self._masters.stop()

    def abort(self) -> None:
        """Do as `stop` does; pymesos would tear the framework down."""
        self.stop()

    def _shutdown(self) -> None:
        """Do nothing: pymesos would send TEARDOWN here."""

    def teardown(self) -> None:
        """End the framework for ever. For the uninstall command alone. Raises CallFailed."""
        self._teardown()

    def resubscribe(self, stream_id: str | None) -> None:
        """Drop a stream, so that everything is told again from its beginning, after the usual pause.

        `stream_id` says which: where another one has begun since, all is told again already.
        """
        if stream_id is not None:
            self._close_stream(stream_id)

    def give_way(self, why: str) -> None:
        """End the client in favour of another operator's: it does not subscribe again by itself."""
        self._give_up(why)
        self._close_stream()
        self._hand_on(self._on_deposed)

    def _close_stream(self, stream_id: str | None = None) -> None:
        self._stream.close(stream_id)

    def launched(self, task_ids: Iterable[str]) -> None:
        """Note that task ids have been used before, by another process of this framework: none is launched again."""
        self._used.note(task_ids)

    def _leader_changed(self) -> None:
        """Leave the old leader for the new one at once."""
        self._leader = None
        self._again.set()
        self._close_stream()

    def _end(self) -> None:
        self._ending.set()
        self._again.set()

    def kill(self, task_id: str, agent_id: str | None, grace_seconds: float) -> None:
        """Send KILL with agent id and kill policy, both of which pymesos drops. Raises CallFailed."""
        kill: dict[str, Any] = {
            "task_id": {"value": task_id},
            "kill_policy": {"grace_period": {"nanoseconds": int(grace_seconds * 1e9)}},
        }
        if agent_id is not None:
            kill["agent_id"] = {"value": agent_id}
        self._framework_call("KILL", kill=kill)

    def reconcile(self, tasks: Mapping[str, str]) -> None:
        """Ask about tasks by their agent ids; about everything where `tasks` is empty. Raises CallFailed."""
        wanted = [
            {"task_id": {"value": task_id}, "agent_id": {"value": agent_id}}
            for task_id, agent_id in sorted(tasks.items())
        ]
        self._framework_call("RECONCILE", reconcile={"tasks": wanted})

    def reconcile_operations(self, operations: Mapping[str, str]) -> None:
        """Ask about operations by their agent ids; about everything where `operations` is empty. Raises CallFailed."""
        wanted = [
            {"operation_id": {"value": operation_id}, "agent_id": {"value": agent_id}}
            for operation_id, agent_id in sorted(operations.items())
        ]
        self._framework_call("RECONCILE_OPERATIONS", reconcile_operations={"operations": wanted})

    def acknowledge_operation(self, status: Mapping[str, Any]) -> None:
        """Acknowledge an operation's status: the uuid goes out bare (transcript 37). Raises CallFailed."""
        if "agent_id" not in status or "uuid" not in status:
            return
        body = {
            "operation_id": status["operation_id"],
            "uuid": status["uuid"]["value"],
            "agent_id": status["agent_id"],
        }
        self._framework_call("ACKNOWLEDGE_OPERATION_STATUS", acknowledge_operation_status=body)

    def _framework_call(self, kind: str, **body: Any) -> None:
        self._send({"type": kind, "framework_id": {"value": self.framework_id}, **body})

    def _send(
        self,
        body: Any,
        path: str = SCHEDULER_PATH,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one call. Raises CallFailed, and UnsafeRequest before anything leaves."""
        check_call(body)
        leader, stream_id = self._leader, self.stream_id
        if leader is None or stream_id is None:
            raise CallFailed(f"{body['type']} not sent: not subscribed")
        # From here on it may have arrived, whatever is heard of it.
        self._used.claim(body)
        try:
            status, text = self._exchange(leader, body, {**(headers or {}), "Mesos-Stream-Id": stream_id})
        except (OSError, http.client.HTTPException) as error:
            self._on_call(body["type"], "unanswered")
            raise CallFailed(f"{body['type']} unanswered: {error}", unanswered=True) from error
        accepted = 200 <= status < 300
        self._on_call(body["type"], "accepted" if accepted else "refused")
        if not accepted:
            if "stream ID" in text or status == http.client.FORBIDDEN:
                self._close_stream(stream_id)
            raise CallFailed(f"{body['type']} refused with {status}: {text[:500]}")
        return {}

    def _exchange(self, leader: str, body: Any, headers: Mapping[str, str]) -> tuple[int, str]:
        """Post one call on a connection of its own; return status and text.

        Raises OSError, HTTPException, and CallFailed where nothing may leave any more.
        """
        connection = self._transport.connection(leader, CALL_TIMEOUT_SECONDS)
        try:
            connection.connect()
            # Asked last of all: whoever has succeeded us also has a new stream id, so that what is overtaken between
            # here and the master is refused there.
            self._check_may_act(body["type"])
            connection.request("POST", SCHEDULER_PATH, json.dumps(body), {**self._headers(), **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def _check_may_act(self, what: str) -> None:
        if not self._may_act():
            raise CallFailed(f"{what} not sent: another operator may lead now")

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            **self._transport.headers,
        }

    def _run(self) -> None:
        """Subscribe again and again, ever more slowly while it fails."""
        failures = 0
        while not self._ending.is_set():
            self._again.clear()
            began = time.monotonic()
            master, error = self._candidate(failures), self._masters.error
            if master is not None:
                error = self._attempt(master)
            self._stream.over()
            if self._ending.is_set():
                return
            # A subscription that ends as soon as it is granted is a failure too; only one that lasted is a fresh start.
            failures = 0 if time.monotonic() - began > LIMIT_SECONDS else failures + 1
            if failures == 1 and self._leader not in (None, master):
                # A first redirect is followed at once; masters that send us to and fro are not.
                continue
            self._leader = None
            self._tell(ConnectionState(connected=False, error=error))
            self._again.wait(back_off_seconds(failures, self._chance()))

    def _candidate(self, failures: int) -> str | None:
        if self._leader is not None:
            return self._leader
        candidates = self._masters.candidates()
        return candidates[failures % len(candidates)] if candidates else None

    def _attempt(self, master: str) -> str:
        """Hold one subscription until it ends. Return why it ended."""
        try:
            self._subscribe(master)
        except _DROPPED as problem:
            return f"{master}: {problem}"
        except _MALFORMED as problem:
            return f"{master} does not speak as a Mesos master does: {type(problem).__name__} {problem}"
        return f"the event stream of {master} ended"

    def _subscribe(self, master: str) -> None:
        """Hold one subscription until it ends."""
        call = self._subscription()
        connection = self._transport.connection(master, CONNECT_TIMEOUT_SECONDS)
        self._stream.open(connection)
        if self._ending.is_set():
            return
        self._check_may_act("SUBSCRIBE")
        connection.request("POST", SCHEDULER_PATH, json.dumps(call), self._headers())
        answer = connection.getresponse()
        self._on_call("SUBSCRIBE", "accepted" if answer.status == http.client.OK else "refused")
        if answer.status == http.client.TEMPORARY_REDIRECT:
            self._leader = urlsplit(answer.headers["Location"] or "").netloc or None
            raise CallFailed(f"redirected to {self._leader or 'nowhere'}")
        if answer.status != http.client.OK:
            text = answer.read(500).decode(errors="replace")
            raise CallFailed(f"SUBSCRIBE refused with {answer.status}: {text}")
        self._leader = master
        stream_id = answer.headers.get("Mesos-Stream-Id", "")
        while (event := read_record(answer)) is not None and not self._ending.is_set():
            if not self._take(event, stream_id):
                return
            if event.get("type") == "SUBSCRIBED" and connection.sock is not None:
                # Silence for several heartbeats means a dead connection, however open it looks.
                beat = float(event["subscribed"].get("heartbeat_interval_seconds", 15.0))
                connection.sock.settimeout(beat * HEARTBEATS_MISSED)

    def _subscription(self) -> dict[str, Any]:
        call: dict[str, Any] = {
            "type": "SUBSCRIBE",
            "subscribe": {"framework_info": self.framework},
        }
        if self.framework_id is not None:
            call["framework_id"] = {"value": self.framework_id}
        return call

    def _take(self, event: Event, stream_id: str) -> bool:
        """Take one event of a stream; say whether the stream goes on."""
        if event.get("type") == "ERROR":
            self._on_error(event["error"].get("message", ""))
            return False
        if event.get("type") == "SUBSCRIBED":
            self.framework_id = event["subscribed"]["framework_id"]["value"]
            self._stream.begun(stream_id)
            self._hand_on(partial(self._stream.taken_up, stream_id))
            self._tell(ConnectionState(connected=True))
        if event.get("type") == "UPDATE" and event["update"]["status"].get("state") in _SEEN:
            # Whoever launched it: agents that come back tell of tasks that no list showed.
            self._used.note([event["update"]["status"]["task_id"]["value"]])
        self._hand_on(partial(self._tell_event, event))
        return True

    def _tell_event(self, event: Event) -> None:
        with uncollected():
            self._on_event(event)

    def _on_error(self, message: str) -> None:
        """An ERROR ends the client: trying again would loop, and two operators would depose each other for ever."""
        if message == _DEPOSED:
            self.give_way(message)
        else:
            self._give_up(message)

    def _give_up(self, why: str) -> None:
        self._end()
        self._tell(ConnectionState(connected=False, error=why, fatal=True))

    def _tell(self, state: ConnectionState) -> None:
        self._hand_on(lambda: self._on_state(state))
