"""Every command has an example that can be typed, and a form for programs where it shows objects or tables."""

import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from statefuldb.adapters.kubernetes.connection import api_client
from statefuldb.cli.exit_codes import ExitCode, code_of
from statefuldb.cli.root import app
from statefuldb.settings import OperatorSettings

GROUP = typer.main.get_command(app)
# These do something and say so in a sentence; `logs` shows what others wrote, as it is.
SENTENCES = {
    *("up", "down", "delete", "approve", "restart", "fence", "logs", "uninstall", "release"),
    *("volumes adopt", "volumes release", "operator run"),
}


def walk(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        full = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from walk(command, full)
        else:
            yield full, command


COMMANDS = dict(walk(GROUP))
EVERY = pytest.mark.parametrize("path", sorted(COMMANDS))


@EVERY
def test_its_example_can_be_typed(path: str) -> None:
    example = (COMMANDS[path].help or "").rpartition("Example:")[2].strip()
    words = shlex.split(example.splitlines()[0])
    named = path.split()
    assert words[: 1 + len(named)] == ["statefuldb", *named]
    # Parsing ends with an error for an option that is not there, and for an argument that is missing.
    with COMMANDS[path].make_context(path, words[1 + len(named) :]) as parsed:
        assert parsed.command is COMMANDS[path]


@EVERY
def test_what_it_shows_can_be_had_as_json(path: str) -> None:
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    assert ({"--output", "-o"} <= options) is (path not in SENTENCES)


@EVERY
def test_each_option_says_what_it_is_for(path: str) -> None:
    assert not [p.name for p in COMMANDS[path].params if not getattr(p, "help", "") and p.name != "help"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--agents", "0"), ExitCode.USAGE, "--agents"),
        (("--dfs", "somewhere"), ExitCode.USAGE, "not SOURCE:MOUNT_POINT"),
        (("--dfs", "/srv/a:mnt"), ExitCode.USAGE, "not SOURCE:MOUNT_POINT"),
        (("--manifest", "nowhere.yaml"), ExitCode.NOT_FOUND, "there is no file nowhere.yaml"),
    ],
)
def test_a_wrong_argument_of_up_is_said_before_anything_is_planned_or_started(
    words: tuple[str, ...], code: ExitCode, said: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["--state-dir", str(tmp_path / "state"), "up", *words])
    assert done.exit_code == code
    assert said in done.output
    assert not (tmp_path / "state").exists()


def test_a_kubeconfig_that_is_not_there_is_told_of_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(settings: OperatorSettings) -> None:
        api_client(settings.kubeconfig)

    monkeypatch.setattr("statefuldb.app.run_operator", refuse)
    words = ("--mesos", "127.0.0.1:5050", "--kubeconfig", str(tmp_path / "nowhere"))
    done = CliRunner().invoke(app, ["operator", "run", *words])
    assert done.exit_code == ExitCode.CANNOT_CONNECT
    assert "cannot use" in done.output
    assert "give --kubeconfig" in done.output


def test_a_port_or_a_directory_that_the_operator_cannot_have_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words, said in (
            (("--state", str(tmp_path / "file")), f"--state {tmp_path / 'file'} cannot be had: File exists"),
            (
                ("--state", str(tmp_path), "--metrics-port", str(port)),
                f"--metrics-port {port} on 127.0.0.1 cannot be had: Address already in use",
            ),
        ):
            done = CliRunner().invoke(app, ["operator", "run", "--mesos", "127.0.0.1:5050", *words])
            assert done.exit_code == ExitCode.REFUSED
            assert said in " ".join(done.output.split())


def test_all_of_the_product_is_there() -> None:
    wanted = (
        "up down status apply get describe plan explain wait approve restart events delete release logs sql journal "
        "replay doctor version uninstall fence"
    )
    assert set(wanted.split()) <= set(COMMANDS)
    assert {"volumes list", "volumes adopt", "volumes release"} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (0, ExitCode.CANNOT_CONNECT),
        (503, ExitCode.CANNOT_CONNECT),
        (404, ExitCode.NOT_FOUND),
        (403, ExitCode.REFUSED),
        (409, ExitCode.REFUSED),
        (422, ExitCode.REFUSED),
    ],
)
def test_an_http_status_has_one_exit_code(status: int, code: ExitCode) -> None:
    assert code_of(status) is code
