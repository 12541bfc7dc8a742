"""What StorageProfiles allow: each that applies to a namespace must allow all of a spec, so the strictest wins."""

import json
from collections.abc import Iterator

from statefuldb.model.errors import FieldError
from statefuldb.model.profile import StorageProfile
from statefuldb.model.quantity import render_bytes
from statefuldb.model.rules import at_or_below
from statefuldb.model.spec import DatabaseSpec, Retention

REASON = "ForbiddenByProfile"


def profile_errors(
    spec: DatabaseSpec, profiles: tuple[StorageProfile, ...], operator_role: str
) -> tuple[FieldError, ...]:
    """Return an error for each part of a spec that a profile does not allow. `operator_role` is used by default."""
    return tuple(error for profile in profiles for error in _errors(spec, profile, operator_role))


def _errors(spec: DatabaseSpec, profile: StorageProfile, operator_role: str) -> Iterator[FieldError]:
    storage = spec.storage
    choices: list[tuple[str, str, tuple[str, ...] | None]] = [
        ("spec.storage.strategy", str(storage.strategy), profile.strategies)
    ]
    if storage.dfs is not None:
        choices.append(("spec.storage.dfs.mountPoint", storage.dfs.mount_point, profile.mount_points))
    if storage.persistent_volume is not None:
        disk_type = str(storage.persistent_volume.disk_type)
        choices.append(("spec.storage.persistentVolume.diskType", disk_type, profile.disk_types))
    role, roles = spec.placement.mesos_role, profile.mesos_roles
    # To name the operator's own role, or one above it, is to name none: nothing else is offered to it.
    if role is not None and roles is not None and not f"{operator_role}/".startswith(f"{role}/"):
        choices.append(("spec.placement.mesosRole", role, (*roles, operator_role)))
    for path, value, allowed in choices:
        if allowed is not None and value not in allowed:
            yield _forbidden(profile, path, value, " or ".join(allowed))
    roots = profile.host_roots
    if storage.host_path is not None and roots is not None:
        path = storage.host_path.path
        if not any(at_or_below(path, root) for root in roots):
            where = f"a directory at or below {' or '.join(roots)}" if roots else ""
            yield _forbidden(profile, "spec.storage.hostPath.path", path, where)
    size = render_bytes(storage.size_bytes)
    if storage.size_bytes < profile.min_bytes:
        yield _forbidden(profile, "spec.storage.size", size, f"{render_bytes(profile.min_bytes)} or more")
    if profile.max_bytes is not None and storage.size_bytes > profile.max_bytes:
        yield _forbidden(profile, "spec.storage.size", size, f"{render_bytes(profile.max_bytes)} or less")
    if profile.must_retain and spec.retention.when_deleted is Retention.DELETE:
        yield _forbidden(profile, "spec.retention.whenDeleted", "Delete", "Retain")


def _forbidden(profile: StorageProfile, path: str, value: str, allowed: str) -> FieldError:
    return FieldError(
        path=path,
        value=json.dumps(value),
        allowed=f"StorageProfile {profile.name} allows {allowed or 'none'}",
        fix="choose what it allows, or have it changed by who runs the cluster",
        reason=REASON,
    )
