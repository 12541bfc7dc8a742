"""`statefuldb up`: what is applied is waited for where it is."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from statefuldb.cli import local
from statefuldb.cli.cluster import EmbeddedCluster
from statefuldb.cli.session import Session

Json = dict[str, Any]


def manifest(name: str, **metadata: str) -> Json:
    return {"kind": "StatefulDatabase", "metadata": {"name": name, **metadata}}


@pytest.mark.parametrize("named", ["", "mine"])
def test_a_database_is_waited_for_in_the_namespace_that_its_manifest_names(tmp_path: Path, named: str) -> None:
    session = Session(kubeconfig=str(tmp_path / "kubeconfig"), namespace=named or "default", state_dir=str(tmp_path))
    session.__dict__["client"] = MagicMock()
    given = [{"kind": "Namespace", "metadata": {"name": "shop"}}, manifest("a", namespace="shop"), manifest("b")]
    applied = local._apply(session, given, wanted=True)
    assert [(within.namespace, name) for within, name in applied] == [("shop", "a"), (named or "default", "b")]
    assert "-n shop" in applied[0][0].invocation


def test_what_was_planned_is_on_the_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut it was an empty file: neither `up` nor `down` could read where the databases were any more."""
    synced = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    EmbeddedCluster(tmp_path).plan(agents=1, dfs=())
    assert {(tmp_path / "cluster.json").stat().st_ino, tmp_path.stat().st_ino} <= synced


@pytest.mark.parametrize(
    ("primary", "said"), [({"host": "10.0.0.1", "port": 31000}, "10.0.0.1:31000"), ({"host": "10.0.0.1"}, "")]
)
def test_the_end_of_up_names_each_database_that_has_an_address(
    tmp_path: Path, primary: Json, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody may write a status, and leave out the port, or the name of the Secret."""
    session = Session(kubeconfig=str(tmp_path / "kubeconfig"), namespace="shop", state_dir=str(tmp_path))
    spec = {"engine": {"type": "MariaDB"}, "storage": {"strategy": "HostPath"}}
    stored = {
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": spec,
        "status": {"endpoints": {"primary": primary}},
    }
    session.__dict__["client"] = MagicMock(get=lambda *_: stored)
    local._farewell(session, [(session, "a")])
    told = capsys.readouterr().out
    assert ("Ready" in told, "Secret a-connection" in told, said in told) == (bool(said), bool(said), True)
