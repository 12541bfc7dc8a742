"""The run directory: the server's configuration and, in a folder of its own, its socket and temporary tables.

Nothing in it is data, and all but that one folder is the keeper's own. It lies in the machine's folder for temporary
files, as the path of a socket must be short. A keeper that is killed leaves it behind, so the next one to hold the
claim of the same directory removes it.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from statefuldb.keeper.claim import Claim
from statefuldb.keeper.files import write_durably

PREFIX = "sdb-"
OWNER_FILE = "claim"


@contextlib.contextmanager
def run_directory(claim: Claim) -> Iterator[Path]:
    """Make a run directory for the holder of a claim and yield it. What earlier holders left is removed before."""
    owner = claim.identity()
    _remove_left_by(owner)
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        made.chmod(0o711)
        write_durably(made / OWNER_FILE, owner)
        yield made
    finally:
        # tempfile's own removal may give a file its owner's rights first, and follow a link there (CVE-2023-6597).
        shutil.rmtree(made, ignore_errors=True)


def _remove_left_by(owner: str) -> None:
    """Remove the run directories of a claim's earlier holders: whoever holds it now knows that they are gone."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            found = left.lstat()
            # Everybody may put something into this folder: what another user made says nothing, nor does a link.
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            if ours and (left / OWNER_FILE).read_text() == owner:
                shutil.rmtree(left, ignore_errors=True)
