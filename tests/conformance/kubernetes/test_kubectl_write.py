"""kubectl writes: apply, create, diff, edit, patch, scale, label, replace, delete."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from conformance.kubernetes.kubectl import Kubectl
from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP_NAME, thing

pytestmark = pytest.mark.kubectl
NAME = f"thing.{GROUP_NAME}/db1"


def manifest(replicas: int = 2, **more: object) -> str:
    spec = {"replicas": replicas, "options": {"k": "v"}, **more}
    return json.dumps(thing("db1", **spec))


def test_apply_creates_changes_and_rests(kubectl: Kubectl, api: Api, space: str) -> None:
    assert kubectl.ok("apply", "-f", "-", given=manifest()) == f"{NAME} created\n"
    assert kubectl.ok("apply", "-f", "-", given=manifest()) == f"{NAME} unchanged\n"
    less = json.loads(manifest(3))
    del less["spec"]["options"]
    assert kubectl.ok("apply", "-f", "-", given=json.dumps(less)) == f"{NAME} configured\n"
    stored = api.call("GET", f"{space}/db1")[1]
    assert stored["spec"]["replicas"] == 3
    assert "options" not in stored["spec"], "removed, since it was applied before"
    assert "kubectl.kubernetes.io/last-applied-configuration" in stored["metadata"]["annotations"]


def test_apply_tells_what_is_wrong(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    said = kubectl.run("apply", "-f", "-", given=manifest(500))
    assert said.code == 1
    assert 'The Thing "db1" is invalid: spec.replicas: Invalid value: 500: spec.replicas in body should be less' in (
        said.error
    )
    said = kubectl.run("apply", "-f", "-", given=manifest(engine="mysql"))
    assert (said.code, said.error.rstrip().endswith("engine is immutable")) == (1, True)
    said = kubectl.run("apply", "-f", "-", given=manifest(replicaz=2))
    assert said.code == 1
    assert 'unknown field "spec.replicaz"' in said.error or 'unknown field \\"spec.replicaz\\"' in said.error
    said = kubectl.run("apply", "--validate=warn", "-f", "-", given=manifest(replicaz=2))
    assert (said.code, said.error) == (0, 'Warning: unknown field "spec.replicaz"\n')


def test_apply_on_the_server_knows_owners(kubectl: Kubectl) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    assert kubectl.ok(*apply, given=manifest(3)) == f"{NAME} serverside-applied\n"
    said = kubectl.run(*apply, "--field-manager=other", given=manifest(5))
    assert said.code == 1
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in said.error
    kubectl.ok(*apply, "--field-manager=other", "--force-conflicts", given=manifest(5))
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "5"
    managers = kubectl.ok("get", "things", "db1", "--show-managed-fields", "-o", "yaml")
    assert "manager: other" in managers


@pytest.mark.parametrize("where", ["server", "client"])
def test_a_dry_run_changes_nothing(kubectl: Kubectl, where: str) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    out = kubectl.ok("apply", f"--dry-run={where}", "-f", "-", given=manifest(7))
    assert out == f"{NAME} configured ({'server dry run' if where == 'server' else 'dry run'})\n"
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "2"


@pytest.mark.parametrize("side", [(), ("--server-side", "--force-conflicts")], ids=["client", "server"])
def test_diff(kubectl: Kubectl, side: tuple[str, ...]) -> None:
    kubectl.ok("apply", *side, "-f", "-", given=manifest())
    said = kubectl.run("diff", *side, "-f", "-", given=manifest(3))
    assert said.code == 1
    lines = said.out.splitlines()
    assert "-  replicas: 2" in lines
    assert "+  replicas: 3" in lines
    assert "-  generation: 1" in lines
    assert "+  generation: 2" in lines
    assert kubectl.run("diff", *side, "-f", "-", given=manifest(2)).code == 0
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "2"


def test_apply_of_built_in_kinds(kubectl: Kubectl, api: Api, core: str) -> None:
    """Client-side apply of a built-in kind sends a strategic merge patch."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1", "b": "2"}}
    assert kubectl.ok("apply", "-f", "-", given=json.dumps(body)) == "configmap/cm created\n"
    body["data"] = {"a": "1", "c": "3"}
    assert kubectl.ok("apply", "-f", "-", given=json.dumps(body)) == "configmap/cm configured\n"
    assert api.call("GET", f"{core}/configmaps/cm")[1]["data"] == {"a": "1", "c": "3"}


