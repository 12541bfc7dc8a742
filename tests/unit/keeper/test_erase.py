"""Emptying a released directory: all of it, nothing else, and never said to be done where nothing was to be seen."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import erasing
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import DATA_EXPECTED, DataLocation, KeeperConfig

MINE = {"cluster": "c", "uid": "u", "ordinal": 0, "engine": "MariaDB"}


def orders(root: Path) -> KeeperConfig:
    return KeeperConfig(
        mode="Erase",
        cluster="c",
        uid="u",
        namespace="shop",
        name="orders",
        ordinal=0,
        incarnation=2,
        task_id="sdb.u.0.2",
        engine="MariaDB",
        version="10.11",
        config={},
        memory_bytes=0,
        data=DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root)),
        bootstrap="None",
        minimum_token=1,
        listen_address="127.0.0.1",
        port=1,
        keeper_port=2,
        operator_ca_pem="",
        stop_grace_seconds=1,
    )


def filled(root: Path, **other: object) -> Path:
    """Make the directory of a member that has data; `other` says whose where it is not this one's."""
    path = root / "shop/orders/0"
    (path / "mysql").mkdir(parents=True)
    (path / "mysql/ibdata1").write_text("rows")
    (path / ".statefuldb").mkdir()
    (path / ".statefuldb/identity.json").write_text(json.dumps({**MINE, **other}))
    for name in ("claim.lock", "token", "epoch"):
        (path / ".statefuldb" / name).write_text("1")
    return path


def erase(root: Path, **changes: object) -> None:
    config = replace(orders(root), **changes)  # type: ignore[arg-type]
    directory = erasing.find(config, root, "mysql")
    if directory is not None:
        erasing.erase(config, directory)


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_it_removes_the_directory_and_is_done_once_more(tmp_path: Path) -> None:
    path = filled(tmp_path)
    erase(tmp_path)
    assert not path.exists()
    # An end that was not told is told again.
    erase(tmp_path)


def test_what_is_not_mounted_is_not_said_to_be_removed(tmp_path: Path) -> None:
    # An empty mount point: not even the folder is there in which the directory lay.
    with pytest.raises(Refused, match="mounted"):
        erase(tmp_path)
    # Where nothing was ever begun, nothing need be there.
    erase(tmp_path, bootstrap="Empty")


@pytest.mark.parametrize("other", [{"uid": "another"}, {"ordinal": 1}])
def test_where_another_member_lives_nothing_is_left_to_do(tmp_path: Path, other: dict[str, object]) -> None:
    path = filled(tmp_path, **other)
    erase(tmp_path)
    assert (path / "mysql/ibdata1").read_text() == "rows"
    assert (path / ".statefuldb/identity.json").exists()


def test_where_another_member_serves_nothing_is_waited_for(tmp_path: Path) -> None:
    """Its server holds the claim for as long as it runs; the removal was tried again for ever."""
    path = filled(tmp_path, uid="another")
    claim = Claim(path / ".statefuldb/claim.lock", may_create=False)
    assert claim.try_take()
    erase(tmp_path)
    claim.release()
    assert (path / "mysql/ibdata1").read_text() == "rows"


def test_where_another_member_has_begun_nothing_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "shop/orders/0"
    (path / ".statefuldb").mkdir(parents=True)
    (path / ".statefuldb/bootstrap.intent").write_text(json.dumps({**MINE, "uid": "another"}))
    (path / "mysql.new").mkdir()
    erase(tmp_path)
    assert (path / "mysql.new").exists()


def test_the_same_member_of_another_cluster_is_no_leave_to_forget_it(tmp_path: Path) -> None:
    filled(tmp_path, cluster="another")
    with pytest.raises(Refused, match="cluster"):
        erase(tmp_path)


def test_a_lock_that_was_removed_beside_a_server_lets_nothing_be_removed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    (path / ".statefuldb/claim.lock").unlink()
    with pytest.raises(Refused, match="is gone"):
        erase(tmp_path)
    assert (path / "mysql/ibdata1").exists()


