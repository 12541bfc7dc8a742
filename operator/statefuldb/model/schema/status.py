"""The schemas of `StatefulDatabase.status` and of `DatabaseVolume`."""

from statefuldb.model.schema.build import (
    Schema,
    anything,
    array,
    boolean,
    integer,
    mapping,
    obj,
    text,
)

_LONG = 32768

CONDITION = obj(
    {
        "type": text(max_length=316),
        "status": text(enum=("True", "False", "Unknown")),
        "reason": text(max_length=1024),
        "message": text(max_length=_LONG),
        "observedGeneration": integer(),
        "lastTransitionTime": text(max_length=64),
    },
    required=("type", "status"),
)

_MEMBER = obj(
    {
        "ordinal": integer(),
        "phase": text(),
        "ready": boolean(),
        "taskId": text(),
        "incarnation": integer(),
        "agent": text(),
        "address": text(),
        "port": integer(),
        "restarts": integer(),
        "reason": text(),
        "message": text(max_length=_LONG),
    },
    required=("ordinal",),
)

_RELEASE = obj(
    {
        "hash": text("By which it was approved."),
        "generation": integer(),
        "keys": array(text("What may still be done.", max_length=1024), max_items=100),
    },
    description="The plan that was approved last.",
)

_PLAN = obj(
    {
        "hash": text("Of the plan that waits for approval."),
        "target": text("Digest of the spec that is planned for, without the approval."),
        "generation": integer("The generation that is planned for."),
        "release": _RELEASE,
        "actions": array(
            obj({"type": text(), "risk": text(), "description": text(max_length=_LONG)}),
            max_items=100,
        ),
        "waiting": array(
            obj(
                {
                    "member": integer(),
                    "reason": text(),
                    "message": text(max_length=_LONG),
                    "fix": text(max_length=_LONG),
                    "since": text(),
                    "refusals": mapping(integer(), max_properties=32),
                }
            ),
            max_items=100,
        ),
    }
)

DATABASE_STATUS: Schema = obj(
    {
        "observedGeneration": integer(),
        "summary": text(max_length=_LONG),
        "conditions": array(CONDITION, max_items=32, list_map_keys=("type",)),
        "members": array(_MEMBER, max_items=16, list_map_keys=("ordinal",)),
        "replicas": integer(),
        "readyReplicas": integer(),
        "primary": integer(),
        "endpoints": obj({"primary": obj({"host": text(), "port": integer()}), "secretName": text()}),
        "plan": _PLAN,
        "storage": obj(
            {
                "strategy": text(),
                "capabilities": mapping(boolean(), max_properties=16),
                "volumes": array(text(), max_items=64),
            }
        ),
        "accepted": obj({"generation": integer(), "hash": text(), "spec": anything("As it was accepted.")}),
    }
)
# Until the operator has seen an object, kstatus must not take it for done: it compares this with the generation.
DATABASE_STATUS["default"] = {"observedGeneration": -1}

_AGENT = obj({"id": text(), "hostname": text(), "address": text()})

VOLUME_SPEC: Schema = obj(
    {
        "database": obj({"name": text(), "uid": text()}, required=("name", "uid")),
        "identity": obj({"cluster": text(), "uid": text(), "ordinal": integer()}),
        "engine": obj({"type": text(), "version": text()}),
        "strategy": text(enum=("HostPath", "DFS", "PersistentVolume")),
        "sizeBytes": integer(),
        "mesosRole": text(),
        "intent": text("What is to become of the data.", enum=("Use", "Retain", "Delete")),
        "agent": _AGENT,
        "persistenceId": text(),
        "directory": text(max_length=4096),
        "root": text(max_length=4096),
        "dfs": anything("The shared file system, as it was accepted."),
        "reservations": array(text(), max_items=1000),
        "elsewhere": array(text("A host where an earlier attempt may have left reservations."), max_items=1000),
        "superseded": array(text("A host where an earlier attempt left a volume."), max_items=1000),
        "incarnation": integer(),
        "launch": anything("The last launch attempt, written before it was made."),
        "ending": anything("Proof that it is over."),
        "fencing": obj(
            {"incarnation": integer(), "by": text()},
            description="A person's word that an incarnation can write no more.",
        ),
        "growth": anything("How often it was tried to make the volume larger."),
        "initialised": boolean(),
        "token": integer(),
        "failures": integer(),
        "phase": text(),
        "releasedAtSeconds": {"type": "number"},
    },
    required=("database", "identity", "strategy", "intent"),
)
