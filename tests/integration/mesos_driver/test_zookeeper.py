"""The leading master by a real ZooKeeper whose group only those with the password may read."""

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from kazoo.client import KazooClient
from kazoo.security import make_digest_acl

from integration.mesos_driver.zookeeper import zookeeper
from statefuldb.adapters.mesos.masters import ZooKeeperAddress, parse_masters
from statefuldb.adapters.mesos.zookeeper import ZooKeeperMasters


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with zookeeper(tmp_path_factory.mktemp("zookeeper")) as address:
        yield address


@pytest.fixture
def group(server: str) -> Iterator[KazooClient]:
    client = KazooClient(hosts=server, auth_data=[("digest", "mesos:hush-hush")])
    client.start()
    client.create("/mesos", acl=[make_digest_acl("mesos", "hush-hush", all=True)])
    client.create("/mesos/log_replicas")
    yield client
    client.delete("/mesos", recursive=True)
    client.stop()
    client.close()


def join(group: KazooClient, number: int, ip: str, hostname: str) -> str:
    info = {"address": {"ip": ip, "hostname": hostname, "port": 5050}}
    path = f"/mesos/json.info_{number:010d}"
    group.create(path, json.dumps(info).encode(), acl=[make_digest_acl("mesos", "hush-hush", all=True)])
    return path


def masters(server: str, login: str = "mesos:hush-hush@", *, by_name: bool = False) -> ZooKeeperMasters:
    address = parse_masters((f"zk://{login}{server}/mesos",))
    assert isinstance(address, ZooKeeperAddress)
    return ZooKeeperMasters(address, by_name=by_name)


def until(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_lowest_member_leads_and_a_change_is_told(
    server: str, group: KazooClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    first = join(group, 3, "10.0.0.3", "three")
    join(group, 12, "fd00::12", "twelve")
    told = threading.Event()
    found = masters(server)
    found.start(told.set)
    try:
        assert found.candidates() == ("10.0.0.3:5050",)
        assert not told.is_set()
        group.delete(first)
        assert told.wait(15)
        assert found.candidates() == ("[fd00::12]:5050",)
    finally:
        found.stop()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("statefuldb")]
    assert ours
    assert not [line for line in ours if "hush" in line]


def test_certificates_name_hosts(server: str, group: KazooClient) -> None:
    join(group, 1, "10.0.0.1", "one.example")
    found = masters(server, by_name=True)
    found.start(lambda: None)
    try:
        assert found.candidates() == ("one.example:5050",)
    finally:
        found.stop()


@pytest.mark.parametrize(("login", "why"), [("", "NoAuthError"), ("mesos:wrong@", "NoAuthError")])
def test_without_the_password_nothing_is_read_and_that_is_said(
    server: str, group: KazooClient, login: str, why: str
) -> None:
    join(group, 1, "10.0.0.1", "one.example")
    found = masters(server, login)
    found.start(lambda: None)
    try:
        assert found.candidates() == ()
        assert why in found.error
        assert "wrong" not in found.error
    finally:
        found.stop()


def test_a_group_without_a_master_is_waited_for(server: str, group: KazooClient) -> None:
    found = masters(server)
    found.start(lambda: None)
    try:
        assert found.candidates() == ()
        assert "names no leader" in found.error
        join(group, 1, "10.0.0.1", "one.example")
        until(lambda: found.candidates() == ("10.0.0.1:5050",))
    finally:
        found.stop()
