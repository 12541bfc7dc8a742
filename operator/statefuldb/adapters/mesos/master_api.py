"""The master's v1 operator API, as far as it is used (Mesos docs, operator-http-api).

The operator itself only reads. DESTROY_VOLUMES, UNRESERVE_RESOURCES and TEARDOWN are for `statefuldb uninstall` alone.
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.masters import Masters
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.adapters.mesos.wire import agent_ref
from statefuldb.model.volume import AgentRef
from statefuldb.reconcile.ports import EffectFailed, NotAnswered

Json = dict[str, Any]
T = TypeVar("T")
TIMEOUT_SECONDS = 5.0
# Among all that an answer is made of, only a task has both, and only an agent has this.
_TASK = {"task_id", "framework_id"}
_AGENT = {"agent_info"}


class ListEach(Protocol):
    """Returns what `read` makes of each thing that the master lists. Raises EffectFailed.

    It is given one at a time, as the answer is read: of thousands, only what it makes of them is ever held.
    """

    def __call__(self, read: Callable[[Json], T]) -> Sequence[T]:
        """Ask the master."""
        ...


class ListTasks(Protocol):
    """Returns what `read` makes of each task that may run, and of each that is over. Raises EffectFailed."""

    def __call__(self, read: Callable[[Json], T]) -> tuple[Sequence[T], Sequence[T]]:
        """Ask the master."""
        ...


class MasterApi:
    """Questions to whichever of `masters` answers them."""

    def __init__(self, *, masters: Masters, transport: Transport) -> None:
        self._masters = masters
        self._transport = transport

    def agents(self) -> list[Json]:
        """Return the agents that are registered. Raises EffectFailed."""
        return self.each_agent(lambda agent: agent)

    def each_agent(self, read: Callable[[Json], T]) -> list[T]:
        """Return what `read` makes of each agent that is registered (ListEach). Raises EffectFailed."""
        return list(
            self._ask("GET_AGENTS", lambda found: read(found) if found.keys() >= _AGENT else found).get("agents", [])
        )

    def places(self) -> list[AgentRef]:
        """Return where the registered agents are. Raises EffectFailed."""
        return [agent_ref(agent) for agent in self.agents()]

    def each_task(self, read: Callable[[Json], T]) -> list[T]:
        """Return what `read` makes of each task that may run (ListEach): those on agents that are out of reach too.

        Raises EffectFailed.
        """
        running, _ = self.tasks_ever(read)
        return running

    def tasks_ever(self, read: Callable[[Json], T]) -> tuple[list[T], list[T]]:
        """Return what `read` makes of each task that may run, and of each that is over (ListTasks).

        The master remembers a thousand of each framework that are over (`--max_completed_tasks_per_framework`).
        Raises EffectFailed.
        """
        listed = self._ask("GET_TASKS", lambda found: read(found) if found.keys() >= _TASK else found)
        return [*listed.get("tasks", []), *listed.get("unreachable_tasks", [])], list(listed.get("completed_tasks", []))

    def version(self) -> str:
        """Return the version of the master. Raises EffectFailed."""
        return str(self._ask("GET_VERSION")["version_info"]["version"])

    def leader(self) -> str:
        """Return the leading master as host:port. Raises EffectFailed."""
        address = self._ask("GET_MASTER")["master_info"].get("address", {})
        return f"{address.get('hostname') or address.get('ip', '?')}:{address.get('port', '?')}"

    def flags(self) -> dict[str, str]:
        """Return the master's flags. Raises EffectFailed, also where the principal may not see them."""
        return {flag["name"]: flag.get("value", "") for flag in self._ask("GET_FLAGS").get("flags", [])}

    def quota(self) -> Json:
        """Return the quota of all roles. Raises EffectFailed, also where the principal may not see them."""
        return dict(self._ask("GET_QUOTA").get("status", {}))

    def frameworks(self) -> list[Json]:
        """Return the frameworks that are registered; completed ones do not count. Raises EffectFailed."""
        return list(self._ask("GET_FRAMEWORKS").get("frameworks", []))

    def operations(self) -> list[Json]:
        """Return the operations that agents have not yet been thanked for. Raises EffectFailed."""
        return list(self._ask("GET_OPERATIONS").get("operations", []))

    def destroy_volumes(self, agent_id: str, volumes: list[Json]) -> None:
        """Destroy idle persistent volumes. That it was taken says nothing: read back. Raises EffectFailed."""
        body = {"agent_id": {"value": agent_id}, "volumes": volumes}
        self._tell({"type": "DESTROY_VOLUMES", "destroy_volumes": body})

    def unreserve(self, agent_id: str, resources: list[Json]) -> None:
        """Unreserve idle resources. That it was taken says nothing: read back. Raises EffectFailed."""
        body = {"agent_id": {"value": agent_id}, "resources": resources}
        self._tell({"type": "UNRESERVE_RESOURCES", "unreserve_resources": body})

    def teardown(self, framework_id: str) -> None:
        """End a framework for ever, with all its tasks. Raises EffectFailed."""
        self._tell({"type": "TEARDOWN", "teardown": {"framework_id": {"value": framework_id}}})

    def _ask(self, kind: str, read: Callable[[Json], Any] | None = None) -> Json:
        """Return an answer, each object within as `read` makes it."""
        return self._call({"type": kind}, lambda text: dict(json.loads(text, object_hook=read)[kind.lower()]))

    def _tell(self, call: Json) -> None:
        self._call(call, lambda _: None)

    def _call(self, call: Json, read: Callable[[bytes], T]) -> T:
        """Return what `read` makes of the leader's answer; a master that does not lead names the one that does."""
        error = ""
        to_try = list(self._masters.candidates())
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        for master in to_try:
            url = self._transport.url(master, "/api/v1")
            request = urllib.request.Request(url, json.dumps(call).encode(), headers)
            try:
                return read(send(request, self._transport))
            except AnsweredNo as refusal:
                if refusal.status not in (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.SERVICE_UNAVAILABLE):
                    raise
                error = str(refusal)
                if refusal.leader and refusal.leader not in to_try:
                    to_try.append(refusal.leader)
            except EffectFailed as failure:
                error = str(failure)
            except (KeyError, TypeError, ValueError) as failure:
                error = f"{master}: no answer to {call['type']}: {failure}"
        raise NotAnswered(f"the Mesos master does not answer: {error or self._masters.error}")


