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
from statefuldb.model.spec import DFS_ATTRIBUTE

PATH_PATTERN = r"^/[A-Za-z0-9._/ -]*$"
SAFE_PATH = (
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
            description="Options of the server, but for those that the operator owns (docs/reference.md).",
        ),
        "image": text("A container image.", max_length=512),
    },
    required=("type", "version"),
    description="The database server and its options.",
)

HOST_PATH = obj(
    {
        "path": text(
            "Root directory on the agent; data goes to <path>/<namespace>/<name>/<ordinal>.",
            max_length=1024,
            pattern=PATH_PATTERN,
            rules=(*SAFE_PATH, _immutable("spec.storage.hostPath.path")),
        ),
        "create": boolean("Whether the root may be created where it does not exist."),
    },
    required=("path",),
    description="With strategy HostPath: a directory of one agent.",
)

DFS = obj(
    {
        "type": text("The file system.", enum=("NFS", "CephFS", "GlusterFS", "MooseFS", "Lustre", "HDFS")),
        "mountPoint": text(
            "Where every agent with the attribute mounts it.",
            max_length=1024,
            pattern=PATH_PATTERN,
            rules=(*SAFE_PATH, _immutable("spec.storage.dfs.mountPoint")),
        ),
        "subPath": text(
            "A directory below the mount point.",
            max_length=1024,
            pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/-]*$",
            rules=(_immutable("spec.storage.dfs.subPath"),),
        ),
        "source": text("What must be mounted there, as the kernel names it.", max_length=1024),
        "agentAttribute": obj(
            {
                "name": text(f"{DFS_ATTRIBUTE} where it is absent.", max_length=128),
                "value": text("The mount point where it is absent.", max_length=1024),
            },
            description="The Mesos attribute of agents that have the mount.",
        ),
    },
    required=("type", "mountPoint"),
    description="With strategy DFS: a directory of a file system that many agents mount.",
)

STORAGE = obj(
    {
        "strategy": text("Where the data lives.", enum=("HostPath", "DFS", "PersistentVolume")),
        "size": quantity("How much space the data may take.", PATTERN),
        "hostPath": HOST_PATH,
        "dfs": DFS,
        "persistentVolume": obj(
            {"diskType": text("The kind of Mesos disk; Root where it is absent.", enum=("Root", "Path", "Mount"))},
            description="With strategy PersistentVolume, where another disk than Root is wanted.",
        ),
        "onNodeLoss": obj(
            {
                "action": text(
                    "Wait (the default), or with DFS Reattach: cut the agent off by the fence command, and move.",
                    enum=("Wait", "Rebuild", "Reattach"),
                ),
                "afterSeconds": integer("How long it must be lost for that.", minimum=0, maximum=31_536_000),
            },
            description="What is done where a member's agent is lost.",
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
    description="Where the data lives, and how much it may be.",
)

_ATTRIBUTE = obj(
    {"name": text("Its name.", max_length=128, min_length=1), "value": text("Its value.", max_length=1024)},
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
            description="What each member is given; the server's buffers follow from its memory.",
        ),
        "storage": STORAGE,
        "placement": obj(
            {
                "mesosRole": text("The Mesos role to reserve for.", max_length=255),
                "attributes": array(_ATTRIBUTE, max_items=32, description="Mesos attributes that the agent must have."),
                "antiAffinity": text("Of members to each other.", enum=("Required", "Preferred", "None")),
                "spread": array(anything(), max_items=8, description="Not supported yet."),
            },
            description="On which agents members may be.",
        ),
        "retention": obj(
            {
                "whenDeleted": text(
                    "Retain (the default) keeps the data for a database of this name; Delete destroys it.",
                    enum=("Retain", "Delete"),
                ),
                "whenScaled": text("Retain: replicas 0 keeps the data.", enum=("Retain", "Delete")),
                "retainSeconds": integer("Not supported yet.", minimum=0),
            },
            description="What becomes of the data.",
        ),
        "deletionProtection": text("Enabled (the default) refuses deletion.", enum=("Enabled", "Disabled")),
        "replication": anything("Not supported yet."),
        "update": anything("Not supported yet."),
        "reconcile": obj(
            {
                "mode": text(
                    "Apply (the default), PlanOnly: nothing without approval, or Paused: nothing at all.",
                    enum=("Apply", "PlanOnly", "Paused"),
                ),
                "autoApprove": array(
                    text(enum=("NonDisruptive", "Restart", "Failover", "DataMove", "Destructive")),
                    max_items=5,
                    description="Risk classes of what may be done without approval.",
                ),
                "approvedPlan": text("Hash of the plan that is released (status.plan.hash).", max_length=64),
            },
            description="What the operator may do by itself.",
        ),
        "state": text("Running (the default), or Stopped with the data kept.", enum=("Running", "Stopped", "ReadOnly")),
        "bootstrap": obj(
            {
                "type": text(
                    "Empty: a new database, beside retained data where there is some.",
                    enum=("Empty", "Backup", "Snapshot", "Clone", "RetainedVolumes"),
                )
            },
            required=("type",),
            description="What the data begins with; without it retained data that fits is taken up again.",
        ),
        "credentials": anything("Not supported yet."),
        "backup": anything("Not supported yet."),
        "tls": anything("Not supported yet."),
    },
    required=("engine", "resources", "storage"),
    description="One database as desired.",
)
