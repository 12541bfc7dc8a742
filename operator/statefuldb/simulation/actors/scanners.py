"""`statefuldb volumes scan --on-agents` and `volumes release` in a simulated world, of what the ledger lacks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from statefuldb.adapters.mesos.holdings import view_of
from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DatabaseKey, DataIdentity
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Intent, VolumeRecord
from statefuldb.model.volume_object import from_object, to_object
from statefuldb.planning.inventory.comparison import VolumeState, compare
from statefuldb.planning.inventory.orphans import orphan_to_release
from statefuldb.planning.inventory.scanning import Standing, entry_of_directory, stand
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.simulation.actors.administrators import FRAMEWORK_RECORD, VOLUMES
from statefuldb.simulation.actors.people import HOST_ROOT, MOUNT
from statefuldb.simulation.cluster.keeper import VERSION
from statefuldb.simulation.cluster.storage import Directory
from statefuldb.simulation.cluster.surroundings import SimulatedMasterApi
from statefuldb.simulation.life import ROLE

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.agent import Agent
    from statefuldb.simulation.world import World

SHARED_ROOT = f"{MOUNT}/statefuldb"


def look(world: "World", *, last: bool = False) -> None:
    """Adopt each directory that is in no entry, and give back what is reserved without one; nothing without Mesos.

    At the `last` look, forget what is to be removed of which nothing is left, where its agent will never say so.
    """
    status, record = world.api.exchange("GET", FRAMEWORK_RECORD)
    master = SimulatedMasterApi(world.mesos, lambda: None)
    if status != 200:
        return
    cluster = record["data"]["cluster"]
    try:
        view = view_of(master, cluster)
    except EffectFailed:
        return
    lines = compare(map(from_object, world.api.objects("databasevolumes")), view)
    agents = {agent.host.hostname: agent for agent in world.agents if agent.reachable and agent.id in view.agent_ids}
    found = stand([each for agent in agents.values() for each in _found_on(agent)], lines, cluster)
    for seen in found:
        if seen.standing is Standing.ORPHANED:
            pinned = _agent(agents[seen.found.host]) if seen.found.host else None
            key = DatabaseKey(namespace=seen.found.namespace, name=seen.found.database)
            _write(world, "adopt", entry_of_directory(seen, key, world.schedule.now, agent=pinned, mesos_role=ROLE))
    used = {seen.found.identity.uid for seen in found}
    used |= {stored["metadata"]["uid"] for stored in world.api.objects("statefuldatabases")}
    for line in lines:
        empty = line.state is VolumeState.ORPHANED and line.task is None and line.identity.uid not in used
        if empty and line.strategy is Strategy.HOST_PATH and line.agent in agents:
            world.laws.given_up(line.identity.uid)
            _write(world, "release", orphan_to_release(line, line.key, world.schedule.now))
        agent = line.record.agent if line.record is not None and line.record.intent is Intent.DELETE else None
        if last and agent is not None and agent.id not in view.agent_ids and not line.held:
            world.api.exchange("DELETE", f"{VOLUMES}/{line.name}")
            world.story.tell("people", f"delete entry {line.name}, of which nothing is left")


def _write(world: "World", act: str, entry: VolumeRecord) -> None:
    status, _ = world.api.exchange("POST", VOLUMES, to_object(entry))
    world.story.tell("people", f"{act} {entry.name}, which no entry told of: {status}")


def _agent(agent: "Agent") -> AgentRef:
    return AgentRef(id=agent.id or "", hostname=agent.host.hostname, address=agent.host.address)


def _found_on(agent: "Agent") -> Iterator[FoundDirectory]:
    host = agent.host
    for path, directory in host.disk.directories.items():
        yield from _found(directory, path, HOST_ROOT, "", host.hostname)
    if host.shared is not None and not host.fenced and not host.shared.away:
        for path, directory in host.shared.directories.items():
            yield from _found(directory, path, SHARED_ROOT, "GlusterFS", host.hostname)


def _found(directory: Directory, path: str, root: str, shared: str, host: str) -> Iterator[FoundDirectory]:
    marker = directory.identity
    if marker is None:
        return
    namespace, database, *_ = path.removeprefix(root).strip("/").split("/")
    yield FoundDirectory(
        directory=path,
        root=root,
        namespace=namespace,
        database=database,
        identity=DataIdentity(
            cluster=str(marker["cluster"]), uid=str(marker["uid"]), ordinal=int(str(marker["ordinal"]))
        ),
        engine=str(marker["engine"]),
        version=VERSION,
        token=directory.token,
        mount_point=MOUNT if shared else "/",
        source="",
        shared=shared,
        host=host,
    )
