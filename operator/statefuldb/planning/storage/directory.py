"""Where below a root a member's directory lies; the same for a local path and for a shared file system."""

from dataclasses import replace

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.spec import DatabaseSpec, DfsSpec, StorageSpec
from statefuldb.model.volume import VolumeRecord


def root_of(storage: StorageSpec) -> str | None:
    """Return the directory below which all data of a manifest lies, or None where it lies in volumes."""
    if storage.host_path is not None:
        return storage.host_path.path
    return storage.dfs.root if storage.dfs is not None else None


def file_system(spec: DatabaseSpec, record: VolumeRecord) -> DfsSpec | None:
    """Return the shared file system that a member's data lies on, None where it lies on none.

    Where there is data it is mounted where the ledger has it, whatever a manifest says that names another place.
    """
    asked, known = spec.storage.dfs, record.dfs
    elsewhere = record.initialised and asked is not None and asked.root != record.root
    if asked is None or not elsewhere or known is None or known.root != record.root:
        return asked
    return replace(asked, mount_point=known.mount_point, sub_path=known.sub_path)


def member_directory(root: str, spec: DatabaseSpec, key: DatabaseKey, record: VolumeRecord) -> str:
    """Return `<root>/<namespace>/<name>/<ordinal>`.

    An explicitly empty start lies beside what may be there: below a folder named by the uid (docs/design.md section 8,
    "Re-adoption").
    """
    parts = [root.rstrip("/"), key.namespace, key.name]
    if spec.bootstrap_empty:
        parts.append(record.identity.uid)
    return "/".join((*parts, str(record.identity.ordinal)))
