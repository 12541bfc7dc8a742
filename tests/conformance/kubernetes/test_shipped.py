"""What users install is valid by the server's own rules: definitions and the admission policy, as a dry run."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.kubernetes.server import APPLY, Api

ROOT = Path(__file__).parents[3]
SHIPPED = [
    (path.name, document)
    for path in sorted((ROOT / "crds").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
PLURALS = {
    "CustomResourceDefinition": "customresourcedefinitions",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}


@pytest.mark.parametrize(("file", "document"), SHIPPED, ids=[f"{f}-{d['kind']}" for f, d in SHIPPED])
def test_what_is_shipped_would_be_accepted(api: Api, file: str, document: dict[str, Any]) -> None:
    name = document["metadata"]["name"]
    path = f"/apis/{document['apiVersion']}/{PLURALS[document['kind']]}/{name}"
    query = "fieldManager=conformance&force=true&dryRun=All&fieldValidation=Strict"
    status, answer = api.call("PATCH", f"{path}?{query}", document, APPLY)
    assert status in (200, 201), answer
    assert answer["metadata"]["name"] == name
