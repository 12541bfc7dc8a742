"""Where below a root a member's directory lies; the same for a local path and for a shared file system."""

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.spec import DatabaseSpec, StorageSpec
from statefuldb.model.volume import VolumeRecord


def root_of(storage: StorageSpec) -> str | None:
    """Return the directory below which all data of a manifest lies, or None where it lies in volumes."""
    if storage.host_path is not None:
        return storage.host_path.path
    return f"{storage.dfs.mount_point.rstrip('/')}/{storage.dfs.sub_path}".rstrip("/") if storage.dfs else None


def member_directory(root: str, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> str:
    """Return `<root>/<namespace>/<name>/<ordinal>`.

    An explicitly empty start lies beside what may be there: below a folder named by the uid (docs/design.md section 8,
    "Re-adoption").
    """
    parts = [root.rstrip("/"), key.namespace, key.name]
    if spec.bootstrap_empty:
        parts.append(record.identity.uid)
    return "/".join((*parts, str(record.identity.ordinal)))
