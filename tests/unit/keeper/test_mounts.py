"""What must be mounted before data on a shared file system is opened."""

from pathlib import Path

import pytest

from statefuldb.keeper.mounts import check_mount, mounted_below
from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import DataLocation

SUPER = {
    "NFS": "36 25 0:40 / /mnt/db rw,relatime shared:1 - nfs4 filer:/db rw,vers=4.2,hard,proto=tcp,{}",
    "Lustre": "36 25 0:41 / /mnt/db rw,relatime - lustre mgs@tcp:/fs rw,{}",
}


def location(filesystem: str, source: str | None = None) -> DataLocation:
    return DataLocation(
        strategy="DFS", directory="/mnt/db/x", mount_point="/mnt/db", filesystem=filesystem, source=source
    )


@pytest.mark.parametrize(
    ("filesystem", "option"),
    [("NFS", "local_lock=none"), ("Lustre", "flock,lazystatfs")],
)
def test_locks_that_reach_the_servers_are_taken(filesystem: str, option: str) -> None:
    check_mount(location(filesystem), SUPER[filesystem].format(option))


@pytest.mark.parametrize(
    ("filesystem", "option", "said"),
    [
        ("NFS", "nolock,local_lock=all", "locks do not reach the other agents"),
        ("NFS", "local_lock=flock", "local_lock=flock"),
        ("Lustre", "localflock", "localflock"),
        ("Lustre", "lazystatfs", "without flock"),
    ],
)
def test_one_writer_locks_that_end_at_this_machine_are_refused(filesystem: str, option: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check_mount(location(filesystem), SUPER[filesystem].format(option))


def test_a_later_mount_hides_an_earlier_one_and_must_be_what_was_asked_for() -> None:
    table = SUPER["NFS"].format("local_lock=none") + "\n37 25 8:1 / /mnt/db rw - ext4 /dev/sda1 rw"
    with pytest.raises(Refused, match="is a ext4 mount, not NFS"):
        check_mount(location("NFS"), table)
    with pytest.raises(Refused, match="not a mount point"):
        check_mount(location("NFS"), "")
    with pytest.raises(Refused, match="mounted from filer:/db, not from other:/db"):
        check_mount(location("NFS", source="other:/db"), SUPER["NFS"].format("local_lock=none"))


@pytest.mark.parametrize(("written", "place"), [("/srv/données/x", "/srv/données/x"), (r"/srv/a\040b/x", "/srv/a b/x")])
def test_a_mount_is_seen_whatever_its_name_is_made_of(written: str, place: str) -> None:
    """What is not seen to be mounted below a directory would be removed with it."""
    table = f"36 25 8:1 / {written} rw - ext4 /dev/sda1 rw"
    assert mounted_below(Path(place).parent, table) == {Path(place)}
