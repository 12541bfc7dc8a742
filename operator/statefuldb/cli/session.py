"""What every command shares: which API server, which namespace, which embedded cluster."""

import os
import shlex
import shutil
import sys
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from statefuldb.adapters.kubernetes.cli_client import CliClient
from statefuldb.adapters.kubernetes.connection import NoCluster, context_namespace, is_in_cluster
from statefuldb.cli.cluster import EmbeddedCluster
from statefuldb.cli.console import fail
from statefuldb.cli.exit_codes import ExitCode

Json = dict[str, Any]


PROGRAM = "statefuldb"
DEFAULT_STATE_DIR = ".statefuldb"
STATE_VARIABLE = "STATEFULDB_STATE"
KUBECONFIG_VARIABLE = "KUBECONFIG"

AllNamespacesOption = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of every namespace.")]


class Session:
    """One invocation of the command line."""

    def __init__(self, *, kubeconfig: str, namespace: str, state_dir: str) -> None:
        self._namespace = namespace
        self._kubeconfig = kubeconfig
        self._state_dir = Path(state_dir)

    @cached_property
    def namespace(self) -> str:
        """The namespace: named, else that of the kubeconfig's context or of the pod, else `default`."""
        return self._namespace or context_namespace(self.access) or "default"

    @cached_property
    def cluster(self) -> EmbeddedCluster:
        """The embedded cluster of the state directory."""
        return EmbeddedCluster(self._state_dir)

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig: named, else the embedded cluster's, else the user's own."""
        if self._kubeconfig:
            return Path(self._kubeconfig)
        embedded = self._state_dir / "api" / "kubeconfig"
        return embedded if embedded.exists() else Path.home() / ".kube" / "config"

    @property
    def access(self) -> Path | None:
        """The kubeconfig to use; None in a pod where there is none: then its ServiceAccount speaks."""
        return self.kubeconfig if self._kubeconfig or self.has_kubeconfig or not is_in_cluster() else None

    @property
    def has_kubeconfig(self) -> bool:
        """Whether there is a kubeconfig that could be used; KUBECONFIG may name several."""
        return any(Path(each).exists() for each in str(self.kubeconfig).split(os.pathsep))

    @property
    def state_dir(self) -> Path:
        """Where this machine keeps what belongs to a cluster."""
        return self._state_dir

    @property
    def is_embedded(self) -> bool:
        """Whether the API server spoken to is that of the embedded cluster."""
        return self.cluster.exists and self.kubeconfig.resolve() == self.cluster.kubeconfig

    @cached_property
    def client(self) -> CliClient:
        """A client of the API server."""
        try:
            return CliClient(self.access)
        except NoCluster as error:
            fail(
                str(error),
                ExitCode.CANNOT_CONNECT,
                "start the embedded cluster with `statefuldb up`, or give --kubeconfig",
            )

    def embedded(self) -> "Session":
        """Return the session of the embedded cluster, whatever else a kubeconfig names."""
        return Session(
            kubeconfig=str(self.cluster.kubeconfig), namespace=self._namespace, state_dir=str(self._state_dir)
        )

    def within(self, namespace: str) -> "Session":
        """Return the session of another namespace of the same cluster."""
        if namespace == self.namespace:
            return self
        return Session(kubeconfig=self._kubeconfig, namespace=namespace, state_dir=str(self._state_dir))

    @property
    def invocation(self) -> str:
        """What to type, where one is now, to reach the embedded cluster: program and options."""
        words = self._program()
        elsewhere = os.environ.get(KUBECONFIG_VARIABLE)
        if elsewhere and Path(elsewhere).resolve() != self.cluster.kubeconfig:
            words += ["--kubeconfig", _from_here(self.cluster.kubeconfig)]
        if self._namespace:
            words += ["-n", self._namespace]
        return shlex.join(words)

    def hint(self, *words: str) -> str:
        """Return a command about what this session looks at, as it can be typed where one is now."""
        given = self._kubeconfig
        named = ["--kubeconfig", given] if given and os.environ.get(KUBECONFIG_VARIABLE) != given else []
        return shlex.join([*self._program(), *named, "-n", self.namespace, *words])

    def _program(self) -> list[str]:
        """Return the program as it is called from here, and which cluster's state it is to look at."""
        program = Path(sys.executable).with_name(PROGRAM)
        found = shutil.which(PROGRAM)
        words = [PROGRAM if found and Path(found).resolve() == program.resolve() else _from_here(program)]
        if self._state_dir != Path(DEFAULT_STATE_DIR) and os.environ.get(STATE_VARIABLE) != str(self._state_dir):
            words += ["--state-dir", str(self._state_dir)]
        return words

    def database(self, name: str) -> Json:
        """Return a database, or end with a clear error."""
        found = self.client.get("StatefulDatabase", self.namespace, name)
        if found is None:
            fail(f"there is no database {name} in namespace {self.namespace}", ExitCode.NOT_FOUND)
        return found


def _from_here(path: Path) -> str:
    """Return a path as it is shortest from the present directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def session_of(context: typer.Context) -> Session:
    """Return the session of a command."""
    held = context.obj
    assert isinstance(held, Session)
    return held
