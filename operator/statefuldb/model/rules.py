"""Rules of the manifest language that a schema cannot say: unions, quantities, safe paths, what is not built yet."""

from collections.abc import Iterator, Mapping
from typing import cast

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import parse_quantity

SYSTEM_ROOTS = ("/proc", "/sys", "/dev", "/etc", "/boot", "/run", "/bin", "/sbin", "/lib", "/usr")
MEMORY_MINIMUM_BYTES = 128 * 1024 * 1024
SIZE_MINIMUM_BYTES = 64 * 1024 * 1024
# The ledger counts bytes, and thousandths of cpus, in 64 bits.
CPUS_MAXIMUM = 10**6
BYTES_MAXIMUM = 2**60
_MEMBERS = {"HostPath": "hostPath", "DFS": "dfs", "PersistentVolume": "persistentVolume"}
_LATER = ("replication", "update", "credentials", "backup", "tls")

Spec = Mapping[str, object]


def section(spec: Spec, name: str) -> Spec:
    """Return an object field, empty where it is absent."""
    return cast("Spec", spec.get(name) or {})


def check_rules(spec: Spec, allowed_roots: tuple[str, ...]) -> Iterator[FieldError]:
    """Yield every broken rule of a spec that fits the schema."""
    yield from _union(section(spec, "storage"))
    yield from _amounts(spec)
    yield from _paths(section(spec, "storage"), allowed_roots)
    yield from _not_built(spec)


def lacks_place(storage: Spec) -> str:
    """Return the field that the strategy of a `storage` section needs and that is not there, empty where none is."""
    wanted = _MEMBERS[str(storage["strategy"])]
    return wanted if wanted not in storage and wanted != "persistentVolume" else ""


def _union(storage: Spec) -> Iterator[FieldError]:
    strategy = str(storage["strategy"])
    wanted = _MEMBERS[strategy]
    for name, member in _MEMBERS.items():
        if member in storage and name != strategy:
            yield FieldError(
                path=f"spec.storage.{member}",
                value=shown(storage[member]),
                allowed=f"with strategy {strategy} only {wanted} may be set",
                fix=f"remove it, or set spec.storage.strategy to {name}",
            )
    if lacking := lacks_place(storage):
        yield FieldError(
            path=f"spec.storage.{lacking}",
            value="absent",
            allowed=f"strategy {strategy} needs it",
            reason="Required",
        )


def _amounts(spec: Spec) -> Iterator[FieldError]:
    resources, storage = section(spec, "resources"), section(spec, "storage")
    bytes_most = (BYTES_MAXIMUM, "1024Pi")
    for path, value, (least, least_shown), (most, most_shown) in (
        ("spec.resources.cpus", resources["cpus"], (0.01, "10m"), (CPUS_MAXIMUM, "1M")),
        ("spec.resources.memory", resources["memory"], (MEMORY_MINIMUM_BYTES, "128Mi"), bytes_most),
        ("spec.storage.size", storage["size"], (SIZE_MINIMUM_BYTES, "64Mi"), bytes_most),
    ):
        amount = float(parse_quantity(value))
        if amount < least:
            yield FieldError(path=path, value=shown(value), allowed=f"at least {least_shown}")
        elif amount > most:
            yield FieldError(path=path, value=shown(value), allowed=f"at most {most_shown}")


def _paths(storage: Spec, allowed_roots: tuple[str, ...]) -> Iterator[FieldError]:
    host_path, dfs = section(storage, "hostPath"), section(storage, "dfs")
    places = (
        ("spec.storage.hostPath.path", host_path.get("path")),
        ("spec.storage.dfs.mountPoint", dfs.get("mountPoint")),
    )
    for path, value in places:
        if value is not None:
            yield from _safe(path, str(value), allowed_roots)
    sub_path = dfs.get("subPath")
    if sub_path is not None and any(p in ("", ".", "..") for p in str(sub_path).split("/")):
        yield FieldError(
            path="spec.storage.dfs.subPath",
            value=shown(sub_path),
            allowed="a relative path without '.', '..' and empty parts",
        )


def _safe(path: str, value: str, allowed_roots: tuple[str, ...]) -> Iterator[FieldError]:
    parts = value.split("/")[1:]
    if not value.startswith("/") or any(p in ("", ".", "..") for p in parts):
        yield FieldError(
            path=path, value=shown(value), allowed="an absolute path without '.', '..', '//' and a '/' at its end"
        )
    elif allowed_roots and not any(at_or_below(value, root) for root in allowed_roots):
        yield FieldError(
            path=path,
            value=shown(value),
            allowed=f"a directory below {', '.join(allowed_roots)}",
            fix="choose one of them, or have the operator's --allowed-root extended",
            reason="Forbidden",
        )
    elif not allowed_roots and any(at_or_below(value, root) for root in SYSTEM_ROOTS):
        yield FieldError(
            path=path,
            value=shown(value),
            allowed="a directory that is not part of the operating system",
            reason="Forbidden",
        )


def at_or_below(path: str, root: str) -> bool:
    """Say whether an absolute path is a directory `root` or lies below it."""
    return f"{path}/".startswith(root.rstrip("/") + "/")


def not_supported_yet(path: str, value: object, possible: str) -> FieldError:
    """Return the refusal of what the schema knows and this operator cannot do."""
    return FieldError(
        path=path,
        value=shown(value),
        allowed=f"possible now: {possible}",
        reason="NotSupportedYet",
    )


def _not_built(spec: Spec) -> Iterator[FieldError]:
    """What the schema knows and this operator cannot do is refused, never accepted and ignored."""
    storage = section(spec, "storage")
    dfs = section(storage, "dfs")
    if dfs.get("type") == "HDFS":
        yield FieldError(
            path="spec.storage.dfs.type",
            value='"HDFS"',
            allowed="NFS, CephFS, GlusterFS, MooseFS or Lustre",
            fix="HDFS is append-only and cannot write at random places of a file, which every data directory "
            "needs; it can hold backups, not data",
        )
    replicas = spec.get("replicas", 1)
    if isinstance(replicas, int) and replicas > 1:
        yield not_supported_yet("spec.replicas", replicas, "0 or 1")
    if spec.get("state") == "ReadOnly":
        yield not_supported_yet("spec.state", "ReadOnly", "Running, Stopped")
    bootstrap = section(spec, "bootstrap").get("type")
    if bootstrap not in (None, "Empty"):
        yield not_supported_yet("spec.bootstrap.type", bootstrap, "Empty, or no bootstrap at all")
    if section(spec, "retention").get("whenScaled") == "Delete":
        yield not_supported_yet("spec.retention.whenScaled", "Delete", "Retain; replicas: 0 always keeps the data")
    action = section(storage, "onNodeLoss").get("action")
    if action == "Rebuild" or (action == "Reattach" and storage["strategy"] != "DFS"):
        yield not_supported_yet("spec.storage.onNodeLoss.action", action, "Wait, and Reattach with DFS")
    for path, value in (
        ("spec.engine.image", section(spec, "engine").get("image")),
        ("spec.retention.retainSeconds", section(spec, "retention").get("retainSeconds")),
        ("spec.placement.spread", section(spec, "placement").get("spread")),
        *((f"spec.{name}", spec.get(name)) for name in _LATER),
    ):
        if value is not None:
            yield not_supported_yet(path, value, "nothing yet; leave it out")
