"""The ledger entry as a `DatabaseVolume` object, and back, without loss."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from statefuldb.model.canonical import canonical_dfs
from statefuldb.model.casing import camel, camel_name
from statefuldb.model.check import check
from statefuldb.model.errors import FieldError
from statefuldb.model.identity import LABEL_DATABASE, DatabaseKey, DataIdentity
from statefuldb.model.parse import parse_dfs
from statefuldb.model.schema.build import Schema, obj, text
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.model.schema.volume import VOLUME_SPEC
from statefuldb.model.spec import DiskType, EngineType, Strategy
from statefuldb.model.volume import (
    AgentRef,
    Ending,
    Fencing,
    GivingBack,
    Growth,
    Intent,
    Launch,
    Unheard,
    VolumeDisk,
    VolumePhase,
    VolumeRecord,
)

T = TypeVar("T")
# In definitions of earlier versions, and given by no operator.
_FORMER_PHASES = ("Idle", "Orphaned", "Missing")
# Of a stored object the API has seen to it; a label may hold anything.
_METADATA: Schema = obj({"name": text(), "namespace": text()}, required=("name", "namespace"), open_=True)


class Damaged(ValueError):
    """A stored object that is no entry of the ledger. `errors` says of each field what is wrong with it."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


def to_object(record: VolumeRecord) -> dict[str, object]:
    """Return the object that stores `record`."""
    spec: dict[str, object] = {
        "database": {"name": record.key.name, "uid": record.owner_uid},
        "identity": asdict(record.identity),
        "engine": {"type": str(record.engine), "version": record.engine_version},
        "strategy": str(record.strategy),
        "sizeBytes": record.size_bytes,
        "mesosRole": record.mesos_role,
        "intent": str(record.intent),
        "agent": asdict(record.agent) if record.agent else None,
        "persistenceId": record.persistence_id,
        "directory": record.directory,
        "root": record.root,
        "dfs": canonical_dfs(record.dfs) if record.dfs else None,
        "reservations": list(record.reservations),
        "elsewhere": list(record.elsewhere),
        "superseded": list(record.superseded),
        "incarnation": record.incarnation,
        "launch": camel(asdict(record.launch)) if record.launch else None,
        "ending": camel(asdict(record.ending)) if record.ending else None,
        "fencing": _known(record.fencing) if record.fencing else None,
        "disk": _known(record.disk) if record.disk else None,
        "growth": camel(asdict(record.growth)) if record.growth else None,
        "unheard": camel(asdict(record.unheard)) if record.unheard else None,
        "madeWith": dict(record.made_with) if record.made_with is not None else None,
        "givingBack": camel(asdict(record.giving_back)) if record.giving_back else None,
        "initialised": record.initialised,
        "token": record.token,
        "failures": record.failures,
        "phase": str(record.phase),
        "releasedAtSeconds": record.released_at_seconds,
        "releasedByFramework": record.released_by_framework or None,
    }
    metadata: dict[str, object] = {
        "name": record.name,
        "namespace": record.key.namespace,
        "labels": {LABEL_DATABASE: record.key.name},
    }
    if record.resource_version:
        metadata["resourceVersion"] = record.resource_version
    return {
        "apiVersion": API_VERSION,
        "kind": "DatabaseVolume",
        "metadata": metadata,
        "spec": {name: value for name, value in spec.items() if value is not None},
    }


def to_label(record: VolumeRecord) -> str:
    """Return the entry as the text of a task's label."""
    stored = to_object(replace(record, resource_version=""))
    return json.dumps({"metadata": stored["metadata"], "spec": stored["spec"]}, sort_keys=True)


def from_label(text: str) -> VolumeRecord | None:
    """Return the entry in a task's label, or None where it holds none."""
    try:
        return from_object(json.loads(text))
    except (KeyError, RecursionError, TypeError, ValueError):
        return None


def from_object(stored: Mapping[str, Any]) -> VolumeRecord:
    """Return the record in a stored object. Fields that are unknown here do not count. Raises Damaged."""
    metadata, spec = stored["metadata"], stored.get("spec")
    if isinstance(spec, Mapping) and spec.get("phase") in _FORMER_PHASES:
        spec = {**spec, "phase": VolumePhase.PENDING}
    errors = (*check(metadata, _METADATA, "metadata"), *check(spec, VOLUME_SPEC, "spec"))
    if not isinstance(spec, Mapping) or (errors := errors or tuple(_homeless(spec))):
        raise Damaged(errors)
    launch, fencing, disk = spec.get("launch"), spec.get("fencing"), spec.get("disk")
    return VolumeRecord(
        name=metadata["name"],
        key=DatabaseKey(namespace=metadata["namespace"], name=spec["database"]["name"]),
        owner_uid=spec["database"]["uid"],
        identity=_of(DataIdentity, spec["identity"]),
        engine=EngineType(spec["engine"]["type"]),
        engine_version=spec["engine"]["version"],
        strategy=Strategy(spec["strategy"]),
        size_bytes=spec["sizeBytes"],
        mesos_role=spec["mesosRole"],
        intent=Intent(spec["intent"]),
        agent=_of(AgentRef, spec["agent"]) if spec.get("agent") else None,
        persistence_id=spec.get("persistenceId"),
        directory=spec.get("directory"),
        root=spec.get("root"),
        dfs=parse_dfs(spec["dfs"]) if spec.get("dfs") else None,
        reservations=tuple(spec.get("reservations", ())),
        elsewhere=tuple(spec.get("elsewhere", ())),
        superseded=tuple(spec.get("superseded", ())),
        incarnation=spec["incarnation"],
        launch=_of(Launch, {**launch, "agent": _of(AgentRef, launch["agent"])}) if launch else None,
        ending=_of(Ending, spec["ending"]) if spec.get("ending") else None,
        fencing=_of(Fencing, {"by": "", **fencing}) if fencing else None,
        disk=_of(VolumeDisk, {**disk, "type": DiskType(disk["type"])}) if disk else None,
        growth=_of(Growth, spec["growth"]) if spec.get("growth") else None,
        unheard=_of(Unheard, spec["unheard"]) if spec.get("unheard") else None,
        made_with=dict(spec["madeWith"]) if spec.get("madeWith") is not None else None,
        giving_back=_of(GivingBack, spec["givingBack"]) if spec.get("givingBack") else None,
        initialised=spec["initialised"],
        token=spec["token"],
        failures=spec["failures"],
        phase=VolumePhase(spec["phase"]),
        released_at_seconds=float(spec.get("releasedAtSeconds", 0.0)),
        released_by_framework=spec.get("releasedByFramework") or "",
        resource_version=metadata.get("resourceVersion", ""),
    )


def _known(part: Fencing | VolumeDisk) -> object:
    """Return the stored form of a part of an entry, without what is not known of it."""
    return camel({name: value for name, value in asdict(part).items() if value is not None})


def _homeless(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield the error of data that nothing says the place of."""
    place = "persistenceId" if spec["strategy"] == Strategy.PERSISTENT_VOLUME else "directory"
    if spec["initialised"] and not spec.get(place):
        allowed = "there is data, so its place must be set"
        yield FieldError(path=f"spec.{place}", value="absent", allowed=allowed, reason="Required")


def _of(kind: type[T], stored: Mapping[str, Any]) -> T:
    """Return a value of the model; what `stored` holds beside its fields was written by a newer operator."""
    # By the names that the schema has looked at: any other spelling of one may hold anything.
    known = {camel_name(field.name): field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{known[name]: value for name, value in stored.items() if name in known})
