"""The schema of `StatefulDatabase.spec` (docs/design.md section 5)."""

from statefuldb.model.quantity import PATTERN
from statefuldb.model.schema.build import (
    Schema,
    anything,
    array,
    boolean,
    integer,
    mapping,
    obj,
    quantity,
    rule,
    text,
)

PATH_PATTERN = r"^/[A-Za-z0-9._/ -]*$"
_SAFE_PATH = (
    rule(
        "!self.contains('//') && !self.endsWith('/..') && !self.contains('/../')",
        "must be an absolute path without '..' and '//'",
    ),
)


def _immutable(field: str) -> Schema:
    return rule("self == oldSelf", f"{field} cannot be changed once it is set")


ENGINE = obj(
    {
        "type": text(
            "The database server.",
            enum=("MySQL", "MariaDB", "PostgreSQL"),
            rules=(_immutable("spec.engine.type"),),
        ),
        "version": text("Its version, as major.minor.", max_length=32, pattern=r"^[0-9]+(\.[0-9]+)*$"),
        "config": mapping(
            {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "x-kubernetes-int-or-string": True,
                "maxLength": 1024,
            },
            max_properties=200,
        ),
        "image": text("A container image.", max_length=512),
    },
    required=("type", "version"),
)

HOST_PATH = obj(
    {
        "path": text(
            "Root directory on the agent; data goes to <path>/<namespace>/<name>/<ordinal>.",
            max_length=1024,
            pattern=PATH_PATTERN,
            rules=(*_SAFE_PATH, _immutable("spec.storage.hostPath.path")),
        ),
        "create": boolean("Whether the root may be created where it does not exist."),
    },
    required=("path",),
)

DFS = obj(
    {
        "type": text("The file system.", enum=("NFS", "CephFS", "GlusterFS", "MooseFS", "Lustre", "HDFS")),
        "mountPoint": text(
            "Where every agent with the attribute mounts it.",
            max_length=1024,
            pattern=PATH_PATTERN,
            rules=(*_SAFE_PATH, _immutable("spec.storage.dfs.mountPoint")),
        ),
        "subPath": text(
            "A directory below the mount point.",
            max_length=1024,
            pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/-]*$",
            rules=(_immutable("spec.storage.dfs.subPath"),),
        ),
        "source": text("What must be mounted there, as the kernel names it.", max_length=1024),
        "agentAttribute": obj(
            {"name": text(max_length=128), "value": text(max_length=1024)},
            description="The Mesos attribute of agents that have the mount.",
        ),
    },
    required=("type", "mountPoint"),
)

STORAGE = obj(
    {
        "strategy": text("Where the data lives.", enum=("HostPath", "DFS", "PersistentVolume")),
        "size": quantity("How much space the data may take.", PATTERN),
        "hostPath": HOST_PATH,
        "dfs": DFS,
        "persistentVolume": obj({"diskType": text("The kind of Mesos disk.", enum=("Root", "Path", "Mount"))}),
        "onNodeLoss": obj(
            {
                "action": text(enum=("Wait", "Rebuild", "Reattach")),
                "afterSeconds": integer(minimum=0, maximum=31_536_000),
            }
        ),
    },
    required=("strategy", "size"),
    rules=(
        rule(
            "(self.strategy == 'HostPath') == has(self.hostPath)",
            "hostPath must be set with strategy HostPath, and with no other",
        ),
        rule(
            "(self.strategy == 'DFS') == has(self.dfs)",
            "dfs must be set with strategy DFS, and with no other",
        ),
        rule(
            "self.strategy == 'PersistentVolume' || !has(self.persistentVolume)",
            "persistentVolume may be set with strategy PersistentVolume only",
        ),
    ),
)

_ATTRIBUTE = obj(
    {"name": text(max_length=128, min_length=1), "value": text(max_length=1024)},
    required=("name", "value"),
)

DATABASE_SPEC = obj(
    {
        "engine": ENGINE,
        "replicas": integer("Members; 0 stops the database with its data kept.", minimum=0, maximum=9),
        "resources": obj(
            {
                "cpus": quantity("Cpus of each member.", PATTERN),
                "memory": quantity("Memory of each member.", PATTERN),
            },
            required=("cpus", "memory"),
        ),
        "storage": STORAGE,
        "placement": obj(
            {
                "mesosRole": text("The Mesos role to reserve for.", max_length=255),
                "attributes": array(_ATTRIBUTE, max_items=32),
                "antiAffinity": text(enum=("Required", "Preferred", "None")),
                "spread": array(anything(), max_items=8),
            }
        ),
        "retention": obj(
            {
                "whenDeleted": text(enum=("Retain", "Delete")),
                "whenScaled": text(enum=("Retain", "Delete")),
                "retainSeconds": integer(minimum=0),
            }
        ),
        "deletionProtection": text("Enabled (the default) refuses deletion.", enum=("Enabled", "Disabled")),
        "replication": anything(),
        "update": anything(),
        "reconcile": obj(
            {
                "mode": text(enum=("Apply", "PlanOnly", "Paused")),
                "autoApprove": array(
                    text(enum=("NonDisruptive", "Restart", "Failover", "DataMove", "Destructive")),
                    max_items=5,
                ),
                "approvedPlan": text(max_length=64),
            }
        ),
        "state": text(enum=("Running", "Stopped", "ReadOnly")),
        "bootstrap": obj(
            {"type": text(enum=("Empty", "Backup", "Snapshot", "Clone", "RetainedVolumes"))},
            required=("type",),
        ),
        "credentials": anything(),
        "backup": anything(),
        "tls": anything(),
    },
    required=("engine", "resources", "storage"),
    description="One database as desired.",
)
