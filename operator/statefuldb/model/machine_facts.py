"""What a machine has of what a keeper needs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """`keeper` is the version of statefuldb there, `server` that of the database server (empty for none).

    `trouble` says why no server could run there, `shared_mounts` names the mounted shared file systems: mount point and
    type, as `dfs.type` has it.
    """

    keeper: str
    server: str
    trouble: str
    shared_mounts: Mapping[str, str]

    def to_json(self) -> str:
        """Return the facts as text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "MachineFacts":
        """Read the text back. Raises ValueError where it is not that."""
        try:
            return MachineFacts(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"not the facts of a machine: {error}") from error
