"""Whose the folders are that lead to a member's data: a keeper that is root takes none from the server's user.

Whoever owns a folder may put a link in the place of what lies in it.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import DataLocation
from unit.keeper.test_erase import filled
from unit.keeper.test_links import as_root, give, owner, served

pytestmark = as_root


def test_what_an_earlier_keeper_made_as_the_servers_user_is_the_keepers_own_again(tmp_path: Path) -> None:
    path = filled(tmp_path)
    for folder in (path, path / ".statefuldb", path / "mysql", path.parent, path.parent.parent):
        give(folder, "mysql")
    member.open_directory(served(tmp_path), tmp_path, "mysql")
    assert [owner(folder) for folder in (path, path / ".statefuldb")] == ["root", "root"]
    assert [owner(folder) for folder in (path.parent, path.parent.parent)] == ["root", "root"]
    assert owner(path / "mysql") == "mysql"


def test_folders_on_the_way_that_are_somebody_elses_stay_so(tmp_path: Path) -> None:
    """As a home directory of the namespace's name, below `/home`."""
    path = filled(tmp_path)
    give(tmp_path / "shop", "nobody")
    member.open_directory(served(tmp_path), tmp_path, "mysql")
    assert owner(path.parent.parent) == "nobody"


@pytest.mark.parametrize("mode", ["Serve", "Erase"])
@pytest.mark.parametrize("above", [False, True])
def test_a_root_that_is_the_servers_users_is_refused_with_what_to_do(above: bool, mode: str, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    root = theirs / "root" if above else theirs
    root.mkdir(parents=True)
    give(theirs, "mysql")
    data = DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root), create=True)
    config = replace(served(root), mode=mode, bootstrap="Empty", data=data)
    with pytest.raises(Refused, match=f"{theirs} belongs to mysql.*chown root {theirs}"):
        member.open_directory(config, tmp_path, "mysql")
    assert list(root.iterdir()) == []
    give(theirs, "root")
    assert member.open_directory(config, tmp_path, "mysql").path.is_dir()
    # What has been begun is opened, or removed, whoever was given the root since.
    give(theirs, "mysql")
    for orders in (config, replace(config, bootstrap="None")):
        assert member.open_directory(orders, tmp_path, "mysql").path.is_dir()


def test_a_file_server_that_lets_root_own_nothing_is_lived_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NFS with `all_squash`: what a keeper of root makes is another user's, and cannot be given to root."""

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = filled(tmp_path)
    give(path, "mysql")
    monkeypatch.setattr(os, "fchown", refused)
    assert member.open_directory(served(tmp_path), tmp_path, "mysql").path == path


def test_a_volume_below_a_folder_of_the_servers_users_is_refused(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    (sandbox / "data").mkdir(parents=True)
    give(sandbox, "mysql")
    config = replace(
        served(tmp_path), bootstrap="Empty", data=DataLocation(strategy="PersistentVolume", directory="data")
    )
    with pytest.raises(Refused, match=f"{sandbox} belongs to mysql"):
        member.open_directory(config, sandbox, "mysql")