def test_create_of_built_in_kinds(kubectl: Kubectl, api: Api, core: str) -> None:
    """These commands send protobuf, and know nothing else."""
    kubectl.ok("create", "configmap", "cm", "--from-literal=a=b", "--from-literal=c=d")
    assert api.call("GET", f"{core}/configmaps/cm")[1]["data"] == {"a": "b", "c": "d"}
    kubectl.ok("create", "secret", "generic", "s", "--from-literal=a=b")
    stored = api.call("GET", f"{core}/secrets/s")[1]
    assert (stored["data"], stored["type"]) == ({"a": "Yg=="}, "Opaque")
    kubectl.ok("create", "serviceaccount", "sa")
    assert api.call("GET", f"{core}/serviceaccounts/sa")[0] == 200
    kubectl.ok("create", "role", "reader", "--verb=get,list", f"--resource=things.{GROUP_NAME}")
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{kubectl.namespace}/roles/reader"
    (rule,) = api.call("GET", path)[1]["rules"]
    assert rule == {"apiGroups": [GROUP_NAME], "resources": ["things"], "verbs": ["get", "list"]}
    extra = f"{kubectl.namespace}-two"
    assert kubectl.ok("create", "namespace", extra) == f"namespace/{extra} created\n"
    assert kubectl.ok("delete", "namespace", extra, "--wait=false") == f'namespace "{extra}" deleted\n'


def test_create_and_replace(kubectl: Kubectl) -> None:
    assert kubectl.ok("create", "-f", "-", given=manifest()) == f"{NAME} created\n"
    said = kubectl.run("create", "-f", "-", given=manifest())
    assert (said.code, "AlreadyExists" in said.error) == (1, True)
    assert kubectl.ok("replace", "-f", "-", given=manifest(4)) == f"{NAME} replaced\n"
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "4"


def test_edit_with_an_editor(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('replicas: 2', 'replicas: 9'))\n"
    )
    editor = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    assert kubectl.ok("edit", "things", "db1", env={"EDITOR": editor}) == f"{NAME} edited\n"
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "9"
    assert "no changes made" in kubectl.run("edit", "things", "db1", env={"EDITOR": "true"}).error


def test_patch(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    patch = ("patch", "things", "db1")
    assert kubectl.ok(*patch, "--type=merge", "-p", '{"spec":{"replicas":6}}') == f"{NAME} patched\n"
    assert kubectl.ok(*patch, "--type=merge", "-p", '{"spec":{"replicas":6}}') == f"{NAME} patched (no change)\n"
    kubectl.ok(*patch, "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":7}]')
    said = kubectl.run(*patch, "-p", '{"spec":{"replicas":8}}')
    assert said.code == 1
    assert "application/strategic-merge-patch+json is not supported by" in said.error
    kubectl.ok(*patch, "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Running"}}')
    shown = kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas} {.status.phase}")
    assert shown == "7 Running"
    assert "Running" in kubectl.ok("get", "things", "db1", "--subresource=status")


def test_scale(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    assert kubectl.ok("scale", "things", "db1", "--replicas=8") == f"{NAME} scaled\n"
    assert kubectl.ok("get", "things", "db1", "-o", "jsonpath={.spec.replicas}") == "8"
    said = kubectl.run("scale", "things", "db1", "--current-replicas=1", "--replicas=2")
    assert said.code == 1


def test_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    assert kubectl.ok("label", "things", "db1", "x=y") == f"{NAME} labeled\n"
    assert kubectl.ok("annotate", "things", "db1", "note=z") == f"{NAME} annotated\n"
    assert kubectl.ok("get", "things", "-l", "x=y", "-o", "name") == f"{NAME}\n"
    assert kubectl.ok("label", "things", "db1", "x-") == f"{NAME} unlabeled\n"
    kubectl.ok("create", "configmap", "cm")
    assert kubectl.ok("label", "configmap", "cm", "x=y") == "configmap/cm labeled\n"


@pytest.mark.parametrize("policy", ["background", "foreground", "orphan"])
def test_delete_waits_until_it_is_gone(kubectl: Kubectl, api: Api, space: str, policy: str) -> None:
    kubectl.ok("apply", "-f", "-", given=manifest())
    if policy != "background":
        kubectl.ok("delete", "things", "db1", f"--cascade={policy}", "--wait=false")
        api.call("PATCH", f"{space}/db1", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    else:
        out = kubectl.ok("delete", "things", "db1", "--timeout=20s")
        assert out == f'thing.{GROUP_NAME} "db1" deleted\n'
    assert api.call("GET", f"{space}/db1")[0] == 404
    said = kubectl.run("delete", "things", "db1")
    assert (said.code, "NotFound" in said.error) == (1, True)
    assert kubectl.run("delete", "things", "db1", "--ignore-not-found").code == 0


def test_delete_all(kubectl: Kubectl, api: Api, space: str) -> None:
    for name in ("a", "b"):
        api.made(space, thing(name))
    kubectl.ok("delete", "things", "--all")
    assert api.call("GET", space)[1]["items"] == []