@pytest.mark.parametrize("full", [False, True])
def test_what_a_removal_has_left_is_served_to_nobody(
    full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was cut off, and then called off: a server would show what is left as if it were all."""
    path = filled(tmp_path)
    (path / "mysql/shop").mkdir()
    serve = replace(orders(tmp_path), mode="Serve")
    assert member.check_identity(serve, member.open_directory(serve, tmp_path, "mysql"))

    def cut_off(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(shutil, "rmtree", cut_off)
        if full:
            cut.setattr(Path, "touch", no_space)
        with pytest.raises(KeyboardInterrupt):
            erase(tmp_path)
    with pytest.raises(Refused, match=f"{DATA_EXPECTED}.*began to be removed"):
        member.check_identity(serve, member.open_directory(serve, tmp_path, "mysql"))
    erase(tmp_path)
    assert not path.exists()


def test_where_a_removal_was_cut_off_at_its_end_a_new_member_may_begin(tmp_path: Path) -> None:
    folder = tmp_path / "shop/orders/0/.statefuldb"
    folder.mkdir(parents=True)
    (folder / "erasing").touch()
    serve = replace(orders(tmp_path), mode="Serve", bootstrap="Empty")
    directory = member.open_directory(serve, tmp_path, "mysql")
    assert not member.check_identity(serve, directory)
    member.begin_bootstrap(serve, directory)
    member.end_bootstrap(serve, directory, "10.11")
    assert member.check_identity(serve, directory)


def test_a_full_disk_keeps_nothing_from_being_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)

    monkeypatch.setattr(Path, "touch", no_space)
    erase(tmp_path)
    assert not path.exists()


def test_a_removal_that_is_cut_off_anywhere_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class CutOff(Exception):
        pass

    unlink, rmdir, rmtree = Path.unlink, Path.rmdir, shutil.rmtree
    steps = 0
    cuts = 0
    for allowed in range(20):
        path = filled(tmp_path) if not (tmp_path / "shop/orders/0").exists() else tmp_path / "shop/orders/0"
        steps = 0

        def counted(what: object, limit: int = allowed) -> object:
            def call(*arguments: object, **named: object) -> object:
                nonlocal steps
                if steps == limit:
                    raise CutOff
                steps += 1
                return what(*arguments, **named)  # type: ignore[operator]

            return call

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", counted(unlink))
            patch.setattr(Path, "rmdir", counted(rmdir))
            patch.setattr(shutil, "rmtree", counted(rmtree))
            try:
                erase(tmp_path)
                break
            except CutOff:
                cuts += 1
        erase(tmp_path)
        assert not path.exists()
    assert cuts > 5


def test_what_is_mounted_inside_is_not_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)
    monkeypatch.setattr(erasing, "mounted_below", lambda _: {path / "mysql/backups"})
    with pytest.raises(Refused, match="is mounted below"):
        erase(tmp_path)
    assert (path / "mysql/ibdata1").exists()
    monkeypatch.setattr(erasing, "mounted_below", lambda _: {path})
    erase(tmp_path)
    assert list(path.iterdir()) == [], "a mount point stays, empty"


def test_a_removal_beside_a_server_that_holds_the_claim_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    claim = Claim(path / ".statefuldb/claim.lock", may_create=False)
    assert claim.try_take()
    with pytest.raises(Refused, match="still held"):
        erase(tmp_path)
    claim.release()
    erase(tmp_path)


def test_it_removes_nothing_while_another_member_lives_inside(tmp_path: Path) -> None:
    outer = filled(tmp_path)
    inner = filled(outer / "mysql", uid="other")
    with pytest.raises(Refused, match=f"{inner} below {outer} is the directory of another member"):
        erase(tmp_path)
    assert (inner / "mysql/ibdata1").read_text() == "rows"
    assert (outer / "mysql/ibdata1").exists()
    shutil.rmtree(inner)
    erase(tmp_path)
    assert not outer.exists()
