"""What the planner must know of the operator itself: who it is in Mesos, and what it may touch."""

from dataclasses import dataclass

FRAMEWORK_NAME = "statefuldb"
# In the state directory of an operator that cannot begin yet: what it waits for.
OPERATOR_WAITING_FILE = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorIdentity:
    """The operator's own facts, fixed for the life of its process.

    `cluster` is the UUID by which ownership is told, `principal` the Mesos principal or None, `operator_ca_pem` the
    certificate that keepers trust, `allowed_roots` the only places for HostPath and DFS directories (empty: any
    place that is not part of the operating system). `fences` says that there is a command that cuts a lost agent off
    from a shared file system. `restored_at` is when the API was last restored from a backup, as a person said, in Unix
    seconds; 0 where it never was.
    """

    cluster: str
    mesos_role: str
    principal: str | None
    operator_ca_pem: str
    allowed_roots: tuple[str, ...] = ()
    fences: bool = False
    restored_at: int = 0
