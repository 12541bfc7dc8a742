"""The calls of one framework: pymesos' own, and those that it makes wrong or not at all.

Sending is replaced (pymesos shares headers between drivers and shows secrets in errors), and so is everything that
could send TEARDOWN without being asked (docs/decisions/0003-pymesos.md).
"""

import http.client
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from statefuldb.adapters.mesos.guard import UsedTaskIds, check_call
from statefuldb.adapters.mesos.pymesos_import import MesosSchedulerDriver
from statefuldb.adapters.mesos.stream import EventStream
from statefuldb.adapters.mesos.transport import Transport

CALL_TIMEOUT_SECONDS = 10.0
SCHEDULER_PATH = "/api/v1/scheduler"


class CallFailed(Exception):
    """A call was refused, or it is unknown whether it arrived (`unanswered`). The message holds no body."""

    def __init__(self, message: str, *, unanswered: bool = False) -> None:
        super().__init__(message)
        self.unanswered = unanswered


class Calls(MesosSchedulerDriver):  # type: ignore[misc]
    """Sends calls under the subscription that there is. Whoever subscribes says which master leads, and its stream.

    Nothing is sent while `may_act` says no. `on_call` gets the type of each call that was sent, and whether it was
    accepted, refused or unanswered.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        framework_info: Mapping[str, Any],
        may_act: Callable[[], bool],
        on_call: Callable[[str, str], None],
    ) -> None:
        super().__init__(None, dict(framework_info), "", implicit_acknowledgements=False, failover=True)
        self._transport = transport
        self._may_act = may_act
        self._on_call = on_call
        self._leader: str | None = None
        self._stream = EventStream()
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

    def _shutdown(self) -> None:
        """Do nothing: pymesos would send TEARDOWN here."""

    def teardown(self) -> None:
        """End the framework for ever. For the uninstall command alone. Raises CallFailed."""
        self._teardown()

    def launched(self, task_ids: Iterable[str]) -> None:
        """Note that task ids have been used before, by another process of this framework: none is launched again."""
        self._used.note(task_ids)

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
        """Acknowledge an operation's status: the uuid goes out bare (pymesos sends an object). Raises CallFailed."""
        if "agent_id" not in status or "uuid" not in status:
            return
        body = {
            "operation_id": status["operation_id"],
            "uuid": status["uuid"]["value"],
            "agent_id": status["agent_id"],
        }
        self._framework_call("ACKNOWLEDGE_OPERATION_STATUS", acknowledge_operation_status=body)

    def _close_stream(self, stream_id: str | None = None) -> None:
        self._stream.close(stream_id)

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
