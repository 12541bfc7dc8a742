"""What else a simulated operator reaches: the lists of the master, the fence command, and a journal."""

from collections.abc import Callable, Mapping
from typing import Any

from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.model.actions import FenceAgent
from statefuldb.model.identity import TaskId
from statefuldb.model.volume_object import from_object
from statefuldb.reconcile.machine import Call
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.cluster.api import ApiServer
from statefuldb.simulation.cluster.driver import LEADER
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.mesos import Mesos

Json = dict[str, Any]
READMITTED_SECONDS = 180.0


class SimulatedMasterApi(MasterApi):
    """Questions to the simulated master."""

    def __init__(self, mesos: Mesos, wait_for_answer: Call) -> None:
        super().__init__(masters=MasterList((LEADER,)), transport=Transport())
        self._mesos = mesos
        self._wait_for_answer = wait_for_answer

    def _ask(self, kind: str, read: Callable[[Json], Any] | None = None) -> Json:
        """Return an answer, which was never text, each entry of its lists as `read` makes it."""
        found: Json = self._answer({"type": kind})[kind.lower()]
        if read is None:
            return found
        return {name: list(map(read, held)) if isinstance(held, list) else held for name, held in found.items()}

    def _tell(self, call: Json) -> None:
        self._answer(call)

    def _answer(self, call: Json) -> Any:
        try:
            answer = self._mesos.ask(call)
        except OSError as error:
            raise EffectFailed(str(error)) from error
        self._wait_for_answer()
        return answer


class Fence:
    """A fence command that works, and the person who lets agents in again as docs/fencing.md says."""

    def __init__(self, *, hosts: list[Host], mesos: Mesos, api: ApiServer, story: Story, wait_for_answer: Call) -> None:
        self._hosts = hosts
        self._mesos = mesos
        self._api = api
        self._story = story
        self._wait_for_answer = wait_for_answer

    def fence(self, wanted: FenceAgent) -> None:
        """Cut an agent off."""
        for host in self._hosts:
            if host.hostname == wanted.agent.hostname:
                self._story.tell("fence", f"{host.hostname} is cut off from the shared file system")
                host.fence()
                self._let_in_later(host)
        self._wait_for_answer()

    def _let_in_later(self, host: Host) -> None:
        cut_off_at = host.fenced_at

        def let_in() -> None:
            if not host.hangs:
                host.readmit()
            elif host.fenced_at == cut_off_at and self._is_safe(host):
                self._story.tell("people", f"let {host.hostname} in again")
                host.readmit()
            elif host.fenced_at == cut_off_at:
                host.schedule.after(READMITTED_SECONDS, let_in)

        host.schedule.after(READMITTED_SECONDS, let_in)

    def _is_safe(self, host: Host) -> bool:
        """Whether Mesos has the agent back, and all that is left there is the last launch and not proved cut off."""
        agents = self._mesos.master.cluster.agents.values() if self._mesos.up else ()
        last = {entry.task_id: entry for entry in map(from_object, self._api.objects("databasevolumes"))}
        left = [last.get(TaskId.parse(keeper.name)) for keeper in host.on_shared()]
        back = any(agent.connected and agent.info["hostname"] == host.hostname for agent in agents)
        return back and host.network and all(entry is not None and entry.fenced is None for entry in left)


class NoJournal:
    """The story of the run is the journal."""

    def append(self, entry: Mapping[str, object]) -> None:
        """Do nothing."""
