"""People who live in kubectl: every command on a real database, and the documents show what it prints."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.conftest import ROOT, Cluster, Json, eventually
from kstatus import kstatus

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.mariadb,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl (1.27 or later) is not on the PATH"),
]
MANIFESTS = sorted((ROOT / "manifests").glob("*.yaml"))
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"orders-0-[0-9a-f]{8}"), "orders-0-HASH"),
    (re.compile(r"\b127\.\d+\.\d+\.\d+\b"), "ADDRESS"),
    (re.compile(r"(Hash: +|Resource Version: +|Port: +)\S+"), r"\1N"),
    (re.compile(r"\b\d+(m\d+)?s\b"), "AGE"),
    (re.compile(r"\b310\d\d\b"), "PORT"),
    (re.compile(r"  +"), "  "),
)


def plain(text: str) -> list[str]:
    """Return the lines of an output without what differs from run to run."""
    for pattern, token in _VARYING:
        text = pattern.sub(token, text)
    return [line.strip() for line in text.splitlines()]


def shown(page: str, command: str) -> list[str]:
    """Return what a document says that a command prints, without the places where it leaves something out."""
    block = (ROOT / page).read_text().split(f"    $ {command}\n", 1)[1].split("\n\n", 1)[0].split("\n    $ ", 1)[0]
    return [line for line in plain(block) if line not in ("", "...")]


class Kubectl:
    def __init__(self, cluster: Cluster, home: Path) -> None:
        self._command = ["kubectl", "--kubeconfig", str(cluster.parts.kubeconfig), "--cache-dir", str(home)]
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C"}

    def run(self, *arguments: str, code: int = 0, given: str = "", **environment: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            env=self._environment | environment,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def follow(self, target: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        with target.open("wb") as file:
            return subprocess.Popen([*self._command, *arguments], stdout=file, env=self._environment)

    def waits(self, condition: str) -> None:
        self.run("wait", f"--for=condition={condition}", "sdb/orders", "--timeout=100s")


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(cluster, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def orders(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Apply a database while two watches look on; yield the folder of what they printed."""
    folder = tmp_path_factory.mktemp("watched")
    watches = [
        kubectl.follow(folder / "events", "events", "--for", "sdb/orders", "-w"),
        kubectl.follow(folder / "get", "get", "sdb", "-w"),
    ]
    try:
        assert "orders created" in kubectl.run("apply", "-f", "manifests/persistent-volume.yaml")
        kubectl.waits("Ready")
        eventually(lambda: "1 of 1 members answer SQL" in (folder / "events").read_text())
        yield folder
    finally:
        for watch in watches:
            watch.terminate()
            watch.wait()


@pytest.mark.parametrize(
    ("page", "command"),
    [
        *(
            (page, command)
            for page in ("README.md", "docs/kubectl.md")
            for command in (
                "kubectl get sdb -o wide",
                "kubectl describe sdb orders",
                "kubectl events --for sdb/orders",
            )
        ),
        ("docs/kubectl.md", "kubectl get sdb"),
        ("docs/kubectl.md", "kubectl get sdbv"),
        ("docs/kubectl.md", "kubectl explain sdb.spec.storage.persistentVolume"),
        ("docs/kubectl.md", "kubectl api-resources --api-group statefuldb.dev"),
        ("docs/kubectl.md", "kubectl auth can-i delete sdb/orders"),
    ],
)
def test_what_is_printed_is_what_is_documented(kubectl: Kubectl, orders: Path, page: str, command: str) -> None:
    printed = plain(kubectl.run(*command.split()[1:]))
    wanted = shown(page, command)
    assert wanted
    missing = [line for line in wanted if line not in printed]
    assert not missing, "\n".join(["not printed:", *missing, "printed:", *printed])


def test_watches_tell_the_story(kubectl: Kubectl, orders: Path) -> None:
    told = [line.split()[2] for line in (orders / "events").read_text().splitlines()[1:]]
    wanted = ["Accepted", "MemberLaunched", "CredentialsSet", "Ready"]
    assert [reason for reason in told if reason in wanted] == wanted
    seen = [line.split()[1:3] for line in (orders / "get").read_text().splitlines()]
    assert seen[-1] == ["True", "AllMembersReady"]
    assert ["False", "StartingEngine"] in seen


