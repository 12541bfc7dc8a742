"""From one accepted spec to the next: what may not change once there is data."""

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError
from statefuldb.model.quantity import render_bytes
from statefuldb.model.rules import not_supported_yet
from statefuldb.model.spec import DatabaseSpec, DiskType


def transition_errors(
    old: DatabaseSpec, new: DatabaseSpec, *, initialised: bool, begun: bool = False, held_bytes: int | None = None
) -> tuple[FieldError, ...]:
    """Return what may not change from `old` to `new`.

    Before there is data (`initialised`) anything may, but for the strategy once a member was launched (`begun`): what
    that left on agents is found and given back by its strategy.
    `held_bytes` is the size that volumes have by now, where that is known: a growth that has not taken place yet may
    be taken back.
    """
    if old.storage.strategy is not new.storage.strategy and (begun or initialised):
        possible = f"{old.storage.strategy}; migration between strategies is not built yet"
        return (not_supported_yet("spec.storage.strategy", new.storage.strategy, possible),)
    if not initialised:
        return ()
    smallest = old.storage.size_bytes if held_bytes is None else min(held_bytes, old.storage.size_bytes)
    errors = [
        FieldError(
            path=path,
            value=shown(after),
            allowed=f"it stays {'absent' if before is None else shown(before)}",
            fix="create another database, or delete this one with its data retained and begin anew",
            reason="Immutable",
        )
        for path, before, after in (
            ("spec.engine.type", old.engine.type, new.engine.type),
            ("spec.placement.mesosRole", old.placement.mesos_role, new.placement.mesos_role),
            ("spec.storage.hostPath.path", _root(old), _root(new)),
            ("spec.storage.dfs", _mount(old), _mount(new)),
            ("spec.storage.persistentVolume.diskType", _disk(old), _disk(new)),
        )
        if before != after
    ]
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


def _root(spec: DatabaseSpec) -> str | None:
    return spec.storage.host_path.path if spec.storage.host_path else None


def _mount(spec: DatabaseSpec) -> tuple[str, str] | None:
    return (spec.storage.dfs.mount_point, spec.storage.dfs.sub_path) if spec.storage.dfs else None


def _disk(spec: DatabaseSpec) -> str | None:
    volume = spec.storage.persistent_volume
    return str(volume.disk_type) if volume else None
