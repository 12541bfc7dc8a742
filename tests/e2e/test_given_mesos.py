"""The operator, unchanged, on the Mesos that STATEFULDB_TEST_MESOS names, with the MariaDB of this machine.

STATEFULDB_TEST_MESOS_CONTROL lets single daemons be killed and paused, as in the conformance suite.
"""

import os
from collections.abc import Iterator

import pytest

from conformance.mesos.masters import Command
from e2e.bundles import held
from e2e.conftest import eventually, from_file
from e2e.given_mesos import GivenMesos
from e2e.killing import rows_survive_every_kill
from e2e.witnesses import OneWriter, Writer


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[GivenMesos]:
    """Yield our operator on the Mesos that is given, or skip and say so."""
    address = os.environ.get("STATEFULDB_TEST_MESOS")
    if address is None:
        pytest.skip("needs a full cluster (STATEFULDB_TEST_MESOS)")
    command = os.environ.get("STATEFULDB_TEST_MESOS_CONTROL")
    one = GivenMesos(tmp_path_factory.mktemp("given"), address, Command(command) if command else None)
    yield one
    one.close()


@pytest.mark.parametrize("example", ["persistent-volume", "host-path"])
def test_rows_survive_every_kill_and_nothing_is_left(given: GivenMesos, host_root: str, example: str) -> None:
    body = from_file(example)
    name = body["metadata"]["name"]
    body["spec"] |= {"deletionProtection": "Disabled", "retention": {"whenDeleted": "Delete"}}
    if example == "host-path":
        body["spec"]["storage"]["hostPath"]["path"] = host_root
    given.apply(body)
    given.ready(name, 120)
    rows_survive_every_kill(given, name)
    (volume,) = given.volumes(name)
    uid = volume["spec"]["identity"]["uid"]
    given.cli("delete", name)
    eventually(lambda: not given.volumes(name), 90)
    eventually(lambda: not held(given, uid), 60, lambda: f"{held(given, uid)} is left")


def test_rows_survive_the_pause_of_each_daemon(given: GivenMesos) -> None:
    paused = [daemon for daemon in given.victims() if daemon in given.daemons]
    if not paused:
        pytest.skip("needs process control of single daemons (STATEFULDB_TEST_MESOS_CONTROL)")
    body = from_file("persistent-volume")
    name = body["metadata"]["name"] = "paused"
    body["spec"] |= {"deletionProtection": "Disabled", "retention": {"whenDeleted": "Delete"}}
    given.apply(body)
    given.ready(name, 120)
    one_writer, writer, task = OneWriter(), Writer(given, name), given.task_id(name)
    for daemon in paused:
        given.control("pause", daemon)
        try:
            writer.grows()
        finally:
            given.control("resume", daemon)
        writer.grows()
    given.ready(name, 120)
    assert given.task_id(name) == task, "the pause of a daemon touched a task"
    writer.check()
    one_writer.check()
    given.cli("delete", name)
    eventually(lambda: not given.volumes(name), 90)
