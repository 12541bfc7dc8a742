"""kubectl, unmodified, on the server under test."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from conformance.kubernetes.server import Api


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    error: str


class Kubectl:
    """kubectl with a home of its own, in one namespace."""

    def __init__(self, api: Api, home: Path, namespace: str) -> None:
        self.namespace = namespace
        self._home = home
        self._command = ["kubectl", "--kubeconfig", str(api.kubeconfig), "--namespace", namespace]
        self._command += ["--cache-dir", str(home / "cache")]

    def _environment(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self._home), "LC_ALL": "C", **(more or {})}

    def run(self, *arguments: str, given: str = "", env: dict[str, str] | None = None) -> Said:
        """Run a command to its end; `given` is its standard input."""
        done = subprocess.run(
            [*self._command, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            env=self._environment(env),
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str, given: str = "", env: dict[str, str] | None = None) -> str:
        """Run a command that must succeed; return what it printed."""
        said = self.run(*arguments, given=given, env=env)
        assert said.code == 0, said
        return said.out

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command that goes on by itself, such as `get -w`."""
        return subprocess.Popen(
            [*self._command, *arguments], stdout=subprocess.PIPE, text=True, env=self._environment(None)
        )
