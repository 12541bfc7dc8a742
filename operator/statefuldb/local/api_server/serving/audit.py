"""The audit log: one line for each request that was allowed or refused, as `audit.k8s.io/v1` has it at level Metadata.

Off unless a file is named, as on the real server (`--audit-log-path`). No body and no token gets into it.
"""

import json
from pathlib import Path

from statefuldb.local.api_server.rights.rbac import Attempt, User


class AuditLog:
    """Appends to one file; without one it does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", buffering=1) if path is not None else None

    def decided(self, user: User, attempt: Attempt, *, allowed: bool) -> None:
        """Write down who asked for what, and whether that was allowed."""
        if self._file is None:
            return
        entry: dict[str, object] = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "verb": attempt.verb,
            "user": {"username": user.name, "groups": list(user.groups)},
            "annotations": {"authorization.k8s.io/decision": "allow" if allowed else "forbid"},
        }
        if attempt.path:
            entry["requestURI"] = attempt.path
        else:
            resource, _, subresource = attempt.resource.partition("/")
            named = {
                "apiGroup": attempt.group,
                "resource": resource,
                "subresource": subresource,
                "namespace": attempt.namespace,
                "name": attempt.name,
            }
            entry["objectRef"] = {key: value for key, value in named.items() if value}
        self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
