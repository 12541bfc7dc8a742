"""Giving back what a cluster of ours holds in Mesos, without its framework: for `statefuldb uninstall` alone.

The master's operator API takes idle resources of any framework, so every call is checked once more for our label before
it leaves (law `ours_only`). An answer of 202 promises nothing and 409 says that something is still in use: each step is
decided anew from what the master says there is, until nothing is left or patience is over.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.wire import resource_from_wire
from statefuldb.model.identity import LABEL_CLUSTER, DataIdentity
from statefuldb.model.resources import MILLI
from statefuldb.planning.storage.holding import identity_of
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
PAUSE_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A registered framework of ours. `connected` says whether an operator holds its stream."""

    id: str
    name: str
    roles: tuple[str, ...]
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one agent holds for us: resources exactly as the master writes them."""

    agent_id: str
    hostname: str
    resources: tuple[Json, ...]

    @property
    def volumes(self) -> list[Json]:
        """The persistent volumes among them."""
        return [r for r in self.resources if "persistence" in r.get("disk", {})]

    def __str__(self) -> str:
        return f"{self.hostname}: {', '.join(_shown(r) for r in self.resources)}"


class Janitor:
    """Works for the cluster of one UUID."""

    def __init__(self, *, master: MasterApi, cluster: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._master = master
        self._cluster = cluster
        self._pause = pause

    def frameworks(self) -> tuple[Framework, ...]:
        """Return the registered frameworks that carry our cluster's label. Raises EffectFailed."""
        found = []
        for framework in self._master.frameworks():
            info = framework["framework_info"]
            if _labels(info).get(LABEL_CLUSTER) == self._cluster:
                roles = tuple(info.get("roles") or [info.get("role", "*")])
                connected = bool(framework.get("connected"))
                found.append(
                    Framework(id=info["id"]["value"], name=info.get("name", ""), roles=roles, connected=connected)
                )
        return tuple(found)

    def holdings(self, identities: frozenset[DataIdentity] | None = None) -> tuple[Holding, ...]:
        """Return what agents hold for these members, or for all of ours. Raises EffectFailed."""
        found = [holding_of(agent, self._cluster, identities) for agent in self._master.agents()]
        return tuple(holding for holding in found if holding.resources)

    def sweep(self, identities: frozenset[DataIdentity], patience_seconds: float) -> tuple[str, ...]:
        """Destroy and unreserve what is held for these members; return what is left and why. Raises EffectFailed."""
        deadline = time.monotonic() + patience_seconds
        while held := self.holdings(identities):
            left = []
            for holding in held:
                try:
                    self._step(holding)
                    left.append(str(holding))
                except EffectFailed as refusal:
                    left.append(f"{holding}: {refusal}")
            if time.monotonic() > deadline:
                return tuple(left)
            self._pause(PAUSE_SECONDS)
        return ()

    def teardown(self, framework: Framework, patience_seconds: float) -> bool:
        """End a framework of ours for ever; say whether the master has dropped it. Raises EffectFailed."""
        deadline = time.monotonic() + patience_seconds
        self._master.teardown(framework.id)
        while framework.id in {known.id for known in self.frameworks()}:
            if time.monotonic() > deadline:
                return False
            self._pause(PAUSE_SECONDS)
        return True

    def _step(self, holding: Holding) -> None:
        """Take the next step towards nothing: DESTROY comes before UNRESERVE."""
        check_ours(holding.resources, self._cluster)
        if holding.volumes:
            self._master.destroy_volumes(holding.agent_id, holding.volumes)
        else:
            self._master.unreserve(holding.agent_id, list(holding.resources))


def holding_of(agent: Mapping[str, Any], cluster: str, identities: frozenset[DataIdentity] | None) -> Holding:
    """Return what an agent of GET_AGENTS holds for these members of `cluster`, or for all where None."""
    info = agent["agent_info"]
    return Holding(
        agent_id=info["id"]["value"],
        hostname=info["hostname"],
        resources=tuple(
            {k: v for k, v in resource.items() if k != "allocation_info"}
            for resource in agent.get("total_resources", [])
            if _is_wanted(resource, cluster, identities)
        ),
    )


def check_ours(resources: Sequence[Json], cluster: str) -> None:
    """Raise UnsafeRequest where a resource is not our cluster's, by its innermost label or the id of its volume."""
    for resource in resources:
        if not _is_wanted(resource, cluster, None):
            raise UnsafeRequest(f"{_shown(resource)} does not carry our label: it is not ours to give back")


def _is_wanted(resource: Json, cluster: str, identities: frozenset[DataIdentity] | None) -> bool:
    owner = identity_of(resource_from_wire(resource))
    if owner is None or owner.cluster != cluster:
        return False
    return identities is None or owner in identities


def _labels(info: Mapping[str, Any]) -> dict[str, str]:
    return {label["key"]: label.get("value", "") for label in info.get("labels", {}).get("labels", [])}


def _shown(resource: Json) -> str:
    read = resource_from_wire(resource)
    if read.persistence is not None:
        return f"volume {read.persistence.id} of {read.amount_milli // MILLI} MiB"
    amount = ",".join(f"{b}-{e}" for b, e in read.ranges) or f"{read.amount_milli / MILLI:g}"
    return f"{read.name} {amount}"