class AnsweredNo(EffectFailed):
    """An HTTP answer that is no success. `leader` is the host:port that a redirect names, or empty."""

    def __init__(self, message: str, *, status: int, leader: str) -> None:
        super().__init__(message)
        self.status = status
        self.leader = leader


def fetch(request: urllib.request.Request, transport: Transport) -> Json:
    """Return the JSON object that a request is answered with. Raises EffectFailed."""
    try:
        return dict(json.loads(send(request, transport)))
    except ValueError as error:
        raise EffectFailed(f"{_place(request)}: {error}") from error


def send(request: urllib.request.Request, transport: Transport) -> bytes:
    """Return the body that a request is answered with. Raises EffectFailed, with what the master said.

    No proxy of the environment's is asked, as none is for the stream: it would be told the credentials.
    """
    for name, value in transport.headers.items():
        # Not handed on to whoever a redirect names.
        request.add_unredirected_header(name, value)
    try:
        with transport.opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        said = refused.read(500).decode(errors="replace").strip()
        message = f"{_place(request)}: {refused}{f': {said}' if said else ''}"
        leader = urlsplit(refused.headers.get("Location") or "").netloc
        raise AnsweredNo(message, status=refused.code, leader=leader) from refused
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotAnswered(f"{_place(request)}: {getattr(error, 'reason', error)}") from error


def _place(request: urllib.request.Request) -> str:
    where = urlsplit(request.full_url)
    return f"{where.netloc}{where.path}"
