"""The server's run directory: its configuration, its socket, its temporary tables. Nothing in it is data.

It lies in the machine's folder for temporary files, as the path of a socket must be short. A keeper that is killed
leaves it behind, so the next one to hold the claim of the same directory removes it.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from statefuldb.keeper.claim import Claim

PREFIX = "sdb-"
OWNER_FILE = "claim"


@contextlib.contextmanager
def run_directory(claim: Claim) -> Iterator[Path]:
    """Make a run directory for the holder of a claim and yield it. What earlier holders left is removed before."""
    owner = claim.identity()
    _remove_left_by(owner)
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
        os.chmod(made, 0o711)
        (Path(made) / OWNER_FILE).write_text(owner)
        yield Path(made)


def _remove_left_by(owner: str) -> None:
    """Remove the run directories of a claim's earlier holders: whoever holds it now knows that they are gone."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            found = left.lstat()
            # Everybody may put something into this folder: what another user made says nothing, nor does a link.
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            if ours and (left / OWNER_FILE).read_text() == owner:
                shutil.rmtree(left, ignore_errors=True)
