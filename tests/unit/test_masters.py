import os
from pathlib import Path

import pytest

from statefuldb.adapters.mesos.credentials import read_secret
from statefuldb.adapters.mesos.masters import MasterList, ZooKeeperAddress, parse_masters
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.reconcile.back_off import LIMIT_SECONDS, back_off_seconds
from statefuldb.reconcile.ports import EffectFailed


def test_masters_may_be_listed() -> None:
    found = parse_masters(("a:1,[::1]:5050", "b"))
    assert isinstance(found, MasterList)
    assert found.candidates() == ("a:1", "[::1]:5050", "b")


def test_zookeeper_is_named_without_its_password() -> None:
    found = parse_masters(("zk://user:hu@sh@h1:2182,h2/mesos",))
    assert isinstance(found, ZooKeeperAddress)
    assert (found.servers, found.path, found.login) == (("h1:2182", "h2:2181"), "/mesos", "user:hu@sh")
    assert "sh" not in f"{found} {found!r}"


@pytest.mark.parametrize(
    "word", ["zk://user:hush@host", "zk://hush@host/mesos", "zk://u:hush@host:x/m", "u:hush@h:1", ""]
)
def test_what_is_no_master_is_refused_without_telling_a_password(word: str) -> None:
    with pytest.raises(EffectFailed, match="--mesos") as caught:
        parse_masters((word,))
    assert "hush" not in str(caught.value)


def test_a_password_that_everyone_can_read_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    parse_masters(("zk://user:hush@host/mesos",))
    assert "file:///path" in caplog.text
    assert "hush" not in caplog.text


def test_a_file_may_name_the_masters(tmp_path: Path) -> None:
    path = tmp_path / "masters"
    path.write_text("zk://user:hush@host/mesos\n")
    path.chmod(0o600)
    assert str(parse_masters((f"file://{path}",))) == "zk://host:2181/mesos"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text("hush")
    os.chmod(path, mode)
    with pytest.raises(EffectFailed, match="chmod 600"):
        read_secret(path)


@pytest.mark.parametrize("credentials", [("sdb", "a:b"), ("s:db", "ab")])
def test_credentials_with_a_colon_are_refused_before_mesos_refuses_them(credentials: tuple[str, str]) -> None:
    with pytest.raises(EffectFailed, match="colon"):
        Transport(credentials=credentials)


def test_back_off_grows_to_its_cap_and_is_spread() -> None:
    pauses = [back_off_seconds(failures, 1.0) for failures in range(1, 12)]
    assert pauses[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, LIMIT_SECONDS]
    assert set(pauses[5:]) == {LIMIT_SECONDS}
    assert back_off_seconds(9, 0.0) == LIMIT_SECONDS / 2


def test_an_ipv6_master_is_reached_by_its_address() -> None:
    connection = Transport().connection("[::1]:5051", 1.0)
    assert (connection.host, connection.port) == ("::1", 5051)
