"""What a keeper makes of a directory before it opens anything, and who holds the claim meanwhile."""

import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import server as servers
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.refusal import Refused
from statefuldb.keeper.serve import Keeper
from statefuldb.model.keeper import DataLocation
from statefuldb.model.spec import EngineType
from statefuldb.planning.engines import engine_of
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from unit.keeper.test_erase import filled, orders


def server(root: Path, data: Path) -> servers.MariaDbServer:
    engine = engine_of(EngineType.MARIADB)
    assert engine is not None
    return servers.MariaDbServer(
        engine=engine,
        orders=ServerOrders(listen_address="127.0.0.1", port=1, server_id=1, memory_bytes=2**28, options={}, user=None),
        paths=ServerPaths(data_directory=str(data), run_directory=str(root / "run"), config_directory=str(root)),
    )


def test_where_data_is_expected_and_nothing_is_mounted_nothing_is_made(tmp_path: Path) -> None:
    config = replace(orders(tmp_path), mode="Serve")
    with pytest.raises(Refused, match="is its file system mounted"):
        member.open_directory(config, tmp_path, "mysql")
    assert list(tmp_path.iterdir()) == []
    root = tmp_path / "unmounted"
    with pytest.raises(Refused, match="does not exist"):
        member.open_directory(replace(orders(root), data=replace(orders(root).data, create=True)), tmp_path, "mysql")
    assert not root.exists()


@pytest.mark.parametrize("inside", ["", "mysql", "mysql/new"])
def test_nothing_is_begun_inside_the_directory_of_another_member(tmp_path: Path, inside: str) -> None:
    """It would be erased with it, and the other's server would take its folders for databases."""
    root = filled(tmp_path, uid="other") / inside
    data = DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root), create=True)
    config = replace(orders(tmp_path), mode="Serve", bootstrap="Empty", data=data)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refused, match="which is the directory of another member"):
        member.open_directory(config, tmp_path, "mysql")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_licence_to_clear_the_directory_does_not_outlive_the_bootstrap(tmp_path: Path) -> None:
    path = filled(tmp_path)
    config = orders(tmp_path)
    opened = member.open_directory(config, tmp_path, "mysql")
    intent = path / ".statefuldb/bootstrap.intent"
    intent.write_text(json.dumps({"cluster": "c", "uid": "u", "ordinal": 0, "engine": "MariaDB"}))
    assert member.check_identity(config, opened)
    assert not intent.exists()


def test_a_claim_on_what_was_removed_while_it_was_waited_for_is_none(tmp_path: Path) -> None:
    path = filled(tmp_path)
    opened = member.open_directory(orders(tmp_path), tmp_path, "mysql")
    claim = Claim(path / ".statefuldb/claim.lock", may_create=False)
    (path / ".statefuldb/claim.lock").unlink()
    with pytest.raises(Refused, match="was removed or replaced"):
        Keeper(replace(orders(tmp_path), mode="Serve"), tmp_path)._take(opened, claim)
    claim.release()


def test_what_is_begun_is_durable_before_it_is_said_to_hold_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB syncs what InnoDB keeps, and only some of the rest: without power its own tables would be empty."""
    synced: set[tuple[int, int]] = set()

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.add((found.st_dev, found.st_ino))

    monkeypatch.setattr(os, "fsync", fsync)
    script = tmp_path / "install"
    script.write_text(
        "#!/bin/sh\nfor a; do case $a in --datadir=*) d=${a#*=};; esac; done\nmkdir $d/sys; echo > $d/sys/db.opt\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(servers, "_binary", lambda _: str(script))
    monkeypatch.setattr(servers, "service_user", lambda: None)
    root = tmp_path / "made" / "root"
    data = DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root), create=True)
    config = replace(orders(tmp_path), mode="Serve", bootstrap="Empty", data=data)
    directory = member.open_directory(config, tmp_path, "mysql")
    server(tmp_path, directory.data).initialise(directory.data, inherited=0)
    made = [tmp_path / "made", *(tmp_path / "made").rglob("*")]
    left = [path for path in (tmp_path, *made) if (path.stat().st_dev, path.stat().st_ino) not in synced]
    # What is in it is synced with the marker.
    assert left == [directory.folder]


def test_what_initialises_holds_the_claim_and_a_place_of_its_own_for_temporary_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mariadb-install-db` goes on writing after a keeper that was killed alone: its successor has to wait.

    And each server that starts removes all temporary tables in its tmpdir: two members in one would end each other.
    It gives each word of its `--datadir` to the server's user, so that a blank in a path named somebody else's files.
    """
    place = tmp_path / "a place"
    place.mkdir()
    lock = tmp_path / "claim.lock"
    claim = Claim(lock, may_create=True)
    assert claim.try_take()
    # Stands for the script of MariaDB: says whether the descriptor is open in it and in what it starts.
    script = tmp_path / "install"
    script.write_text(
        f"#!/bin/sh\nsh -c 'readlink /proc/self/fd/{claim.fd}' > {tmp_path}/held\necho \"$@\" > {tmp_path}/arguments\n"
        f"pwd > {tmp_path}/within\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(servers, "_binary", lambda _: str(script))
    monkeypatch.setattr(servers, "service_user", lambda: None)
    made = server(tmp_path, place / "mysql")
    made.initialise(place / "mysql", inherited=claim.fd)
    assert (tmp_path / "within").read_text().strip() == str(place / "mysql.new")
    assert "--datadir=." in (tmp_path / "arguments").read_text().split()
    assert (tmp_path / "held").read_text().strip() == str(lock)
    assert f"--tmpdir={tmp_path}/run" in (tmp_path / "arguments").read_text().split()
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    other = os.open(lock, os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    claim.release()


def test_two_keepers_that_make_one_root_at_once_both_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "made" / "root"
    data = DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root), create=True)
    monkeypatch.setattr(member, "sync_directory", lambda _: root.mkdir(exist_ok=True))
    directory = member.open_directory(replace(orders(root), bootstrap="Empty", data=data), tmp_path, "mysql")
    assert directory.path.is_dir()


def test_the_state_of_an_embedded_cluster_is_no_member(tmp_path: Path) -> None:
    """It is kept in a folder of the same name: below where `statefuldb up` was typed nothing could be begun."""
    (tmp_path / ".statefuldb/api").mkdir(parents=True)
    root = tmp_path / "data"
    root.mkdir()
    opened = member.open_directory(replace(orders(root), bootstrap="Empty"), tmp_path, "mysql")
    assert opened.path == root / "shop/orders/0"


@pytest.mark.parametrize("on_the_datas_disk", [True, False])
def test_a_first_start_that_lacks_space_says_on_which_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, on_the_datas_disk: bool
) -> None:
    """As that of /tmp, where temporary tables lie: space was waited for where the data lies, and was there."""
    place = tmp_path / "data"
    place.mkdir()
    made = server(tmp_path, place / "mysql")
    written = "./ibdata1" if on_the_datas_disk else f"{made._paths.run_directory}/#sql1"
    script = tmp_path / "install"
    script.write_text(f"#!/bin/sh\necho \"Error writing file '{written}' (Errcode: 28 'No space left')\" >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(servers, "_binary", lambda _: str(script))
    monkeypatch.setattr(servers, "service_user", lambda: None)
    with pytest.raises(OSError, match="No space left") as told:
        made.initialise(place / "mysql", inherited=0)
    assert told.value.filename == (str(place / "mysql.new") if on_the_datas_disk else made._paths.run_directory)
