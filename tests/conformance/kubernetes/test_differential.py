"""Sequences of requests by chance, sent to a real kube-apiserver and to the embedded one: do they answer the same?

Runs only where STATEFULDB_TEST_KUBECONFIG names a real server. STATEFULDB_TEST_SEEDS says which sequences: `7`, `0-99`.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.kubernetes.differential.objects import DATABASES, SUBJECTS
from conformance.kubernetes.differential.pairs import Pair
from conformance.kubernetes.server import APPLY, JSON, Api, Embedded, eventually
from conformance.kubernetes.test_shipped import PLURALS, SHIPPED
from ports import free_port

_SEEDS = os.environ.get("STATEFULDB_TEST_SEEDS", "0-99")


@pytest.fixture
def pair(api: Api, embedded: Embedded | None, tmp_path: Path) -> Iterator[Pair]:
    if embedded is not None:
        pytest.skip("STATEFULDB_TEST_KUBECONFIG names no real server to compare with")
    ours = Embedded(tmp_path / "api", free_port())
    suffix = secrets.token_hex(3)
    try:
        for each in (api, ours.api):
            _install(each, f"diff-{suffix}")
        yield Pair(api, ours.api, suffix)
    finally:
        ours.kill()
        for _, document in SHIPPED:
            api.call("DELETE", _path(document))


def _path(document: dict[str, object]) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return f"/apis/{document['apiVersion']}/{PLURALS[str(document['kind'])]}/{metadata['name']}"


def _install(api: Api, namespace: str) -> None:
    """Install our definitions and policies, and wait until they are in force."""
    for _, document in SHIPPED:
        _until(api, 200, "PATCH", f"{_path(document)}?fieldManager=conformance&force=true", document)
    api.made("/api/v1/namespaces", {"metadata": {"name": namespace}})
    space = DATABASES.path(namespace)
    for subject in dict.fromkeys(SUBJECTS):
        _until(api, 200, "GET", subject.path(namespace))
    body = yaml.safe_load((Path(__file__).parents[3] / "manifests/quickstart.yaml").read_text())
    api.made(space, body)
    path = f"{space}/{body['metadata']['name']}"
    _until(api, 403, "DELETE", f"{path}?dryRun=All")
    api.patched(path, {"spec": {"deletionProtection": "Disabled"}})
    assert api.call("DELETE", path)[0] == 200


def _until(api: Api, wanted: int, method: str, path: str, body: Any = None) -> None:
    eventually(lambda: api.call(method, path, body, APPLY if method == "PATCH" else JSON)[0] in (wanted, wanted + 1))


def test_sequences_by_chance(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    first, _, last = _SEEDS.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    for seed in seeds:
        pair.sequence(seed)
    with capsys.disabled():
        told = f"{pair.exchanges} exchanges with {pair.assertions} assertions, {pair.allowed_count} allowed differences"
        sys.stdout.write(f"\nseeds {_SEEDS}: {len(seeds)} sequences, {told}\n")
    assert not pair.found, "\n\n".join(map(str, pair.found))
