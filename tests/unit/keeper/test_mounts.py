"""What must be mounted before data on a shared file system is opened."""

from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import erasing, mounts
from statefuldb.keeper.mounts import check_mount, check_place, mounted_below
from statefuldb.keeper.refusal import Refused
from statefuldb.keeper.serve import Keeper
from statefuldb.model.keeper import DataLocation, KeeperConfig
from unit.keeper.test_erase import filled, orders

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


ON, BELOW, OVER, LOCAL = 36, 37, 38, 25


def shared(top: Path, *further: str, lies_on: int | None, monkeypatch: pytest.MonkeyPatch) -> KeeperConfig:
    """Return orders for data below `db` on a mount at `mnt`. The kernel says `lies_on` of it; an old one says nothing.

    `further` are lines of the mount table that come after.
    """
    first = (f"{LOCAL} 1 8:1 / / rw - ext4 /dev/sda1 rw", f"{ON} {LOCAL} 0:40 / {top}/mnt rw - nfs4 filer:/db rw,hard")
    monkeypatch.setattr(mounts, "mount_table", lambda: "\n".join((*first, *further)))
    monkeypatch.setattr(mounts, "mount_number", lambda _: lies_on)
    (top / "mnt").mkdir()
    root = f"{top}/mnt/db"
    data = DataLocation(
        strategy="DFS",
        directory=f"{root}/shop/orders/0",
        root=root,
        create=True,
        mount_point=f"{top}/mnt",
        filesystem="NFS",
        source="filer:/db",
    )
    return replace(orders(top), mode="Serve", bootstrap="Empty", data=data)


def opened(config: KeeperConfig, top: Path) -> member.MemberDirectory:
    """Open the directory as a keeper does; return it."""
    directory, claim = Keeper(config, top)._open()
    claim.release()
    return directory


def erased(config: KeeperConfig, top: Path) -> None:
    directory = erasing.find(config, top, "mysql")
    if directory is not None:
        erasing.erase(config, directory)


@pytest.mark.parametrize("lies_on", [ON, None])
def test_what_lies_on_the_mount_itself_is_taken(
    lies_on: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is a part of the file system that is shown there, as to a container, or the very mount point."""
    bound = f"{ON} 1 0:40 /exported/here {tmp_path}/mnt rw - nfs4 filer:/db rw,hard"
    config = shared(tmp_path, bound, lies_on=lies_on, monkeypatch=monkeypatch)
    assert opened(config, tmp_path).path == tmp_path / "mnt/db/shop/orders/0"
    data = replace(config.data, root=f"{tmp_path}/mnt", directory=f"{tmp_path}/mnt/shop/orders/0")
    assert opened(replace(config, data=data), tmp_path).path == tmp_path / "mnt/shop/orders/0"
    erased(config, tmp_path)
    assert not (tmp_path / "mnt/db/shop/orders/0").exists()


def test_where_file_systems_of_one_nfs_server_meet_is_no_other_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client mounts what it crosses into by itself, with the options of the mount above."""
    crossed = f"{BELOW} {ON} 0:41 / {tmp_path}/mnt/db rw - nfs4 filer:/db/tank rw,hard"
    config = shared(tmp_path, crossed, lies_on=BELOW, monkeypatch=monkeypatch)
    assert opened(config, tmp_path).path == tmp_path / "mnt/db/shop/orders/0"


@pytest.mark.parametrize(
    ("number", "place", "what", "lies_on"),
    [
        (BELOW, "mnt/db", "nfs4 filer2:/db rw,hard", BELOW),
        (BELOW, "mnt/db", "nfs filer2:/old rw,nolock,local_lock=all", BELOW),
        (BELOW, "mnt/db", "nfs filer2:/old rw,nolock,local_lock=all", None),
        (BELOW, "mnt/db", "ext4 /dev/sdb1 rw", BELOW),
        (BELOW, "mnt/db/shop", "ext4 /dev/sdb1 rw", BELOW),
        (OVER, "", "ext4 /dev/sdb1 rw", OVER),
    ],
)
def test_one_writer_what_lies_on_another_mount_than_was_checked_is_refused(
    number: int, place: str, what: str, lies_on: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock there may end at this machine, and its successor elsewhere would find a free one."""
    other = str(tmp_path / place)
    line = f"{number} {ON} 0:41 / {other} rw - {what}"
    config = shared(tmp_path, line, lies_on=lies_on, monkeypatch=monkeypatch)
    filled(tmp_path / "mnt/db")
    before = sorted(tmp_path.rglob("*"))
    filesystem, source, *_ = what.split()
    said = rf"lies on the {filesystem} mount {other} \(from {source}\), allowed is only .* {tmp_path}/mnt"
    for act in (opened, erased):
        with pytest.raises(Refused, match=f"{said}.*unmount {other}"):
            act(config, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_one_writer_a_mount_that_the_kernel_does_not_show_is_not_the_one_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shared(tmp_path, lies_on=99, monkeypatch=monkeypatch)
    with pytest.raises(Refused, match="lies on a mount that is not shown here, allowed is only"):
        opened(config, tmp_path)


@pytest.mark.parametrize("link", ["mnt/db", "mnt/db/shop"])
def test_one_writer_a_link_that_leads_out_of_the_mount_is_refused(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shared(tmp_path, lies_on=ON, monkeypatch=monkeypatch)
    local = tmp_path / "local"
    filled(local)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(local)
    before = sorted(tmp_path.rglob("*"))
    for act in (opened, erased):
        with pytest.raises(Refused, match=f"leads to {local}/.*, out of {tmp_path}/mnt.*replace the link"):
            act(config, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_that_stays_on_the_mount_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = shared(tmp_path, lies_on=ON, monkeypatch=monkeypatch)
    (tmp_path / "mnt/real").mkdir()
    (tmp_path / "mnt/db").symlink_to("real")
    assert opened(config, tmp_path).path == tmp_path / "mnt/real/shop/orders/0"


@pytest.mark.parametrize("name", [".statefuldb", ".statefuldb/claim.lock", "mysql"])
def test_one_writer_what_is_mounted_as_it_is_opened_is_seen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An automounter mounts what is looked into; and a file may be a mount, too."""
    over = tmp_path / "mnt/db/shop/orders/0" / name
    line = f"{BELOW} {ON} 8:2 / {over} rw - ext4 /dev/sdb1 rw"
    config = shared(tmp_path, line, lies_on=ON, monkeypatch=monkeypatch)
    filled(tmp_path / "mnt/db")
    monkeypatch.setattr(mounts, "mount_number", lambda path: BELOW if path == over else ON)
    for act in (opened, erased):
        with pytest.raises(Refused, match=f"{over} lies on the ext4 mount"):
            act(config, tmp_path)
    assert (tmp_path / "mnt/db/shop/orders/0/mysql/ibdata1").exists()


def test_a_file_system_that_is_not_mounted_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = shared(tmp_path, lies_on=LOCAL, monkeypatch=monkeypatch)
    monkeypatch.setattr(mounts, "mount_table", lambda: f"{LOCAL} 1 8:1 / / rw - ext4 /dev/sda1 rw")
    for act in (opened, erased):
        with pytest.raises(Refused, match="is not a mount point"):
            act(config, tmp_path)


def test_where_the_kernel_says_what_a_path_lies_on_it_is_believed(tmp_path: Path) -> None:
    """`/proc` is a mount of its own everywhere; what data on one agent lies on nobody asks."""
    number = mounts.mount_number(Path("/proc"))
    assert number is None or number == mounts.mount_of(Path("/proc")).number
    check_place(orders(tmp_path).data, tmp_path / "nowhere")
