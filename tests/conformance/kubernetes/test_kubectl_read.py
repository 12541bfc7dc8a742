"""kubectl reads: get, watch, wait, describe, events, explain, discovery, auth."""

import json
from typing import Any

import pytest

from conformance.kubernetes.kubectl import Kubectl
from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP_NAME, labelled

pytestmark = pytest.mark.kubectl
NAME = f"thing.{GROUP_NAME}/db1"


@pytest.fixture
def two(api: Api, space: str) -> str:
    """Two things; the first says that it is ready. Returns the path of the first."""
    api.made(space, labelled("db1", {"app": "db"}))
    api.made(space, labelled("db2", {"app": "db"}, engine="mysql", replicas=5))
    conditions = [{"type": "Ready", "status": "True"}]
    api.patched(f"{space}/db1/status", {"status": {"phase": "Running", "conditions": conditions}})
    return f"{space}/db1"


def _rows(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()]


def test_get(kubectl: Kubectl, two: str) -> None:
    head, first, second = _rows(kubectl.ok("get", "things"))
    assert head == ["NAME", "ENGINE", "REPLICAS", "PHASE", "READY", "AGE"]
    assert first[:-1] == ["db1", "postgres", "1", "Running", "True"]
    assert second[:3] == ["db2", "mysql", "5"]
    head, first, _ = _rows(kubectl.ok("get", "xthi", "-o", "wide"))
    assert head == ["NAME", "ENGINE", "REPLICAS", "PHASE", "VERSION", "READY", "AGE"]
    assert first[4] == "16"


def test_get_in_other_forms(kubectl: Kubectl, api: Api, two: str) -> None:
    stored = api.call("GET", two)[1]
    shown = json.loads(kubectl.ok("get", "things", "db1", "-o", "json", "--show-managed-fields"))
    assert shown == stored
    assert "  engine: postgres\n" in kubectl.ok("get", "things", "db1", "-o", "yaml")
    listed = json.loads(kubectl.ok("get", "things", "-o", "json"))
    assert (listed["kind"], len(listed["items"])) == ("List", 2)
    assert kubectl.ok("get", "things", "-o", "name") == f"{NAME}\nthing.{GROUP_NAME}/db2\n"
    assert kubectl.ok("get", "things", "-o", "jsonpath={.items[*].spec.replicas}") == "1 5"
    columns = "-o=custom-columns=N:.metadata.name,E:.spec.engine"
    assert _rows(kubectl.ok("get", "things", columns)) == [["N", "E"], ["db1", "postgres"], ["db2", "mysql"]]


def test_get_selected_sorted_and_in_chunks(kubectl: Kubectl, two: str) -> None:
    select = ("-l", "app=db", "--field-selector", "spec.engine=mysql")
    assert kubectl.ok("get", "things", *select, "-o", "name") == f"thing.{GROUP_NAME}/db2\n"
    everywhere = _rows(kubectl.ok("get", "things", "-A", "-l", "app=db", "--chunk-size=1"))
    assert [row[:2] for row in everywhere if row[0] == kubectl.namespace] == [
        [kubectl.namespace, "db1"],
        [kubectl.namespace, "db2"],
    ]
    rows = _rows(kubectl.ok("get", "things", "--sort-by={.spec.engine}", "--no-headers"))
    assert [row[0] for row in rows] == ["db2", "db1"]


def test_get_of_several_kinds_and_of_a_category(kubectl: Kubectl, two: str) -> None:
    out = kubectl.ok("get", "things,ns")
    assert f"{NAME} " in out
    assert f"namespace/{kubectl.namespace} " in out
    assert "db1 " in kubectl.ok("get", "all")
    assert "db1" in kubectl.ok("get", "testing")


def test_what_is_not_there(kubectl: Kubectl) -> None:
    said = kubectl.run("get", "things", "nope")
    assert (said.code, said.error) == (1, f'Error from server (NotFound): things.{GROUP_NAME} "nope" not found\n')
    said = kubectl.run("get", "nopes")
    assert (said.code, said.error) == (1, 'error: the server doesn\'t have a resource type "nopes"\n')
    said = kubectl.run("get", "things")
    assert said.error == f"No resources found in {kubectl.namespace} namespace.\n"


def test_get_and_watch(kubectl: Kubectl, api: Api, two: str) -> None:
    process = kubectl.begin("get", "things", "-w")
    try:
        assert process.stdout is not None
        head, first, second = (process.stdout.readline().split() for _ in range(3))
        assert (head[0], first[0], second[0]) == ("NAME", "db1", "db2")
        api.patched(two, {"spec": {"replicas": 33}})
        assert process.stdout.readline().split()[:3] == ["db1", "postgres", "33"]
    finally:
        process.kill()
        process.communicate()


