"""What an operator and a keeper of different versions say to each other is understood, or refused by name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.keeper import DataLocation, EngineStatus, KeeperConfig, KeeperPhase, KeeperStatus

ORDERS = KeeperConfig(
    mode="Serve",
    cluster="c1",
    uid="u1",
    namespace="shop",
    name="orders",
    ordinal=0,
    incarnation=1,
    task_id="sdb.u1.0.1",
    engine="MariaDB",
    version="10.11",
    config={"max_connections": "50"},
    memory_bytes=2**30,
    data=DataLocation(strategy="DFS", directory="/mnt/db/x", root="/mnt/db", mount_point="/mnt/db", filesystem="NFS"),
    bootstrap="Empty",
    minimum_token=0,
    listen_address="10.0.0.1",
    port=31000,
    keeper_port=31001,
    operator_ca_pem="PEM",
    stop_grace_seconds=60,
)
SERVING = KeeperStatus(
    task_id="sdb.u1.0.1",
    revision=3,
    phase=KeeperPhase.RUNNING,
    engine=EngineStatus(version="10.11.6", pid=7, ready=True, answers_sql=True, settings={"sync_binlog": "1"}),
)


def changed(text: str, section: str, **fields: Any) -> str:
    stored = json.loads(text)
    (stored[section] if section else stored).update(fields)
    return json.dumps(stored)


def test_orders_and_a_status_read_back_as_they_were_written() -> None:
    assert KeeperConfig.from_json(ORDERS.to_json()) == ORDERS
    assert KeeperStatus.from_json(SERVING.to_json()) == SERVING


def test_a_status_with_what_another_version_adds_is_read() -> None:
    """Earlier keepers said two things of the server that nothing read."""
    told = changed(SERVING.to_json(), "engine", read_only=False, uptime_seconds=0)
    assert KeeperStatus.from_json(told) == SERVING
    assert KeeperStatus.from_json(changed(SERVING.to_json(), "", load={"queries": 5})) == SERVING


def test_a_name_on_a_disk_that_is_no_utf_8_is_told_as_the_api_keeps_it() -> None:
    """It was published, and recorded, at each pass: the API never held what was compared with it."""
    refusing = replace(
        SERVING, phase=KeeperPhase.REFUSED, reason="a file system is mounted at /srv/db/caf\udce9 \U0001f600"
    )
    told = KeeperStatus.from_json(refusing.to_json())
    assert told == replace(refusing, reason="a file system is mounted at /srv/db/caf? \U0001f600")


def test_orders_in_which_another_version_asks_for_nothing_more_are_taken() -> None:
    """Earlier operators named a volume id, and never gave one."""
    assert KeeperConfig.from_json(changed(ORDERS.to_json(), "data", volume_id=None)) == ORDERS


@pytest.mark.parametrize(("section", "name"), [("data", "volume_id"), ("", "encrypt_with")])
def test_orders_that_ask_for_what_this_keeper_cannot_do_are_refused(section: str, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        KeeperConfig.from_json(changed(ORDERS.to_json(), section, **{name: "x"}))


def test_a_status_without_what_must_be_there_is_refused() -> None:
    stored = json.loads(SERVING.to_json())
    del stored["revision"]
    with pytest.raises(ValueError, match="revision"):
        KeeperStatus.from_json(json.dumps(stored))
