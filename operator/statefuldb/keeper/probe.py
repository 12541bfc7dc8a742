"""What this machine has of what a keeper needs. Starts no server, opens no data."""

import os
import sys
from pathlib import Path

from statefuldb import __version__
from statefuldb.keeper.mounts import read_mounts, shared_type
from statefuldb.keeper.owners import service_user
from statefuldb.keeper.refusal import Refused
from statefuldb.keeper.server import installed_version
from statefuldb.model.keeper import PROBE_FILE
from statefuldb.model.machine_facts import MachineFacts


def look() -> MachineFacts:
    """Return the facts of this machine."""
    server, trouble = "", ""
    try:
        server = installed_version()
        service_user()
    except (Refused, OSError) as error:
        trouble = str(error)
    mounts = read_mounts(Path("/proc/self/mountinfo").read_text())
    shared = {m.mount_point: shared_type(m.filesystem) for m in mounts if shared_type(m.filesystem)}
    return MachineFacts(keeper=__version__, server=server, trouble=trouble, shared_mounts=shared)


def main() -> int:
    """Write the facts into the sandbox."""
    (Path(os.environ.get("MESOS_SANDBOX", ".")) / PROBE_FILE).write_text(look().to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
