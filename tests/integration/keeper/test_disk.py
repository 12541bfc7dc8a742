"""A full disk and an unusable directory are told, with a real server; nothing ends in a crash loop."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.keeper.member import Member, eventually
from statefuldb.keeper.files import rotate
from statefuldb.model.keeper import KeeperPhase

SMALL = "192m"
ENOUGH_TO_BEGIN = 60 * 2**20


@pytest.fixture
def small_disk(member: Member) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = member.root / "data"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=755", "tmpfs", str(place)], check=True)
    yield place
    for process in member.processes:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
    # A keeper's own mount namespace may hold it for a moment longer.
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(2**20))
                file.flush()
        except OSError:
            return ballast


def test_a_disk_that_is_full_before_the_first_byte_is_waited_for(member: Member, small_disk: Path) -> None:
    ballast = fill(small_disk)
    process = member.start(member.config)
    client = member.client(member.config)
    eventually(lambda: client.status().phase is KeeperPhase.DISK_FULL)
    assert "MiB are free" in client.status().reason
    assert process.poll() is None
    ballast.unlink()
    member.serving(member.config)


def test_a_disk_that_fills_up_while_the_database_is_initialised_is_waited_for(member: Member, small_disk: Path) -> None:
    ballast = fill(small_disk)
    os.truncate(ballast, ballast.stat().st_size - ENOUGH_TO_BEGIN)
    process = member.start(member.config)
    client = member.client(member.config)
    status = client.status()
    seen = [status.phase]
    while status.phase not in (KeeperPhase.DISK_FULL, KeeperPhase.REFUSED):
        status = client.status(after=status.revision)
        seen.append(status.phase)
    assert seen[-2:] == [KeeperPhase.BOOTSTRAPPING, KeeperPhase.DISK_FULL], status.reason
    assert process.poll() is None
    ballast.unlink()
    member.serving(member.config)


def test_a_disk_that_fills_up_beneath_a_running_server_is_told(member: Member, small_disk: Path) -> None:
    member.start(member.config)
    client, _ = member.serving(member.config)
    ballast = fill(small_disk)
    eventually(lambda: client.status().disk_free_bytes == 0)
    ballast.unlink()
    eventually(lambda: client.status().disk_free_bytes > 2**25)
    assert client.status().engine.answers_sql


def test_a_root_that_cannot_be_made_is_refused_with_its_path(member: Member) -> None:
    (member.root / "data").rmdir()
    (member.root / "data").write_text("a file where the root should be")
    said = member.refusal(member.successor(bootstrap="Empty"))
    assert str(member.root / "data") in said
    assert "Traceback" not in said


def test_a_log_is_rotated_in_place_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"early\n" * 100)
        rotate(log, limit_bytes=1000)
        assert log.stat().st_size == 600
        rotate(log, limit_bytes=500)
        writer.write(b"late\n")
    assert log.read_bytes() == b"late\n"
    assert (tmp_path / "server.log.1").read_bytes() == b"early\n" * 100
