"""Which launch opened shared data last is written down there, and one that may not be over keeps the next one out."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import erasing, opener
from statefuldb.keeper.refusal import OpenedBefore, Refused
from statefuldb.keeper.serve import Keeper
from statefuldb.model.keeper import KeeperConfig, KeeperPhase
from unit.keeper.test_erase import filled, orders

UID = "11111111-2222-3333-4444-555555555555"
RESTORED_AT = 1_800_000_000


def shared(root: Path, number: int, **unheard: int) -> KeeperConfig:
    """Return the orders of a launch whose data lies on a shared file system that is mounted at `root`."""
    config = orders(root)
    data = replace(config.data, strategy="DFS", mount_point=str(root), **unheard)  # type: ignore[arg-type]
    return replace(config, mode="Serve", uid=UID, incarnation=number, task_id=f"sdb.{UID}.0.{number}", data=data)


def after_restore(root: Path, *, number: int = RESTORED_AT + 1) -> KeeperConfig:
    """Return the orders of a launch after a restore, with a ledger that knows no later launch than the first."""
    return shared(root, number, unheard_after=1, unheard_until=RESTORED_AT)


def directory(root: Path) -> member.MemberDirectory:
    path = filled(root, uid=UID)
    return member.MemberDirectory(path=path, data=path / "mysql")


def opened(config: KeeperConfig, data: member.MemberDirectory, ledger: str | None = None) -> int:
    """Open the data by a launch; return its token."""
    opener.note(config, data, entry(config) if ledger is None else ledger)
    return member.next_token(config, data)


def entry(config: KeeperConfig) -> str:
    return f"entry of {config.task_id}"


def test_launches_follow_each_other(tmp_path: Path) -> None:
    data = directory(tmp_path)
    for number in (2, 3, RESTORED_AT):
        config = shared(tmp_path, number)
        opened(config, data)
        opened(config, data)
        written = json.loads((data.folder / "launch").read_text())
        assert (written["taskId"], written["ledger"]) == (config.task_id, entry(config))


def test_one_that_the_ledger_may_not_know_of_keeps_the_next_one_out_until_it_is_known(tmp_path: Path) -> None:
    data, unknown = directory(tmp_path), shared(tmp_path, 2)
    opened(unknown, data)
    held = (data.folder / "launch").read_text()
    for number in (RESTORED_AT + 1, RESTORED_AT + 2):
        with pytest.raises(OpenedBefore, match=f"opened last by sdb.{UID}.0.2, of which the ledger does") as refusal:
            opened(after_restore(tmp_path, number=number), data)
        assert refusal.value.opened_by == entry(unknown)
        assert (data.folder / "launch").read_text() == held
        assert (data.folder / "token").read_text() == "2"
    assert opened(shared(tmp_path, RESTORED_AT + 3, unheard_after=2, unheard_until=RESTORED_AT), data) == 3
    assert opened(after_restore(tmp_path, number=RESTORED_AT + 4), data) == 4, "launched since: it is known"


@pytest.mark.parametrize("number", [2, 3])
def test_one_whose_number_is_not_below_keeps_the_next_one_out(number: int, tmp_path: Path) -> None:
    """Of two launches of one number the API was restored in between, and nobody said so; a later one is newer."""
    data = directory(tmp_path)
    opened(shared(tmp_path, number), data)
    with pytest.raises(OpenedBefore):
        opened(shared(tmp_path, 2), data, "entry of another launch of that number")


def test_another_member_that_left_no_marker_keeps_nobody_out(tmp_path: Path) -> None:
    """Simulator, seed 760026: after a restore what it had left was in the way of the removal for ever."""
    data = directory(tmp_path)
    other = f"sdb.{UID.replace('1', '9')}.0.{RESTORED_AT}"
    opened(replace(shared(tmp_path, RESTORED_AT), task_id=other), data)
    opened(after_restore(tmp_path), data)


def test_what_an_older_keeper_opened_is_told_by_the_token(tmp_path: Path) -> None:
    data = directory(tmp_path)
    opened(shared(tmp_path, 1), data)
    (data.folder / "token").write_text("5")
    with pytest.raises(Refused, match=r"its token is 5.*restore says 1.*then write 1 into .*/token"):
        opened(after_restore(tmp_path), data)
    assert opened(replace(after_restore(tmp_path), minimum_token=5), data) == 6


def test_without_a_restore_what_an_older_keeper_opened_is_over(tmp_path: Path) -> None:
    data = directory(tmp_path)
    (data.folder / "token").write_text("5")
    assert opened(shared(tmp_path, 2), data) == 6


def test_what_an_older_operator_launched_is_refused_with_what_a_person_can_do(tmp_path: Path) -> None:
    data = directory(tmp_path)
    opened(shared(tmp_path, 2), data, ledger="")
    with pytest.raises(OpenedBefore, match=r"no server runs on it, then remove .*/launch") as refusal:
        opened(after_restore(tmp_path), data)
    assert not refusal.value.opened_by


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"token": 9}', '{"token": 9, "taskId": "x", "ledger": ""}'])
def test_what_cannot_be_read_is_refused(content: str, tmp_path: Path) -> None:
    data = directory(tmp_path)
    (data.folder / "launch").write_text(content)
    with pytest.raises(Refused, match=r"launch cannot be read .*: make sure that no server runs"):
        opened(shared(tmp_path, 2), data)


def test_what_lies_on_one_agent_needs_none_of_it(tmp_path: Path) -> None:
    data = directory(tmp_path)
    opener.note(orders(tmp_path), data, "entry")
    assert not (data.folder / "launch").exists()


def test_nothing_is_removed_under_a_launch_that_the_ledger_may_not_know_of(tmp_path: Path) -> None:
    data = directory(tmp_path)
    opened(shared(tmp_path, 2), data)
    with pytest.raises(OpenedBefore):
        erasing.erase(replace(after_restore(tmp_path), mode="Erase"), data)
    assert (data.data / "ibdata1").exists()


@pytest.mark.parametrize("first", ["launch", "token"])
def test_a_removal_that_was_cut_off_asks_nobody_who_had_opened_what_is_gone(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder shows its files in any order: the launch was gone, and of the token nobody knew who had taken it."""
    data, known = directory(tmp_path), after_restore(tmp_path)
    opened(known, data)
    erases = replace(known, mode="Erase", incarnation=known.incarnation + 1, minimum_token=1)
    iterdir, unlink = Path.iterdir, Path.unlink

    def cut_off(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        if path.name == first:
            raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(Path, "iterdir", lambda path: sorted(iterdir(path), key=lambda each: each.name != first))
        cut.setattr(Path, "unlink", cut_off)
        with pytest.raises(KeyboardInterrupt):
            erasing.erase(erases, data)
    erasing.erase(erases, data)
    assert not data.path.exists()


def test_a_keeper_says_whose_entry_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statefuldb.keeper.serve.REFUSAL_SHOWN_SECONDS", 0.0)
    monkeypatch.setattr("statefuldb.keeper.serve.REFUSAL_UNTOLD_SECONDS", 0.0)
    keeper = Keeper(shared(tmp_path, 3), tmp_path)
    keeper._show(OpenedBefore("it was opened", opened_by="its entry", number=2))
    said = keeper._state.status
    assert (said.reason, said.opened_by, said.opened_number) == ("it was opened", "its entry", 2)


def test_a_refusal_is_shown_until_somebody_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statefuldb.keeper.serve.REFUSAL_SHOWN_SECONDS", 0.0)
    monkeypatch.setattr("statefuldb.keeper.serve.REFUSAL_LOOK_SECONDS", 0.01)
    keeper = Keeper(shared(tmp_path, 3), tmp_path)
    shown = threading.Thread(target=lambda: keeper._show(Refused("it was opened")))
    shown.start()
    refused = keeper._state.wait_after(1, 10)
    assert refused.phase is KeeperPhase.REFUSED
    shown.join(0.2)
    assert shown.is_alive()
    keeper._state.note_told(refused.revision)
    shown.join(10)
    assert not shown.is_alive()


def test_what_was_opened_by_an_older_keeper_and_found_by_its_marker_waits_for_a_person(tmp_path: Path) -> None:
    """The ledger never knew who took the token that a scan has read there."""
    data = directory(tmp_path)
    (data.folder / "token").write_text("7")
    found = shared(tmp_path, RESTORED_AT + 1, unheard_after=0, unheard_until=RESTORED_AT)
    with pytest.raises(Refused, match="nobody knows which launch opened"):
        opened(found, data)


def test_a_token_that_is_no_number_is_in_the_way_of_no_removal_on_one_agent(tmp_path: Path) -> None:
    data = directory(tmp_path)
    (data.folder / "token").write_text("")
    erasing.erase(replace(orders(tmp_path), uid=UID, mode="Erase"), data)
    assert not data.path.exists()
