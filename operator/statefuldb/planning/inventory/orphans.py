"""The entries by which what is ours and in no entry is taken into the ledger, to be kept or to be given back."""

from dataclasses import replace

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.spec import EngineType
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.inventory.comparison import VolumeLine
from statefuldb.planning.inventory.held_volumes import counted
from statefuldb.planning.ledger.rebuilding import entry_of


def orphan_to_adopt(line: VolumeLine, key: DatabaseKey, at_seconds: float) -> VolumeRecord | None:
    """Return the retained entry of `key` for the volume that counts as an orphan's data, None where it has none."""
    found = counted(line.held, line.identity)
    if found is None:
        return None
    return replace(entry_of(key, at_seconds, *found), elsewhere=_elsewhere(line, found[0].hostname))


def orphan_to_release(line: VolumeLine, key: DatabaseKey, at_seconds: float) -> VolumeRecord:
    """Return the entry of `key` by which an orphan is given back: the operator destroys and unreserves its holdings."""
    assert line.strategy is not None
    adopted = orphan_to_adopt(line, key, at_seconds)
    if adopted is not None:
        return replace(adopted, intent=Intent.DELETE)
    agent = line.held[0]
    labels = {r.labels for r in agent.resources if r.labels is not None}
    return VolumeRecord(
        name=line.name,
        key=key,
        owner_uid=line.identity.uid,
        identity=line.identity,
        engine=EngineType.MARIADB,
        engine_version="10.11",
        strategy=line.strategy,
        size_bytes=0,
        mesos_role=agent.role,
        intent=Intent.DELETE,
        agent=agent.agent,
        reservations=tuple(sorted(label.reservation for label in labels)),
        elsewhere=_elsewhere(line, agent.hostname),
        incarnation=int(at_seconds),
        phase=VolumePhase.RETAINED,
    )


def _elsewhere(line: VolumeLine, hostname: str) -> tuple[str, ...]:
    """Return the other hosts that hold something of an orphan: the entry goes only once nothing is left there."""
    return tuple(sorted({offer.hostname for offer in line.held} - {hostname}))
