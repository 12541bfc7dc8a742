"""The schema of `StorageProfile.spec`."""

from statefuldb.model.quantity import PATTERN
from statefuldb.model.schema.build import Schema, array, mapping, obj, quantity, rule, text
from statefuldb.model.schema.database import PATH_PATTERN, SAFE_PATH

_PATH = text(max_length=1024, pattern=PATH_PATTERN, rules=SAFE_PATH)

PROFILE_SPEC: Schema = obj(
    {
        "namespaces": obj(
            {
                "names": array(text(max_length=63), max_items=100, description="These namespaces."),
                "matchLabels": mapping(
                    text(max_length=63), max_properties=16, description="Namespaces that have all of these labels."
                ),
            },
            description="Whom it bounds: namespaces named here, or with all of these labels. Absent or empty: all.",
            rules=(rule("has(self.names) || has(self.matchLabels)", "must have names or matchLabels"),),
        ),
        "strategies": array(
            text(enum=("HostPath", "DFS", "PersistentVolume")),
            max_items=3,
            description="What spec.storage.strategy may be.",
        ),
        "hostPath": obj(
            {"roots": array(_PATH, max_items=32, description="It must be at or below one of these.")},
            description="Where spec.storage.hostPath.path may be.",
        ),
        "dfs": obj(
            {"mountPoints": array(_PATH, max_items=32, description="It must be one of these.")},
            description="Where spec.storage.dfs.mountPoint may be.",
        ),
        "mesosRoles": array(
            text(max_length=255),
            max_items=32,
            description="What spec.placement.mesosRole may name. Without that field the operator's own role is used.",
        ),
        "persistentVolume": obj(
            {
                "diskTypes": array(
                    text(enum=("Root", "Path", "Mount")), max_items=3, description="Its diskType must be one of these."
                )
            },
            description="What spec.storage.persistentVolume may be.",
        ),
        "size": obj(
            {"min": quantity("The least size.", PATTERN), "max": quantity("The largest size.", PATTERN)},
            description="What spec.storage.size may be.",
        ),
        "retention": obj(
            {"whenDeleted": text("Retain refuses databases that would delete their data.", enum=("Retain", "Delete"))},
            description="What spec.retention may be.",
        ),
    },
    description="What databases may use. Whatever is absent is not bounded, an empty list allows none. Of several "
    "profiles all must allow.",
)
