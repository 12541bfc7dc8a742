"""The schema of `StorageProfile.spec`."""

from statefuldb.model.quantity import PATTERN
from statefuldb.model.schema.build import Schema, array, mapping, obj, quantity, rule, text
from statefuldb.model.schema.database import PATH_PATTERN

_PATH = text(
    max_length=1024,
    pattern=PATH_PATTERN,
    rules=(
        rule(
            "!self.contains('//') && !self.endsWith('/..') && !self.contains('/../')",
            "must be an absolute path without '..' and '//'",
        ),
    ),
)

PROFILE_SPEC: Schema = obj(
    {
        "namespaces": obj(
            {
                "names": array(text(max_length=63), max_items=100),
                "matchLabels": mapping(text(max_length=63), max_properties=16),
            },
            description="Whom it bounds: namespaces named here, or with all of these labels. Absent: everybody.",
            rules=(rule("has(self.names) || has(self.matchLabels)", "must have names or matchLabels"),),
        ),
        "strategies": array(text(enum=("HostPath", "DFS", "PersistentVolume")), max_items=3),
        "hostPath": obj({"roots": array(_PATH, max_items=32)}, description="Where spec.storage.hostPath.path may be."),
        "dfs": obj({"mountPoints": array(_PATH, max_items=32)}),
        "mesosRoles": array(text("Besides the operator's own role.", max_length=255), max_items=32),
        "persistentVolume": obj({"diskTypes": array(text(enum=("Root", "Path", "Mount")), max_items=3)}),
        "size": obj({"min": quantity("The least size.", PATTERN), "max": quantity("The largest size.", PATTERN)}),
        "retention": obj(
            {"whenDeleted": text("Retain refuses databases that would delete their data.", enum=("Retain", "Delete"))}
        ),
    },
    description="What databases may use. Whatever is absent is not bounded; of several profiles all must allow.",
)
