"""What data on a shared file system lies on, asked of the kernel among mounts that hide each other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")

SCRIPT = """
import sys
from pathlib import Path
from statefuldb.keeper import mounts
from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import DataLocation

# Stands for a shared file system, which not every machine has servers for.
mounts._KERNEL_NAMES["NFS"] = ("tmpfs",)
top = Path(sys.argv[1])
directory = top / "mnt/db/shop/orders/0"
try:
    mounts.check_place(
        DataLocation(strategy="DFS", directory=str(directory), mount_point=f"{top}/mnt", filesystem="NFS"), directory
    )
except Refused as refusal:
    sys.exit(str(refusal))
"""
MOUNTED = 'mount -t tmpfs filer "$0/mnt"; mkdir "$0/mnt/db"'


def looked_at(top: Path, *commands: str) -> str:
    """Mount in a namespace of its own, with `$0` for the folder; return why the place is refused, else nothing."""
    (top / "mnt").mkdir()
    (top / "disk").mkdir()
    shell = "; ".join(("set -e", *commands, 'exec "$@"'))
    command = ["unshare", "--mount", "sh", "-c", shell, str(top), sys.executable, "-c", SCRIPT, str(top)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (1 if done.stderr else 0)
    return done.stderr


@pytest.mark.parametrize(
    "commands",
    [
        (MOUNTED,),
        (MOUNTED, 'mkdir -p "$0/mnt/db/shop/orders/0"'),
        # As a container is shown it: a part of it, at the mount point.
        ('mount -t tmpfs filer "$0/disk"', 'mkdir "$0/disk/part"', 'mount --bind "$0/disk/part" "$0/mnt"'),
        # The same twice, one over the other.
        ('mount -t tmpfs filer "$0/mnt"', 'mount --bind "$0/mnt" "$0/mnt"'),
        # What was mounted further down is hidden by what counts.
        ('mkdir "$0/mnt/db"', 'mount -t tmpfs old "$0/mnt/db"', MOUNTED),
    ],
)
def test_the_mount_itself_is_taken_however_it_came_there(commands: tuple[str, ...], tmp_path: Path) -> None:
    assert looked_at(tmp_path, *commands) == ""


@pytest.mark.parametrize(
    ("commands", "place"),
    [
        ((MOUNTED, 'mount -t tmpfs other "$0/mnt/db"'), "mnt/db"),
        ((MOUNTED, 'mkdir -p "$0/mnt/db/shop"', 'mount --bind "$0/disk" "$0/mnt/db/shop"'), "mnt/db/shop"),
        # Mounted over from above: the table still has the line of what nobody sees any more.
        (('mkdir -p "$0/disk/mnt/db"', MOUNTED, 'mount --bind "$0/disk" "$0"'), ""),
    ],
)
def test_one_writer_another_mount_is_refused_wherever_it_came_in(
    commands: tuple[str, ...], place: str, tmp_path: Path
) -> None:
    said = looked_at(tmp_path, *commands)
    assert f"mount {tmp_path / place!s} (from " in said
    assert f"allowed is only what lies on the NFS mount {tmp_path}/mnt" in said
