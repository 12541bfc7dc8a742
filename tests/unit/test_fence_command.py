"""The fence command as a program: what it is given, and what counts as its word."""

import json
import os
import resource
import threading
from pathlib import Path

import pytest

from statefuldb.adapters.fencing import FenceCommand
from statefuldb.model.actions import FenceAgent
from statefuldb.model.identity import DatabaseKey, TaskId
from statefuldb.model.spec import AgentAttribute, DfsSpec
from statefuldb.model.volume import AgentRef
from statefuldb.reconcile.ports import EffectFailed

ORDER = FenceAgent(
    key=DatabaseKey(namespace="shop", name="orders"),
    task_id=TaskId(uid="u", ordinal=0, incarnation=7),
    agent=AgentRef(id="S3", hostname="node3; reboot", address="10.0.0.3"),
    dfs=DfsSpec(
        type="CephFS",
        mount_point="/mnt/ceph",
        sub_path="databases",
        source=None,
        agent_attribute=AgentAttribute(name="statefuldb_dfs", value="/mnt/ceph"),
    ),
)


def program(folder: Path, text: str, mode: int = 0o700) -> Path:
    path = folder / "fence"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def test_it_is_given_the_order_on_standard_input_and_nothing_else(tmp_path: Path) -> None:
    path = program(tmp_path, f'cat >"{tmp_path}/order"; echo "$#" >"{tmp_path}/count"')
    FenceCommand(path).fence(ORDER)
    order = json.loads((tmp_path / "order").read_text())
    assert order["agent"] == {"id": "S3", "hostname": "node3; reboot", "address": "10.0.0.3"}
    assert order["taskId"] == "sdb.u.0.7"
    assert (tmp_path / "count").read_text().strip() == "0"


def test_it_may_have_as_many_files_open_as_the_operator_was_begun_with(tmp_path: Path) -> None:
    """An operator makes room for itself; programs that use select(2) break where they are given as much."""
    path = program(tmp_path, f'cat >"{tmp_path}/order"; ulimit -S -n >"{tmp_path}/open"')
    FenceCommand(path, open_files=(64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])).fence(ORDER)
    assert (tmp_path / "open").read_text().strip() == "64"


def test_any_other_end_than_success_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EffectFailed, match="status 3: no such client"):
        FenceCommand(program(tmp_path, "echo no such client >&2; exit 3")).fence(ORDER)
    with pytest.raises(EffectFailed, match="did not end within"):
        FenceCommand(program(tmp_path, "exec tail -f /dev/null"), timeout_seconds=0.2).fence(ORDER)
    with pytest.raises(EffectFailed, match="no fence command"):
        FenceCommand(None).fence(ORDER)


def test_nothing_of_a_command_that_did_not_end_in_time_goes_on(tmp_path: Path) -> None:
    """It is run again, and never twice at the same time: what a shell has started is ended with it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    path = program(tmp_path, f'tail -f /dev/null >"{pipe}"; true')
    with pytest.raises(EffectFailed, match="did not end within"):
        FenceCommand(path, timeout_seconds=0.3).fence(ORDER)
    os.set_blocking(reader, True)
    # The end of the pipe, as soon as nobody has it open for writing.
    ended = threading.Thread(target=os.read, args=(reader, 1), daemon=True)
    ended.start()
    ended.join(5)
    assert not ended.is_alive()
    os.close(reader)


def test_a_program_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(EffectFailed, match="writable by it alone"):
        FenceCommand(program(tmp_path, "exit 0", mode=0o722))
    with pytest.raises(EffectFailed, match="absolute path of a program"):
        FenceCommand(Path("fence"))


def test_nobody_waits_for_long_behind_a_command_that_does_not_end(tmp_path: Path) -> None:
    """All workers would, one behind the other: no database would be looked after, and `/healthz` would say so."""
    begun, end = tmp_path / "begun", tmp_path / "end"
    for pipe in (begun, end):
        os.mkfifo(pipe)
    command = FenceCommand(program(tmp_path, f'echo >"{begun}"; cat "{end}"'), turn_seconds=0.1)
    first = threading.Thread(target=command.fence, args=(ORDER,), daemon=True)
    first.start()
    begun.read_text()
    with pytest.raises(EffectFailed, match="still runs"):
        command.fence(ORDER)
    end.write_text("")
    first.join()
