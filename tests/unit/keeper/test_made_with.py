"""What a member's data was made with is in its marker, and nothing is opened with something else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import making, serve
from statefuldb.keeper.refusal import MadeOtherwise
from statefuldb.keeper.scan import find_members
from statefuldb.model.keeper import KeeperConfig, KeeperPhase
from unit.keeper.test_erase import erase, filled, orders
from unit.keeper.test_serve import started

SMALL_LETTERS = {"lower_case_table_names": "1"}


def serving(root: Path, config: Mapping[str, str]) -> KeeperConfig:
    return replace(orders(root), mode="Serve", bootstrap="Empty", config=config)


def made(root: Path, config: Mapping[str, str]) -> member.MemberDirectory:
    """Return the directory of a member that was made with these options."""
    wanted = serving(root, config)
    (root / "shop").mkdir(exist_ok=True)
    directory = member.open_directory(wanted, root, "mysql")
    member.begin_bootstrap(wanted, directory)
    member.end_bootstrap(wanted, directory, "10.11.6")
    return directory


def test_the_marker_says_what_data_was_made_with_and_nothing_of_other_options(tmp_path: Path) -> None:
    directory = made(tmp_path, {**SMALL_LETTERS, "max_connections": "50"})
    marker = json.loads((directory.folder / "identity.json").read_text())
    assert marker["madeWith"] == SMALL_LETTERS
    (found,) = find_members(tmp_path, lambda _: None)
    assert found.made_with == SMALL_LETTERS
    assert member.check_identity(serving(tmp_path, {}), directory), "it is this member's all the same"


def test_data_that_was_made_with_something_else_is_not_opened(tmp_path: Path) -> None:
    directory = made(tmp_path, {})
    making.check(serving(tmp_path, {"max_connections": "50"}), directory)
    with pytest.raises(MadeOtherwise, match="made without lower_case_table_names, the manifest asks for 1") as refusal:
        making.check(serving(tmp_path, SMALL_LETTERS), directory)
    assert refusal.value.made_with == {}


@pytest.mark.parametrize("marked", [{}, {"madeWith": None}, {"madeWith": "32k"}])
def test_a_marker_that_does_not_say_it_keeps_nobody_out(tmp_path: Path, marked: Mapping[str, object]) -> None:
    path = filled(tmp_path, **marked)
    making.check(serving(tmp_path, SMALL_LETTERS), member.MemberDirectory(path=path, data=path / "mysql"))


def test_the_keeper_says_what_it_found_and_leaves_all_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = MagicMock()
    keeper = started(tmp_path, monkeypatch, server)
    marker = tmp_path / "shop/orders/0/.statefuldb/identity.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "madeWith": SMALL_LETTERS}))
    before = (tmp_path / "shop/orders/0/.statefuldb/token").read_text()
    monkeypatch.setattr(keeper, "_open_endpoint", lambda: None)
    for seconds in ("REFUSAL_SHOWN_SECONDS", "REFUSAL_UNTOLD_SECONDS"):
        monkeypatch.setattr(serve, seconds, 0.0)
    with pytest.raises(MadeOtherwise):
        keeper._answering(keeper._serve)
    status = keeper._state.status
    assert (status.phase, status.made_with) == (KeeperPhase.REFUSED, SMALL_LETTERS)
    assert (tmp_path / "shop/orders/0/.statefuldb/token").read_text() == before
    assert not server.start.called


def test_data_is_removed_whatever_it_was_made_with(tmp_path: Path) -> None:
    directory = made(tmp_path, SMALL_LETTERS)
    (directory.folder / "claim.lock").touch()
    erase(tmp_path)
    assert not directory.path.exists()
