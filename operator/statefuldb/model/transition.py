"""From one accepted spec to the next: what may not change once there is data, or while that is begun."""

from collections.abc import Iterator, Sequence

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import render_bytes
from statefuldb.model.rules import not_supported_yet
from statefuldb.model.spec import DatabaseSpec, DfsSpec, DiskType
from statefuldb.model.volume import VolumeRecord


def transition_errors(
    old: DatabaseSpec,
    new: DatabaseSpec,
    *,
    initialised: bool,
    begun: bool = False,
    entries: Sequence[VolumeRecord] = (),
    held_bytes: int | None = None,
) -> tuple[FieldError, ...]:
    """Return what may not change from `old` to `new`.

    Before there is data (`initialised`) anything may, but for the strategy once a member was launched (`begun`): what
    that left on agents is found and given back by its strategy. Of `entries` there is data, or it is being begun: they
    say where, and that may always be asked for.
    `held_bytes` is the size that volumes have by now, where that is known: a growth that has not taken place yet may
    be taken back.
    """
    if old.storage.strategy is not new.storage.strategy and (begun or initialised):
        possible = f"{old.storage.strategy}; migration between strategies is not built yet"
        return (not_supported_yet("spec.storage.strategy", new.storage.strategy, possible),)
    errors = list(_place_errors(old, new, entries)) if initialised or entries else []
    if not initialised:
        return tuple(errors)
    smallest = old.storage.size_bytes if held_bytes is None else min(held_bytes, old.storage.size_bytes)
    if new.storage.size_bytes < smallest:
        errors.append(
            FieldError(
                path="spec.storage.size",
                value=shown(render_bytes(new.storage.size_bytes)),
                allowed=f"{render_bytes(smallest)} or more: storage never shrinks",
            )
        )
    elif new.storage.size_bytes > old.storage.size_bytes and _disk(old) == DiskType.MOUNT:
        kept = (
            f"{render_bytes(old.storage.size_bytes)}; a Mount disk is one volume, as large as it is, so a larger one "
        )
        kept += "needs a replacement of the member, which is not built yet"
        errors.append(not_supported_yet("spec.storage.size", render_bytes(new.storage.size_bytes), kept))
    if old.engine.version != new.engine.version:
        errors.append(not_supported_yet("spec.engine.version", new.engine.version, old.engine.version))
    return tuple(errors)


def _place_errors(old: DatabaseSpec, new: DatabaseSpec, entries: Sequence[VolumeRecord]) -> Iterator[FieldError]:
    """Yield an error for each thing that says where data lies and would become neither what it was nor what it is."""
    for path, known, before, after in (
        ("spec.engine.type", (), old.engine.type, new.engine.type),
        ("spec.placement.mesosRole", (), old.placement.mesos_role, new.placement.mesos_role),
        ("spec.storage.hostPath.path", _known_roots(entries), _root(old), _root(new)),
        ("spec.storage.dfs", _known_mounts(entries, new), _mount(old.storage.dfs), _mount(new.storage.dfs)),
        ("spec.storage.persistentVolume.diskType", (), _disk(old), _disk(new)),
    ):
        if after not in (before, *known):
            stays = known[0] if known else before
            yield FieldError(
                path=path,
                value=shown(after),
                allowed=f"it stays {'absent' if stays is None else shown(stays)}",
                fix="create another database, or delete this one with its data retained and begin anew",
                reason="Immutable",
            )


def _known_roots(entries: Sequence[VolumeRecord]) -> tuple[str, ...]:
    """Return the roots below which the ledger has local directories."""
    return tuple(entry.root for entry in entries if entry.root is not None and entry.dfs is None)


def _known_mounts(entries: Sequence[VolumeRecord], new: DatabaseSpec) -> tuple[tuple[str, str] | None, ...]:
    """Return the mounts by which the ledger knows data, else that of `new` where it leads to the same root.

    An earlier version wrote down what was asked for at each launch, wherever the data was.
    """
    known = ((entry, dfs) for entry in entries for dfs in (entry.dfs, new.storage.dfs) if entry.dfs is not None)
    return tuple(_mount(dfs) for entry, dfs in known if dfs is not None and dfs.root == entry.root)[:1]


def _root(spec: DatabaseSpec) -> str | None:
    return spec.storage.host_path.path if spec.storage.host_path else None


def _mount(dfs: DfsSpec | None) -> tuple[str, str] | None:
    return (dfs.mount_point, dfs.sub_path) if dfs is not None else None


def _disk(spec: DatabaseSpec) -> str | None:
    volume = spec.storage.persistent_volume
    return str(volume.disk_type) if volume else None
