"""The exclusive claim, on a local disk and on two mounts of one GlusterFS (law `one_writer`)."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from glusterfs import GlusterFs
from integration.keeper.member import Member, eventually, set_account
from statefuldb.adapters.keeper.client import KeeperClient, KeeperError
from statefuldb.keeper.claim import Claim
from statefuldb.model.keeper import DataLocation, KeeperConfig, KeeperPhase, KeeperStatus

OWN_PID_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child") if os.geteuid() == 0 else ()
WATCHED_SECONDS = 3.0
UID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Place:
    """Where the first keeper finds the member's data, and where the second one finds the same data."""

    name: str
    first: Path
    second: Path


@pytest.fixture(params=["local disk", "one GlusterFS mount", "two GlusterFS mounts"])
def place(request: pytest.FixtureRequest, member: Member) -> Iterator[Place]:
    if request.param == "local disk":
        yield Place(request.param, member.root / "data", member.root / "data")
        return
    servers: GlusterFs = request.getfixturevalue("gluster")
    folder = member.root.name
    first, second = (view.path / folder for view in servers.views)
    first.mkdir(mode=0o755)
    yield Place(request.param, first, first if "one" in request.param else second)


def at(config: KeeperConfig, root: Path) -> KeeperConfig:
    """Return the orders of a keeper that finds the member's directory below `root`."""
    location = DataLocation(strategy="HostPath", directory=str(root / "shop/orders/0"), root=str(root))
    return replace(config, data=location)


def waits(member: Member, config: KeeperConfig) -> tuple[KeeperClient, KeeperStatus]:
    """Wait until a keeper waits for the claim."""
    client = member.client(config)
    status = client.status()
    while status.phase is not KeeperPhase.WAITING_FOR_CLAIM:
        status = client.status(after=status.revision)
    return client, status


def gone(pid: int) -> bool:
    """Whether a process is gone, or dead and not yet reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_one_writer_the_lock_is_free_only_once_the_engine_is_gone(member: Member, place: Place) -> None:
    config = at(member.config, place.first)
    keeper = member.start(config)
    _, status = member.serving(config)
    claim = Claim(place.second / "shop/orders/0/.statefuldb/claim.lock", may_create=False)
    assert not claim.try_take()
    began = time.monotonic()
    keeper.kill()
    eventually(claim.try_take)
    sys.stderr.write(f"{place.name}: lock free {time.monotonic() - began:.3f} s after kill -9 of the keeper\n")
    assert gone(status.engine.pid)
    claim.release()


def test_one_writer_a_second_keeper_in_another_pid_namespace_waits_as_long_as_the_first_runs(
    member: Member, place: Place
) -> None:
    config = at(member.config, place.first)
    first = member.start(config, *OWN_PID_NAMESPACE)
    client, _ = member.serving(config)
    second = at(member.successor(), place.second)
    member.start(second, *OWN_PID_NAMESPACE)
    waiting, status = waits(member, second)
    until = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < until:
        assert waiting.status(after=status.revision, wait_seconds=1.0).phase is KeeperPhase.WAITING_FOR_CLAIM
        assert client.status().phase is KeeperPhase.RUNNING
    first.kill()
    _, status = member.serving(second)
    assert status.token == 2


def test_one_writer_a_lock_file_that_is_removed_lets_no_second_server_in(member: Member, place: Place) -> None:
    config = at(member.config, place.first)
    first = member.start(config)
    client, status = member.serving(config)
    lock = place.second / "shop/orders/0/.statefuldb/claim.lock"
    lock.unlink()
    while status.claim_held:
        status = client.status(after=status.revision)
    with pytest.raises(KeeperError, match="the claim is not held"):
        set_account(client)
    assert "is gone" in member.refusal(at(member.successor(), place.second))
    assert first.wait(timeout=60) == 64, "the holder stops its server: nothing would keep a second one away"
    assert gone(status.engine.pid)
    assert "was removed or replaced" in (member.sandbox(config) / "stderr").read_text()
    lock.touch()
    third = at(member.successor(), place.second)
    member.start(third)
    member.serving(third)


def test_one_writer_what_the_ledger_forgot_keeps_the_next_one_out_where_the_lock_is_lost(
    member: Member, gluster: GlusterFs
) -> None:
    """The API was restored from a backup, and the file servers have given up the client of a launch since that."""
    first, second = (view.path for view in gluster.views)
    (first / member.root.name).mkdir(mode=0o755)

    def on(mount: Path, config: KeeperConfig, **unheard: int) -> KeeperConfig:
        data = at(config, mount / member.root.name).data
        data = replace(data, strategy="DFS", mount_point=str(mount), filesystem="GlusterFS", **unheard)  # type: ignore[arg-type]
        return replace(config, uid=UID, task_id=f"sdb.{UID}.0.{config.incarnation}", data=data)

    unknown = on(first, member.config)
    server = member.start(unknown, ledger="its entry")
    member.serving(unknown)
    os.kill(server.pid, signal.SIGSTOP)
    folder = second / member.root.name / "shop/orders/0/.statefuldb"
    (folder / "claim.lock").unlink()
    (folder / "claim.lock").touch()
    later = on(second, member.successor(minimum_token=1), unheard_after=0, unheard_until=1)
    refused = member.start(later)
    client = member.client(later)
    status = client.status()
    while status.phase is not KeeperPhase.REFUSED:
        status = client.status(after=status.revision)
    assert f"was opened last by {unknown.task_id}, of which the ledger does not know" in status.reason
    assert status.opened_by == "its entry"
    assert refused.wait(timeout=30) == 64
    server.kill()
    known = on(second, member.successor(minimum_token=1), unheard_after=1, unheard_until=1)
    member.start(known)
    _, status = member.serving(known)
    assert status.token == 2


def test_the_data_of_another_member_that_runs_is_not_waited_for(member: Member) -> None:
    member.start(member.config)
    member.serving(member.config)
    stranger = member.successor(uid="other", cluster="another", bootstrap="Empty")
    assert "belongs to another member: cluster is 'c', not 'another', uid is 'u', not 'other'" in member.refusal(
        stranger
    )
    member.serving(member.config)
