"""A real bare git repository on disk, and a working copy that commits and pushes to it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

IDENTITY = {"NAME": "A Person", "EMAIL": "person@example.org"}


class Repository:
    """`bare` is what is synced; `work` is where a person edits."""

    def __init__(self, root: Path) -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not here")
        self.bare, self.work = root / "fleet.git", root / "work"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), cwd=root)
        self.git("clone", "--quiet", str(self.bare), str(self.work), cwd=root)
        self.git("checkout", "--quiet", "-b", "main")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in IDENTITY.items()}
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.work,
            env={**os.environ, **people, **settings},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes | None) -> None:
        """Write a file, or remove it."""
        file = self.work / path
        if content is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def push(self, message: str) -> str:
        """Commit everything and push it; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")
