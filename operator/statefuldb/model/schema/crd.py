"""The CustomResourceDefinitions, as objects ready to be written to `crds/`."""

from statefuldb.model.schema.build import Schema, obj, text
from statefuldb.model.schema.database import DATABASE_SPEC
from statefuldb.model.schema.profile import PROFILE_SPEC
from statefuldb.model.schema.status import DATABASE_STATUS
from statefuldb.model.schema.volume import VOLUME_SPEC

GROUP = "statefuldb.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
NAME_MAX_LENGTH = 50


def _column(name: str, path: str, type_: str = "string", *, wide: bool = False) -> Schema:
    column: Schema = {"name": name, "type": type_, "jsonPath": path}
    if wide:
        column["priority"] = 1
    return column


def _of_condition(kind: str, field: str) -> str:
    return f".status.conditions[?(@.type=='{kind}')].{field}"


def _definition(
    *,
    kind: str,
    plural: str,
    short: str,
    schema: Schema,
    subresources: Schema,
    columns: list[Schema],
    scope: str = "Namespaced",
) -> Schema:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["statefuldb", "databases"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": subresources,
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def custom_resource_definitions() -> tuple[Schema, ...]:
    """Return the definitions of every kind, in the order in which they are installed."""
    database_schema = obj(
        {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": obj({"name": text(max_length=NAME_MAX_LENGTH)}),
            "spec": DATABASE_SPEC,
            "status": DATABASE_STATUS,
        },
        required=("spec",),
        description="A database on Apache Mesos.",
    )
    volume_schema = obj(
        {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": VOLUME_SPEC,
        },
        required=("spec",),
        description="One entry of the ledger: a reservation with its volume, or a directory.",
    )
    profile_schema = obj(
        {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": PROFILE_SPEC,
        },
        required=("spec",),
        description="What databases of some namespaces may use.",
    )
    return (
        _definition(
            kind="StatefulDatabase",
            plural="statefuldatabases",
            short="sdb",
            schema=database_schema,
            subresources={
                "status": {},
                "scale": {
                    "specReplicasPath": ".spec.replicas",
                    "statusReplicasPath": ".status.replicas",
                },
            },
            columns=[
                # Is it fine, why not, where; with -o wide also how to reach it, and what to do.
                _column("Ready", _of_condition("Ready", "status")),
                _column("Reason", _of_condition("Ready", "reason")),
                _column("Engine", ".spec.engine.type"),
                _column("Strategy", ".spec.storage.strategy"),
                _column("Where", ".status.members[0].agent"),
                _column("Age", ".metadata.creationTimestamp", "date"),
                _column("Version", ".spec.engine.version", wide=True),
                _column("Address", ".status.endpoints.primary.host", wide=True),
                _column("Port", ".status.endpoints.primary.port", "integer", wide=True),
                _column("At Risk", _of_condition("DataAtRisk", "status"), wide=True),
                _column("Summary", ".status.summary", wide=True),
            ],
        ),
        _definition(
            kind="DatabaseVolume",
            plural="databasevolumes",
            short="sdbv",
            schema=volume_schema,
            subresources={},
            columns=[
                _column("Database", ".spec.database.name"),
                _column("Ordinal", ".spec.identity.ordinal", "integer"),
                _column("Strategy", ".spec.strategy"),
                _column("Phase", ".spec.phase"),
                _column("Intent", ".spec.intent"),
                _column("Agent", ".spec.agent.hostname"),
                _column("Age", ".metadata.creationTimestamp", "date"),
            ],
        ),
        _definition(
            kind="StorageProfile",
            plural="storageprofiles",
            short="sdbp",
            scope="Cluster",
            schema=profile_schema,
            subresources={},
            columns=[
                _column("Namespaces", ".spec.namespaces.names"),
                _column("Strategies", ".spec.strategies"),
                _column("Largest", ".spec.size.max"),
                _column("Retention", ".spec.retention.whenDeleted"),
                _column("Age", ".metadata.creationTimestamp", "date"),
            ],
        ),
    )
