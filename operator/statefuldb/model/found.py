"""A member's directory as its identity marker tells, found without any ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from statefuldb.model.identity import DataIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDirectory:
    """`root` is where the search began; namespace and database are told by the path below it.

    `version` is the server's that last opened the data, `token` the last fencing token. `mount_point` and `source` are
    those of the mount that the directory lies on, and `shared` the type of its shared file system (as `dfs.type` names
    it), empty on a local one. `host` is the agent that was looked at, empty where the search ran on no agent.
    `made_with` are the options that the data was made with, None where the marker does not say it.
    """

    directory: str
    root: str
    namespace: str
    database: str
    identity: DataIdentity
    engine: str
    version: str
    token: int
    mount_point: str
    source: str
    shared: str
    host: str = ""
    made_with: Mapping[str, str] | None = field(default=None, hash=False)
