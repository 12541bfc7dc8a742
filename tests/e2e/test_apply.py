"""`statefuldb apply` ends when the operator has said what it thinks of what was stored."""

import json
from pathlib import Path

import pytest
import yaml

from e2e.conftest import Cluster, Json, manifest

VOLUME = {"strategy": "PersistentVolume", "size": "1Gi"}


def stored(cluster: Cluster, path: Path, body: Json, *more: str, code: int = 0, timeout: int = 60) -> str:
    path.write_text(yaml.safe_dump(body))
    return cluster.cli("apply", "-f", str(path), "--timeout", str(timeout), *more, code=code)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "database.yaml"


def test_an_edit_that_is_stored_and_refused_ends_with_4_and_says_why(cluster: Cluster, path: Path) -> None:
    body = manifest("orders", VOLUME)
    assert "created" in stored(cluster, path, body)
    cluster.ready("orders")
    smaller = {**body, "spec": {**body["spec"], "storage": {**VOLUME, "size": "512Mi"}}}
    said = stored(cluster, path, smaller, code=4)
    assert "StatefulDatabase/orders configured" in said
    assert 'orders: stored and refused: spec.storage.size: Invalid: "512Mi": 1Gi or more: storage never shrinks' in said
    assert "keeps to the last spec that it accepted" in said
    assert "stored and refused" in stored(cluster, path, smaller, code=4), "it is no better for being applied again"
    assert "refused" not in stored(cluster, path, smaller, "--no-wait")
    assert "refused" not in stored(cluster, path, body)


def test_programs_are_told_too(cluster: Cluster, path: Path) -> None:
    said = stored(cluster, path, manifest("parts", VOLUME, replicas=0), "-o", "json")
    (line,) = json.loads(said)
    assert (line["name"], line["result"], line["accepted"]) == ("parts", "created", True)


def test_without_an_operator_it_says_so_and_is_no_failure(cluster: Cluster, path: Path) -> None:
    cluster.kill("operator")
    try:
        said = stored(cluster, path, manifest("stock", VOLUME, replicas=0), timeout=1)
    finally:
        cluster.restart("operator")
    assert "created" in said
    assert "stock: stored; no operator has looked at it within 1 s" in said
