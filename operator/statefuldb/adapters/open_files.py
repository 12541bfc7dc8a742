"""How many files an operator may have open: it has one for each keeper that it follows, and some for the rest.

Nearly everywhere (systemd, containerd) a process begins with 1,024, for the sake of programs that use select(2), and
may go up to its hard limit by itself. Nothing of an operator's uses select(2).
"""

import resource
from logging import getLogger

log = getLogger(__name__)
WANTED = 65_536
# Below that a fleet of some thousands may want more.
FEW = 16_384

Limits = tuple[int, int]


def make_room() -> Limits:
    """Raise the soft limit as far as is wanted and may be. Return both limits as they were: those of other programs."""
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < FEW:
        log.warning(
            "no more than %d files may be open at a time, and each running database takes one: raise the hard limit "
            "of open files (LimitNOFILE of systemd or of the container runtime; docs/operations.md, Open files)",
            most,
        )
    return before
