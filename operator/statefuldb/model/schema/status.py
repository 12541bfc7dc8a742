"""The schema of `StatefulDatabase.status`."""

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
# As long as that of a ledger entry: below whatever root or mount a manifest may name.
_PATH_MAX_LENGTH = 4096

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

_PLACE = obj(
    {
        "name": text("The DatabaseVolume."),
        "agent": text("The host name of its agent."),
        "persistenceId": text("The volume in Mesos."),
        "directory": text(max_length=_PATH_MAX_LENGTH),
    },
    required=("name",),
    description="Where data was last known to lie.",
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
                "volumes": array(
                    text("A DatabaseVolume; named until it is seen again, where it is missed."), max_items=64
                ),
                "data": array(_PLACE, max_items=64, list_map_keys=("name",)),
            }
        ),
        "accepted": obj({"generation": integer(), "hash": text(), "spec": anything("As it was accepted.")}),
    }
)
# Until the operator has seen an object, kstatus must not take it for done: it compares this with the generation.
DATABASE_STATUS["default"] = {"observedGeneration": -1}
