"""Our own definitions on any API server: they are taken, and their rules keep the ledger from edits that lose data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from conformance.kubernetes.ledger import REFUSED, TAKEN, entry, on_what
from conformance.kubernetes.server import MERGE, Api, eventually
from conformance.kubernetes.things import DEFINITIONS

CRDS = Path(__file__).parents[3] / "crds"
KIND = "CustomResourceDefinition"


@pytest.fixture
def ledger(api: Api, namespace: str) -> Iterator[str]:
    """The path of ledger entries in a namespace of the test's own."""
    bodies = [body for path in sorted(CRDS.glob("*.yaml")) for body in yaml.safe_load_all(path.read_text())]
    definitions = [body for body in bodies if body["kind"] == KIND]
    assert len(definitions) == 3
    for body in definitions:
        # That of a run before may still be on its way out.
        eventually(lambda body=body: api.call("POST", DEFINITIONS, body)[0] == 201)  # type: ignore[misc]
    path = f"/apis/statefuldb.dev/v1alpha1/namespaces/{namespace}/databasevolumes"
    eventually(lambda: api.call("GET", path)[0] == 200)
    yield path
    for body in definitions:
        api.call("DELETE", f"{DEFINITIONS}/{body['metadata']['name']}")


def test_what_would_lose_data_is_refused_and_all_else_is_taken(api: Api, ledger: str) -> None:
    for number, (patch, said) in enumerate(REFUSED):
        name = f"refused-{number}"
        api.made(ledger, entry(name, on_what(patch)))
        status, answer = api.call("PATCH", f"{ledger}/{name}", {"spec": patch}, MERGE)
        assert status == 422, patch
        assert said in answer["message"], patch
    for number, patch in enumerate(TAKEN):
        name = f"taken-{number}"
        api.made(ledger, entry(name, "PersistentVolume"))
        status, answer = api.call("PATCH", f"{ledger}/{name}", {"spec": patch}, MERGE)
        assert status == 200, answer
