"""How git logs in: by files that are named, for the repository's host alone, seen in no argument and no environment."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.git_server import PASSWORD, GitServer, git_server
from e2e.repository import Repository
from statefuldb.sync.git import GitSource
from statefuldb.sync.ports import Unreachable

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot-for-anyone\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path)
    found.write("a.yaml", "one")
    found.push("one")
    return found


@pytest.fixture
def server(repository: Repository) -> Iterator[GitServer]:
    with git_server(repository.bare.parent) as serving:
        yield serving


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with the arguments and the environment of each git that is run."""
    seen, programs = tmp_path / "seen", tmp_path / "bin"
    programs.mkdir()
    spy = programs / "git"
    spy.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >> {seen}\nexec {shutil.which("git")} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return seen


def source(url: str, tmp_path: Path, credentials: Path | None) -> GitSource:
    return GitSource(url=url, revision="main", path="", copy=tmp_path / "copy", credentials=credentials)


def test_a_password_is_read_from_its_file_anew_for_each_fetch_and_shown_nowhere(
    repository: Repository, server: GitServer, tmp_path: Path, spied: Path
) -> None:
    url = f"{server.url}/{repository.bare.name}"
    with pytest.raises(Unreachable):
        source(url, tmp_path, None).read()
    login = server.write_login(tmp_path / "login", PASSWORD)
    followed = source(url, tmp_path, login)
    assert [file.text for file in followed.read().files] == ["one"]
    server.password = "another"
    with pytest.raises(Unreachable):
        followed.read()
    server.write_login(login, "another")
    repository.write("a.yaml", "two")
    repository.push("two")
    assert [file.text for file in followed.read().files] == ["two"]
    assert "credential" in spied.read_text(), "the spy saw how git is called"
    assert PASSWORD not in spied.read_text()
    assert "another" not in spied.read_text()


def test_a_password_is_for_one_host_only(
    repository: Repository, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git is sent elsewhere, where the same login would be taken."""
    login = server.write_login(tmp_path / "login", PASSWORD)
    rewritten = {"COUNT": "1", "KEY_0": f"url.{server.url}/.insteadOf", "VALUE_0": "https://named.invalid/"}
    for name, value in rewritten.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(server.authority))
    with pytest.raises(Unreachable):
        source(f"https://named.invalid/{repository.bare.name}", tmp_path, login).read()
    assert server.refused > 0
    assert [file.text for file in source(f"{server.url}/{repository.bare.name}", tmp_path, login).read().files] == [
        "one"
    ]


def test_a_server_of_unknown_authority_is_not_told_the_password(
    repository: Repository, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = server.write_login(tmp_path / "login", PASSWORD)
    (login / "ca.crt").unlink()
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    with pytest.raises(Unreachable, match="certificate"):
        source(f"{server.url}/{repository.bare.name}", tmp_path, login).read()
    assert server.refused == 0


def test_ssh_takes_the_key_and_the_hosts_of_the_secret_and_nothing_else(
    repository: Repository, tmp_path: Path, spied: Path
) -> None:
    """A stand-in for ssh writes down how it is called, and runs what it is told to run."""
    ssh, called = spied.parent / "bin" / "ssh", tmp_path / "called"
    ssh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {called}\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    login = tmp_path / "the login"
    login.mkdir()
    (login / "ssh-privatekey").write_text(KEY)
    (login / "known_hosts").write_text("git.invalid ssh-ed25519 AAAA\n")
    read = source(f"ssh://git@git.invalid{repository.bare}", tmp_path, login).read()
    assert [file.text for file in read.files] == ["one"]
    words = called.read_text().splitlines()
    assert words[:4] == ["-F", "/dev/null", "-i", str(login / "ssh-privatekey")]
    assert {"StrictHostKeyChecking=yes", f"UserKnownHostsFile={login / 'known_hosts'}"} <= set(words)
    assert "not-for-anyone" not in spied.read_text()


@pytest.mark.parametrize("url", ["http://git.invalid/x.git", "git://git.invalid/x.git"])
def test_no_credentials_go_in_the_clear(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="not encrypted"):
        source(url, tmp_path, tmp_path)
