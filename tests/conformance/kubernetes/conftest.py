"""One API server for the suite: that of STATEFULDB_TEST_KUBECONFIG, else an embedded one. Imports no operator."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.kubernetes.hooks import Hook
from conformance.kubernetes.kubectl import Kubectl
from conformance.kubernetes.server import Api, Embedded, eventually
from conformance.kubernetes.things import DEFINITIONS, GROUP, GROUP_NAME, definition, thing
from ports import free_port
from serving import serving


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded | None]:
    if os.environ.get("STATEFULDB_TEST_KUBECONFIG"):
        yield None
        return
    server = Embedded(tmp_path_factory.mktemp("api"), free_port())
    yield server
    server.process.terminate()
    assert server.process.wait(10) == 0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Embedded]:
    """An embedded server of a test's own, to be killed."""
    if os.environ.get("STATEFULDB_TEST_KUBECONFIG"):
        pytest.skip("a server that is not ours is not killed")
    server = Embedded(tmp_path / "api", free_port())
    yield server
    server.kill()


@pytest.fixture(scope="session")
def api(embedded: Embedded | None) -> Iterator[Api]:
    one = embedded.api if embedded is not None else Api(Path(os.environ["STATEFULDB_TEST_KUBECONFIG"]))
    # That of a run before may still be on its way out.
    eventually(lambda: one.call("POST", DEFINITIONS, definition())[0] == 201)
    eventually(lambda: one.call("GET", f"{GROUP}/things")[0] == 200)
    yield one
    one.call("DELETE", f"{DEFINITIONS}/things.{GROUP_NAME}")


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A namespace for one test."""
    name = f"conformance-{secrets.token_hex(4)}"
    api.made("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    api.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def space(namespace: str) -> str:
    """The path of the things in a namespace of the test's own."""
    return f"{GROUP}/namespaces/{namespace}/things"


@pytest.fixture
def core(namespace: str) -> str:
    """The path of the core kinds in a namespace of the test's own."""
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture
def kubectl(api: Api, namespace: str, tmp_path: Path) -> Kubectl:
    """kubectl in a namespace of the test's own."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on the PATH")
    return Kubectl(api, tmp_path, namespace)


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Hook]:
    with serving(Hook(tmp_path / "hook")) as one:
        yield one


@pytest.fixture
def probe(api: Api, space: str) -> Callable[[], Any]:
    """A write that changes nothing."""
    return lambda: api.call("POST", f"{space}?dryRun=All", thing("probe"))
