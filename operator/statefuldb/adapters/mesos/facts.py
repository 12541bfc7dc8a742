"""What a master and its agents say of themselves, for `statefuldb doctor`."""

import http.client
import time
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from statefuldb.adapters.mesos.master_api import MasterApi, fetch
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.adapters.mesos.wire import attributes_from_wire
from statefuldb.model.identity import LABEL_CLUSTER
from statefuldb.planning.checkup.agents import AgentFacts
from statefuldb.planning.checkup.master import FrameworkFacts, MasterFacts
from statefuldb.planning.storage.holding import within
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
TIMEOUT_SECONDS = 5.0
DEFAULT_FAILOVER_SECONDS = 0.0


class MesosFacts:
    """Asks one master, and its agents by themselves."""

    def __init__(self, *, master: MasterApi, transport: Transport) -> None:
        self._master = master
        self._transport = transport

    def master(self, role: str) -> MasterFacts:
        """Return what the master says of itself and of a role. Raises EffectFailed where it does not answer at all."""
        flags, blind = None, ""
        version, leader = self._master.version(), self._master.leader()
        try:
            flags = self._master.flags()
        except EffectFailed as failure:
            blind = str(failure)
        return MasterFacts(
            version=version,
            leader=leader,
            flags=flags,
            blind=blind,
            frameworks=tuple(_framework(each) for each in self._master.frameworks()),
            limits=self._limits(role),
            reserved=_reserved(self._master.agents(), role),
        )

    def agents(self) -> tuple[AgentFacts, ...]:
        """Return the registered agents. Raises EffectFailed where the master does not answer."""
        return tuple(self._agent(each) for each in self._master.agents())

    def seconds_ahead(self) -> Mapping[str, float | None]:
        """Return how far the clocks of the leader and of each agent are ahead of the one here. Raises EffectFailed."""
        agents = {a["agent_info"]["hostname"]: _address(a) for a in self._master.agents()}
        places = {"Mesos master": self._master.leader(), **{f"agent {host}": a for host, a in agents.items()}}
        return {place: self._ahead(address) for place, address in places.items()}

    def _limits(self, role: str) -> Mapping[str, float] | None:
        try:
            found = self._master.quota()
        except EffectFailed:
            return None
        for quota in found.get("configs", []):
            if quota["role"] == role:
                return {name: float(limit["value"]) for name, limit in quota.get("limits", {}).items()}
        return {}

    def _agent(self, agent: Json) -> AgentFacts:
        info = agent["agent_info"]
        name, _, address = str(agent["pid"]).rpartition("@")
        flags = None
        try:
            url = self._transport.url(address, f"/{name}/state")
            flags = fetch(urllib.request.Request(url), self._transport).get("flags")
        except EffectFailed:
            pass  # an agent that does not answer is one whose flags are not shown
        return AgentFacts(
            hostname=info["hostname"],
            active=bool(agent.get("active")),
            capabilities=frozenset(str(c.get("type", "")) for c in agent.get("capabilities", [])),
            resources=frozenset(resource["name"] for resource in agent.get("total_resources", [])),
            attributes=attributes_from_wire(info.get("attributes", [])),
            flags=flags,
        )

    def _ahead(self, address: str) -> float | None:
        """Return the difference that the header Date shows; any answer has it, whatever its status."""
        try:
            connection = self._transport.connection(address, TIMEOUT_SECONDS)
            connection.request("GET", "/health")
            said = connection.getresponse().getheader("Date")
            now = time.time()
            connection.close()
        except (OSError, ValueError, http.client.HTTPException):
            return None
        return ahead_of(now, said)


def ahead_of(now: float, date: str | None) -> float | None:
    """Return by how many seconds a header Date is ahead of `now`. It is cut to whole seconds, so 0.5 is added."""
    try:
        return parsedate_to_datetime(date or "").timestamp() + 0.5 - now
    except ValueError:
        return None


def _framework(framework: Json) -> FrameworkFacts:
    info = framework["framework_info"]
    labels = {label["key"]: label.get("value", "") for label in info.get("labels", {}).get("labels", [])}
    return FrameworkFacts(
        id=info["id"]["value"],
        name=info.get("name", ""),
        roles=tuple(info.get("roles") or [info.get("role", "*")]),
        principal=info.get("principal", ""),
        cluster=labels.get(LABEL_CLUSTER, ""),
        connected=bool(framework.get("connected")),
        checkpoint=bool(info.get("checkpoint")),
        failover_seconds=float(info.get("failover_timeout", DEFAULT_FAILOVER_SECONDS)),
    )


def _reserved(agents: list[Json], role: str) -> Mapping[str, float]:
    """Return the amounts that are reserved for a role or below it, by resource."""
    amounts: dict[str, float] = {}
    for resource in (r for agent in agents for r in agent.get("total_resources", [])):
        stack = resource.get("reservations") or []
        if stack and within(stack[-1].get("role", ""), role) and "scalar" in resource:
            amounts[resource["name"]] = amounts.get(resource["name"], 0.0) + float(resource["scalar"]["value"])
    return amounts


def _address(agent: Json) -> str:
    return str(agent["pid"]).rpartition("@")[2]
