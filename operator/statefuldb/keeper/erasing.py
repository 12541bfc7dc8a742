"""Removing a member's data, where the operator was told to: only what is proved to be this member's."""

import sys
from dataclasses import replace
from pathlib import Path

from statefuldb.keeper import directory as member
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.mounts import check_mount
from statefuldb.keeper.refusal import NotOurs, Refused
from statefuldb.model.keeper import KeeperConfig


def erase(config: KeeperConfig, sandbox: Path, subdirectory: str) -> None:
    """Remove the member's data, of which the server's own lies in `subdirectory`. Raises Refused or OSError.

    Where another member lives by now, nothing is left of this one's.
    """
    check_mount(config.data)
    if not member.is_there(config):
        return
    # What an earlier attempt or a bootstrap left half done may go.
    config = replace(config, bootstrap="Empty")
    directory = member.open_directory(config, sandbox, subdirectory)
    try:
        # Told before the claim is looked at: another member's server may hold that for ever.
        marked = member.is_marked(config, directory)
        claim = Claim(directory.lock, may_create=not marked)
        try:
            if not claim.try_take() or not claim.holds():
                raise Refused(f"{directory.path} is still held by a running server, or was just removed")
            member.check_identity(config, directory)
            member.erase(directory)
        finally:
            claim.release()
    except NotOurs as other:
        sys.stderr.write(f"nothing is removed: {other}\n")