def test_in_other_forms(kubectl: Kubectl, orders: Path) -> None:
    stored = yaml.safe_load(kubectl.run("get", "sdb", "orders", "-o", "yaml"))
    assert kstatus(stored) == "Current"
    conditions = {c["type"]: c for c in stored["status"]["conditions"]}
    assert {c["observedGeneration"] for c in conditions.values()} == {stored["metadata"]["generation"]}
    host = kubectl.run("get", "sdb", "orders", "-o", "jsonpath={.status.endpoints.primary.host}")
    assert host == stored["status"]["endpoints"]["primary"]["host"]
    assert kubectl.run("get", "sdb", "-o", "name").strip() == "statefuldatabase.statefuldb.dev/orders"


def test_protection_is_told_in_words(kubectl: Kubectl, orders: Path) -> None:
    said = kubectl.run("delete", "sdb", "orders", code=1)
    assert "spec.deletionProtection is not Disabled" in said


def test_scaling_to_none_and_back(kubectl: Kubectl, orders: Path) -> None:
    """Stopped reads as done, for kubectl wait and for kstatus."""
    assert "scaled" in kubectl.run("scale", "sdb/orders", "--replicas=0")
    kubectl.waits("Available=false")
    kubectl.waits("Ready")
    stored = yaml.safe_load(kubectl.run("get", "sdb", "orders", "-o", "yaml"))
    assert kstatus(stored) == "Current"
    assert kubectl.run("get", "sdb", "orders").split("\n")[1].split()[1:3] == ["True", "StoppedAsAsked"]
    kubectl.run("scale", "sdb/orders", "--replicas=1", "--current-replicas=0")
    kubectl.waits("Available")
    kubectl.waits("Ready")


def test_edit_patch_diff(kubectl: Kubectl, orders: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/max_connections: 200/max_connections: 210/' \"$1\"\n")
    editor.chmod(0o755)
    assert "edited" in kubectl.run("edit", "sdb", "orders", EDITOR=str(editor))
    difference = kubectl.run("diff", "-f", "manifests/persistent-volume.yaml", code=1)
    assert "-      max_connections: 210" in difference
    patch = '{"spec":{"engine":{"config":{"max_connections":200}}}}'
    assert "patched" in kubectl.run("patch", "sdb", "orders", "--type=merge", "-p", patch)
    kubectl.run("diff", "-f", "manifests/persistent-volume.yaml")
    kubectl.waits("Ready")


def three_way(last: Json, wanted: Json, live: Json) -> Json:
    """Return the merge patch that a three-way apply sends: what is wanted and differs, and what is no longer wanted."""
    patch: Json = {name: None for name in last if name not in wanted and name in live}
    for name, value in wanted.items():
        held = live.get(name)
        if isinstance(value, dict) and isinstance(held, dict):
            inner = three_way(last.get(name) or {}, value, held)
            patch |= {name: inner} if inner else {}
        elif value != held:
            patch[name] = value
    return patch


@pytest.mark.parametrize("path", MANIFESTS, ids=[path.stem for path in MANIFESTS])
def test_nothing_is_left_to_apply(
    kubectl: Kubectl, cluster: Cluster, orders: Path, host_root: str, tmp_path: Path, path: Path
) -> None:
    """After an apply and what the operator made of it: a second one, `diff` and a three-way comparison are empty."""
    text = path.read_text().replace("/var/lib/statefuldb", host_root)
    file = tmp_path / path.name
    file.write_text(text)
    wanted = yaml.safe_load(text)
    name = wanted["metadata"]["name"]
    kubectl.run("apply", "-f", str(file))

    def seen() -> Json | None:
        stored = cluster.database(name)
        assert stored is not None
        current = stored.get("status", {}).get("observedGeneration") == stored["metadata"]["generation"]
        return stored if current and stored["metadata"].get("finalizers") else None

    live = eventually(seen)
    annotation = live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    last = yaml.safe_load(annotation)
    last["metadata"].pop("annotations")
    last["metadata"].pop("namespace")
    assert three_way(last, wanted, live) == {}
    assert "unchanged" in kubectl.run("apply", "-f", str(file))
    kubectl.run("diff", "-f", str(file))
    version = cluster.database(name)["metadata"]["generation"]  # type: ignore[index]
    on_server = ("--server-side", "--field-manager", "gitops", "--force-conflicts")
    kubectl.run("apply", *on_server, "-f", str(file))
    kubectl.run("diff", *on_server, "-f", str(file))
    assert cluster.database(name)["metadata"]["generation"] == version  # type: ignore[index]