def test_wait(kubectl: Kubectl, api: Api, two: str) -> None:
    assert kubectl.ok("wait", "--for=condition=Ready", "things/db1", "--timeout=20s") == f"{NAME} condition met\n"
    process = kubectl.begin("wait", "--for=jsonpath={.status.phase}=Done", "things/db1", "--timeout=20s")
    api.patched(f"{two}/status", {"status": {"phase": "Done"}})
    assert process.communicate(timeout=30)[0] == f"{NAME} condition met\n"
    said = kubectl.run("wait", "--for=condition=Ready", "things/db2", "--timeout=1s")
    assert (said.code, said.error) == (1, "error: timed out waiting for the condition on things/db2\n")
    process = kubectl.begin("wait", "--for=delete", "things/db1", "--timeout=20s")
    api.call("DELETE", two)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture
def reported(api: Api, two: str, core: str) -> dict[str, Any]:
    """The first thing, with an event about it."""
    stored = api.call("GET", two)[1]
    metadata = stored["metadata"]
    about = {
        "apiVersion": stored["apiVersion"],
        "kind": "Thing",
        "name": "db1",
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    event = {
        "metadata": {"generateName": "e-"},
        "type": "Normal",
        "reason": "Provisioned",
        "message": "database provisioned",
        "involvedObject": about,
        "source": {"component": "conformance"},
        "firstTimestamp": metadata["creationTimestamp"],
        "lastTimestamp": metadata["creationTimestamp"],
        "count": 1,
    }
    api.made(f"{core}/events", event)
    return {**event, "involvedObject": {**about, "name": "db2"}, "reason": "Late"}


def test_describe(kubectl: Kubectl, reported: dict[str, Any]) -> None:
    rows = _rows(kubectl.ok("describe", "things", "db1"))
    assert ["Name:", "db1"] in rows
    assert ["Labels:", "app=db"] in rows
    assert ["Engine:", "postgres"] in rows
    last = rows[-1]
    assert (last[:2], last[-3:]) == (["Normal", "Provisioned"], ["conformance", "database", "provisioned"])


def test_events(kubectl: Kubectl, api: Api, core: str, reported: dict[str, Any]) -> None:
    head, row = _rows(kubectl.ok("events", "--for", "things/db1"))
    assert head == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert row[1:] == ["Normal", "Provisioned", "Thing/db1", "database", "provisioned"]
    assert kubectl.ok("events", "--for", "things/db2", "--types=Warning") == ""
    assert "thing/db1" in kubectl.ok("get", "events")
    process = kubectl.begin("events", "-w")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split() == head
        assert process.stdout.readline().split()[2] == "Provisioned"
        api.made(f"{core}/events", reported)
        assert process.stdout.readline().split()[2:4] == ["Late", "Thing/db2"]
    finally:
        process.kill()
        process.communicate()


def test_explain(kubectl: Kubectl) -> None:
    out = kubectl.ok("explain", "things.spec.engine")
    assert _rows(out)[:3] == [["GROUP:", GROUP_NAME], ["KIND:", "Thing"], ["VERSION:", "v1"]]
    assert "FIELD: engine <string>" in out
    assert "Database engine." in out
    rows = _rows(kubectl.ok("explain", "things.spec", "--recursive"))
    for row in (["minReplicas", "<integer>"], ["options", "<map[string]string>"], ["users", "<[]Object>"]):
        assert row in rows
    assert ["name", "<string>", "-required-"] in rows
    assert "<ObjectMeta>" in kubectl.ok("explain", "things")
    assert "labels" in kubectl.ok("explain", "things.metadata")
    said = kubectl.run("explain", "things.spec.nope")
    assert (said.code, 'field "nope" does not exist' in said.error) == (1, True)


def test_api_resources_and_versions(kubectl: Kubectl) -> None:
    rows = _rows(kubectl.ok("api-resources", f"--api-group={GROUP_NAME}"))
    assert rows[1] == ["things", "xthi", f"{GROUP_NAME}/v1", "true", "Thing"]
    assert ["namespaces", "ns", "v1", "false", "Namespace"] in _rows(kubectl.ok("api-resources"))
    versions = kubectl.ok("api-versions").split()
    assert {"v1", f"{GROUP_NAME}/v1", "events.k8s.io/v1"} <= set(versions)


def test_auth(kubectl: Kubectl) -> None:
    assert kubectl.ok("auth", "can-i", "create", "things") == "yes\n"
    assert kubectl.ok("auth", "can-i", "get", "/healthz") == "yes\n"
    assert "Username" in kubectl.ok("auth", "whoami")


def test_version_and_raw(kubectl: Kubectl) -> None:
    assert "Server Version: v1." in kubectl.ok("version")
    assert kubectl.ok("get", "--raw", "/readyz") == "ok"
