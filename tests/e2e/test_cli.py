"""The command line as scripts use it: JSON and only JSON, exit codes, logs of members that run, ended, were rotated."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.conftest import ROOT, Cluster, eventually, manifest
from unit.cli.test_commands import COMMANDS, SENTENCES

NAME = "scripted"
# What each command is called with here; every one that can print JSON has to be in this table.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "status": (),
    "apply": ("-f", "{file}"),
    "get": (),
    "describe": (NAME,),
    "wait": (NAME,),
    "plan": ("-f", "{file}"),
    "explain": (NAME,),
    "events": (NAME,),
    "sql": (NAME, "-e", "SELECT 1 AS one, NULL AS nothing, NOW() AS moment, 'x' AS word"),
    "journal": (NAME,),
    "replay": (NAME,),
    "volumes list": (),
    "volumes scan": ("manifests",),
    "doctor": (),
    "version": (),
}
# These need no cluster, or a repository beside it: their own tests look.
ELSEWHERE = {"simulate", "sync run", "sync status"}
# These print one value a line, as they go.
LINES = {"journal"}


@pytest.fixture(scope="module")
def scripted(cluster: Cluster) -> Cluster:
    cluster.apply(manifest(NAME, {"strategy": "PersistentVolume", "size": "1Gi"}))
    cluster.ready(NAME)
    return cluster


def run(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "statefuldb", "--state-dir", str(cluster.state_dir), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "KUBECONFIG"},
        timeout=60,
        check=False,
    )


def test_json_is_json_and_nothing_else(scripted: Cluster) -> None:
    assert set(ARGUMENTS) == set(COMMANDS) - SENTENCES - ELSEWHERE
    file = str(scripted.state_dir / f"{NAME}.yaml")
    for path, arguments in ARGUMENTS.items():
        words = [word.format(file=file) for word in arguments]
        done = run(scripted, *path.split(), *words, "-o", "json")
        assert done.returncode == 0, (path, done.stderr)
        values = done.stdout.splitlines() if path in LINES else [done.stdout]
        assert values, path
        for value in values:
            json.loads(value)
        assert not done.stderr, (path, done.stderr)


def test_every_form_shows_the_same_without_colours_for_a_pipe(scripted: Cluster) -> None:
    words = ("get", NAME)
    assert NAME in str(yaml.safe_load(run(scripted, *words, "-o", "yaml").stdout))
    for form in ("table", "wide"):
        shown = run(scripted, *words, "-o", form).stdout
        assert NAME in shown
        assert "\x1b" not in shown


def test_sql_gives_names_and_values(scripted: Cluster) -> None:
    (row,) = json.loads(scripted.cli("sql", NAME, *ARGUMENTS["sql"][1:], "-o", "json"))
    assert (row["one"], row["nothing"], row["word"]) == (1, None, "x")
    assert list(row) == ["one", "nothing", "moment", "word"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("get", "nobody"), 3),
        (("logs", "nobody"), 3),
        (("wait", "nobody", "--timeout", "1"), 3),
        (("wait", NAME, "--for", "Nonsense"), 2),
        (("wait", NAME, "--for", "condition=Degraded", "--timeout", "1"), 5),
        (("delete", NAME), 4),
        (("apply", "-f", "manifests/bad/hdfs.yaml"), 4),
        (("plan", "-f", "manifests/bad/hdfs.yaml", "-o", "json"), 4),
        (("apply", "-f", "README.md"), 2),
        (("apply", "-f", "no-such-file"), 3),
        (("sql", NAME, "-e", "nonsense"), 1),
        (("--kubeconfig", "no-such-file", "get"), 6),
    ],
)
def test_exit_codes_say_what_kind_of_end_it_was(scripted: Cluster, arguments: tuple[str, ...], code: int) -> None:
    done = run(scripted, *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr


def sandbox(cluster: Cluster, task_id: str) -> Path:
    (found,) = cluster.state_dir.glob(f"mesos/agent-*/slaves/*/frameworks/*/executors/{task_id}/runs/latest")
    return found


def test_logs_are_read_through_the_agent_whether_the_member_runs_or_ended(scripted: Cluster) -> None:
    first = scripted.task_id(NAME)
    assert "ready for connections" in scripted.cli("logs", NAME)
    scripted.cli("restart", NAME, "--wait")
    assert scripted.task_id(NAME) != first
    said = scripted.cli("logs", NAME, "--incarnation", first.rpartition(".")[2], "--lines", "1000")
    assert "Shutdown complete" in said
    assert first in said
    scripted.cli("logs", NAME, "--incarnation", "999", code=3)


def test_logs_reach_back_into_rotated_parts_and_follow_a_rotation(scripted: Cluster) -> None:
    folder = sandbox(scripted, scripted.task_id(NAME))
    log = folder / "server.log"
    older = "".join(f"older {number}\n" for number in range(20_000))
    (folder / "server.log.1").write_text(older)
    present = len(log.read_text().splitlines())
    said = scripted.cli("logs", NAME, "--lines", str(present + 2))
    assert "older 19998\nolder 19999\n" in said
    assert "older 19997" not in said
    following = Following(scripted)
    try:
        eventually(lambda: "older" in following.said or "ready for connections" in following.said)
        os.truncate(log, 0)
        with log.open("a") as file:
            file.write("after the rotation\n")
        eventually(lambda: "after the rotation" in following.said)
    finally:
        following.stop()


class Following:
    """A `logs --follow` that runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._path = cluster.state_dir / "followed"
        with self._path.open("w") as output:
            self._process: subprocess.Popen[Any] = subprocess.Popen(
                [sys.executable, "-m", "statefuldb", "--state-dir", str(cluster.state_dir), "logs", NAME, "--follow"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={k: v for k, v in os.environ.items() if k != "KUBECONFIG"},
            )

    @property
    def said(self) -> str:
        return self._path.read_text()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def verdicts(said: str) -> dict[str, set[str]]:
    """Return what the doctor looked at, by verdict."""
    found: dict[str, set[str]] = {}
    for finding in json.loads(said):
        found.setdefault(finding["verdict"], set()).add(finding["what"])
        assert finding["verdict"] == "ok" or finding["remedy"], finding
    return found


def test_the_doctor_names_what_is_amiss_and_its_remedy(scripted: Cluster) -> None:
    healthy = verdicts(run(scripted, "doctor", "--on-agents", "-o", "json").stdout)
    assert "amiss" not in healthy
    assert any(what.startswith("database server 10.11") for what in healthy["ok"])
    scripted.client.delete("ValidatingAdmissionPolicyBinding", "", "deletion-protection.statefuldb.dev")
    scripted.kill("agent-3")
    try:
        options = ("--service-account", "nobody", "--on-agents", "--keeper", "/no/python", "--timeout", "10")
        done = run(scripted, "doctor", "-o", "json", *options)
    finally:
        scripted.cli("up", "--no-quickstart")
    assert done.returncode == 1
    amiss = " / ".join(sorted(verdicts(done.stdout)["amiss"]))
    for trouble in (
        "ValidatingAdmissionPolicyBinding deletion-protection.statefuldb.dev is not installed",
        "daemon agent-3 is down",
        "/no/python does not start the keeper",
        "ServiceAccount statefuldb-system/nobody lacks",
    ):
        assert trouble in amiss
    assert "amiss" not in verdicts(run(scripted, "doctor", "-o", "json").stdout)


def test_the_doctor_needs_no_cluster_to_say_what_is_missing(tmp_path: Path) -> None:
    empty = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "statefuldb", "--state-dir", str(tmp_path / "none"), "doctor", "-o", "json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=empty,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert any("there is no kubeconfig" in what for what in verdicts(done.stdout)["amiss"])
    assert not (tmp_path / "none").exists()
