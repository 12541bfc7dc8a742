"""The end of an installation, beside another framework's reservations in the same role."""

from e2e.conftest import Cluster, Json, eventually, manifest
from e2e.orphans import VOLUME, volumes
from statefuldb.cli.cluster import NAMESPACE
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, OPERATOR_IDENTITY_SECRET, OPERATOR_LEASE


def reserved(cluster: Cluster) -> list[Json]:
    """Return everything that is reserved on any agent, for whomever."""
    agents = cluster.ask("GET_AGENTS").get("agents", [])
    return sorted((r for agent in agents for r in agent["total_resources"] if r.get("reservations")), key=str)


def reserve(cluster: Cluster, resources: list[Json]) -> None:
    (agent,) = cluster.ask("GET_AGENTS")["agents"]
    cluster.ask("RESERVE_RESOURCES", agent_id=agent["agent_info"]["id"], resources=resources)


def foreign_reservations(like: Json) -> list[Json]:
    """Return reservations in our role: of somebody without labels, and of another statefuldb, labelled like `like`."""
    theirs = [
        {**label, "value": "00000000-0000-0000-0000-000000000000"} if label["key"].endswith("/cluster") else label
        for label in like["labels"]["labels"]
    ]
    plain = {"type": "DYNAMIC", "role": like["role"], "principal": "somebody"}
    return [
        {"name": "disk", "type": "SCALAR", "scalar": {"value": 77.0}, "reservations": [plain]},
        {
            "name": "disk",
            "type": "SCALAR",
            "scalar": {"value": 78.0},
            "reservations": [{**plain, "labels": {"labels": theirs}}],
        },
    ]


def a_released_volume(cluster: Cluster, name: str, *, with_operator: bool) -> str:
    """Make a database, see that nothing is uninstalled under it, delete it, release its volume.

    A Lease is left as by operators that were elected.
    """
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": OPERATOR_LEASE}}
    cluster.client.apply(lease, NAMESPACE)
    cluster.apply(manifest(name, VOLUME, deletionProtection="Disabled"))
    cluster.ready(name)
    options = cluster.mesos_options
    assert f"database default/{name} exists" in cluster.cli("uninstall", *options, code=4)
    cluster.cli("delete", name)
    (volume,) = [v for v, line in volumes(cluster).items() if line["database"] == name]
    eventually(lambda: volumes(cluster)[volume]["state"] == "Retained")
    said = cluster.cli("uninstall", "--dry-run", *options, code=4)
    assert f"volume default/{volume} is Retained" in said
    if not with_operator:
        cluster.parts.supervisor.stop("operator")
    cluster.cli("volumes", "release", volume, "--confirm", volume, *options)
    return volume


def uuid_of(cluster: Cluster) -> str:
    record = cluster.client.get("ConfigMap", NAMESPACE, FRAMEWORK_CONFIG_MAP)
    assert record is not None
    return str(record["data"]["cluster"])


def nothing_of_ours_is_left(cluster: Cluster) -> None:
    assert cluster.client.get("ConfigMap", NAMESPACE, FRAMEWORK_CONFIG_MAP) is None
    assert cluster.client.get("Secret", NAMESPACE, OPERATOR_IDENTITY_SECRET) is None
    assert cluster.client.get("Lease", NAMESPACE, OPERATOR_LEASE) is None
    assert cluster.client.list("DatabaseVolume") == []
    assert [s for s in cluster.client.list("Secret") if s["metadata"]["name"].endswith("-connection")] == []
