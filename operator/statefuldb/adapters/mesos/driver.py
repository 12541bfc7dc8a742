"""The driver: pymesos, with its defects contained by subclassing (docs/decisions/0003-pymesos.md).

Kept of pymesos are its calls (`calls.py`). Replaced is the event stream (reconnect storm, no heartbeat watch, death on
any callback error). The consumer gets plain v1 JSON events, in order, on a thread of its own.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import Any
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.calls import SCHEDULER_PATH, CallFailed, Calls
from statefuldb.adapters.mesos.masters import Masters
from statefuldb.adapters.mesos.stream import read_record
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.adapters.mesos.uncollected import uncollected
from statefuldb.model.observed import TaskState
from statefuldb.reconcile.back_off import LIMIT_SECONDS, back_off_seconds
from statefuldb.reconcile.machine import Machine

log = getLogger(__name__)

Event = Mapping[str, Any]
CONNECT_TIMEOUT_SECONDS = 10.0
HEARTBEATS_MISSED = 3
# States in which a task has been launched for certain. Of others the master may answer for what never was.
_SEEN = {state for state in TaskState if state.alive} | {TaskState.UNREACHABLE}
# What a master tells the stream of a framework when another one subscribes with its id.
_DEPOSED = "Framework failed over"
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


_DROPPED = (OSError, http.client.HTTPException, CallFailed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionState:
    """What the driver says of its connection. `fatal` means that it will not try again by itself."""

    connected: bool
    error: str = ""
    fatal: bool = False


class Driver(Calls):
    """One framework's connection. The candidates of `masters` are tried in turn; a redirect names the leader.

    While `may_act` says no it does not subscribe either. `on_deposed` is called where somebody else has subscribed as
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
        super().__init__(transport=transport, framework_info=framework_info, may_act=may_act, on_call=on_call)
        self._masters = masters
        self._on_event = on_event
        self._on_state = on_state
        self._on_deposed = on_deposed
        self._threads: list[threading.Thread] = []
        self._chance = machine.chance
        self._hand_on = machine.lane("mesos-events")
        self._ending = threading.Event()
        self._again = threading.Event()

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

    def _leader_changed(self) -> None:
        """Leave the old leader for the new one at once."""
        self._leader = None
        self._again.set()
        self._close_stream()

    def _end(self) -> None:
        self._ending.set()
        self._again.set()

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
        except Exception as mistake:  # a thread that ended would never subscribe again
            log.exception("the subscription at %s ended", master)
            return f"{master}: a defect in statefuldb: {type(mistake).__name__}"
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
