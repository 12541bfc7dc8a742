"""`statefuldb up`: what is applied is waited for where it is."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from statefuldb.cli import local
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
