"""Members' directories are found by their markers, and nothing is written."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from statefuldb.keeper import scan as scanning
from statefuldb.keeper.mounts import mount_of, shared_type
from statefuldb.keeper.scan import find_members, main, read_output
from statefuldb.model.found import FoundDirectory
from statefuldb.model.keeper import SCAN_FILE

UID = "11111111-2222-3333-4444-555555555555"
TABLE = """1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /srv rw - xfs /dev/sdb1 rw
3 1 0:50 / /mnt/shared rw - fuse.glusterfs 10.0.0.1:/vol rw
4 3 0:51 / /mnt/shared rw - nfs4 10.0.0.2:/export rw
"""


def member(root: Path, *parts: str, **marker: object) -> Path:
    directory = root.joinpath(*parts)
    folder = directory / ".statefuldb"
    folder.mkdir(parents=True)
    written = {"cluster": "c", "uid": UID, "ordinal": 0, "engine": "MariaDB", "version": "10.11.6-MariaDB", **marker}
    (folder / "identity.json").write_text(json.dumps(written))
    (folder / "token").write_text("7")
    return directory


def scan(root: Path) -> tuple[list[FoundDirectory], list[str]]:
    troubles: list[str] = []
    return list(find_members(root, troubles.append)), troubles


def test_directories_with_a_marker_are_found_where_keepers_make_them(tmp_path: Path) -> None:
    first = member(tmp_path, "shop", "orders", "0")
    beside = member(tmp_path, "shop", "orders", UID, "1", ordinal=1)
    (tmp_path / "shop" / "orders" / "2").mkdir()
    member(tmp_path, "shop", "orders", "not-a-number")
    member(tmp_path, "too", "deep", "by", "far")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    found, troubles = scan(tmp_path)
    assert [one.directory for one in found] == [str(first), str(beside)]
    assert found[0].database == "orders"
    assert found[0].namespace == "shop"
    assert (found[0].identity.uid, found[0].token, found[0].version) == (UID, 7, "10.11.6-MariaDB")
    assert not troubles
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    member(outside, "orders", "0")
    root = tmp_path / "root"
    root.mkdir()
    (root / "shop").symlink_to(outside)
    assert scan(root) == ([], [])


def test_a_broken_marker_is_told_and_hides_no_other(tmp_path: Path) -> None:
    broken = member(tmp_path, "shop", "aaa", "0")
    (broken / ".statefuldb" / "identity.json").write_text("{")
    incomplete = member(tmp_path, "shop", "bbb", "0")
    (incomplete / ".statefuldb" / "identity.json").write_text('{"cluster": "c"}')
    member(tmp_path, "shop", "ccc", "0")
    found, troubles = scan(tmp_path)
    assert [one.database for one in found] == ["ccc"]
    assert len(troubles) == 2
    assert scan(tmp_path / "nowhere")[1]


def test_the_mount_of_a_path_is_the_nearest_and_the_latest() -> None:
    assert mount_of(Path("/etc/x"), TABLE).mount_point == "/"
    assert mount_of(Path("/srv/db"), TABLE).filesystem == "xfs"
    assert mount_of(Path("/mnt/shared/db"), TABLE).filesystem == "nfs4"
    assert mount_of(Path("/srvs"), TABLE).mount_point == "/"


def test_where_the_root_is_no_mount_what_is_found_is_on_a_local_file_system() -> None:
    """In a chroot the kernel shows only what is mounted below its root."""
    bare = mount_of(Path("/srvs/db"), "\n".join(line for line in TABLE.splitlines() if " / / " not in line))
    assert not shared_type(bare.filesystem)
    assert (bare.mount_point, bare.source) == ("", "")
    assert [shared_type(name) for name in ("nfs4", "fuse.glusterfs", "ext4")] == ["NFS", "GlusterFS", ""]


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("nfs4 a:/", "nfs4 a:/shop", "root"),
        ("nfs4 a:/", "nfs4 b:/shop", "shop"),
        ("nfs4 a:/", "ext4 /dev/sdb", "shop"),
        ("ceph a:/", "ceph a:/shop", "shop"),
        ("ext4 /dev/sda", "nfs4 a:/shop", "shop"),
        ("ext4 /dev/sda", "xfs /dev/sdb", "shop"),
    ],
)
def test_where_file_systems_of_one_server_meet_the_mount_is_that_which_agents_have(
    above: str, below: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was adopted lay on a mount of which no agent tells: to remove it, an agent was waited for, for ever.

    A keeper takes no other mount for the one above it: what was adopted as lying there would be opened by none.
    """
    member(tmp_path / "root", "shop", "orders", "0")
    places = {"root": tmp_path / "root", "shop": tmp_path / "root/shop"}
    table = f"1 0 0:50 / {places['root']} rw - {above} rw\n2 1 0:51 / {places['shop']} rw - {below} rw\n"
    monkeypatch.setattr(scanning, "mount_of", partial(mount_of, table=table))
    ((found,), _) = scan(tmp_path / "root")
    assert found.mount_point == str(places[expected])


def test_what_a_task_writes_is_read_back_with_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = member(tmp_path, "shop", "orders", "0", madeWith={"innodb_page_size": "32k"})
    sandbox = tmp_path / "sandbox"
    sandbox.mkdir()
    monkeypatch.setenv("MESOS_SANDBOX", str(sandbox))
    monkeypatch.setattr(sys, "argv", ["scan", str(tmp_path), str(tmp_path / "nowhere")])
    assert main() == 0
    (found,), (trouble,) = read_output((sandbox / SCAN_FILE).read_text(), "agent-1")
    assert (found.directory, found.host, found.identity.uid) == (str(directory), "agent-1", UID)
    assert found.made_with == {"innodb_page_size": "32k"}
    assert "nowhere" in trouble
