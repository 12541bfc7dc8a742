"""Which launch opened a member's data on a shared file system last: written down before anything else is, there.

A ledger out of a backup may not know that launch, nor Mesos tell of it. The claim keeps nobody away from it then: the
servers free that once they have given a client up, whose own server goes on where it was as soon as it can.
"""

import json
from pathlib import Path

from statefuldb.keeper.directory import MemberDirectory, held_token
from statefuldb.keeper.files import read_json, write_durably
from statefuldb.keeper.refusal import OpenedBefore, Refused
from statefuldb.model.identity import TaskId
from statefuldb.model.keeper import KeeperConfig


def check(config: KeeperConfig, directory: MemberDirectory, ledger: str = "") -> int:
    """Return the token that was taken last, where the launch that opened the data last is over, or is this one.

    It is 0 where the data lies on one agent, whose lock is the claim. `ledger` is the ledger entry at this launch, in
    JSON; empty where an older operator launched it. Called with the claim held. Raises Refused where that other launch
    may not be over, for all that the ledger knows.
    """
    if config.data.mount_point is None:
        return 0
    path, token = directory.folder / "launch", held_token(config, directory)
    by, entry = _last(path, token)
    if by is not None and (str(by), entry) != (config.task_id, ledger) and config.unheard_of(by):
        said = f"{directory.path} was opened last by {by}, of which the ledger does not know: it may still write there"
        by_hand = f"where nothing tells of its end, make sure that no server runs on it, then remove {path}"
        raise OpenedBefore(f"{said}; {by_hand}", opened_by=entry, number=by.incarnation)
    if by is None and config.data.unheard_after is not None and token > config.minimum_token:
        raise Refused(
            f"nobody knows which launch opened {directory.path} last: its token is {token}, the ledger of before the "
            f"restore says {config.minimum_token}; make sure that no server runs on it, then write "
            f"{config.minimum_token} into {directory.folder / 'token'}"
        )
    return token


def note(config: KeeperConfig, directory: MemberDirectory, ledger: str) -> None:
    """Write down that this launch opens the data, where it may (`check`), before anything of it is touched."""
    token = check(config, directory, ledger)
    if config.data.mount_point is not None:
        opens = {"token": token + 1, "taskId": config.task_id, "ledger": ledger}
        write_durably(directory.folder / "launch", json.dumps(opens))


def _last(path: Path, token: int) -> tuple[TaskId | None, str]:
    """Return the launch that opened the data last, with its ledger entry; none where nothing tells. Raises Refused.

    A keeper of an older version takes the token without writing itself down.
    """
    try:
        written = read_json(path)
        if written is None or written["token"] < token:
            return None, ""
        by = TaskId.parse(written["taskId"])
        if by is None:
            raise ValueError("it names no launch")
        return by, str(written["ledger"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            f"{path} cannot be read ({error}): make sure that no server runs on this data, then remove it"
        ) from error
