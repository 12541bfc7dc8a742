"""What every command shares: which API server, which namespace, which embedded cluster."""

from functools import cached_property
from pathlib import Path
from typing import Any

import typer

from statefuldb.adapters.kubernetes.cli_client import CliClient
from statefuldb.adapters.kubernetes.connection import NoCluster
from statefuldb.cli.cluster import EmbeddedCluster
from statefuldb.cli.console import fail
from statefuldb.cli.exit_codes import ExitCode

Json = dict[str, Any]


class Session:
    """One invocation of the command line."""

    def __init__(self, *, kubeconfig: str, namespace: str, state_dir: str) -> None:
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._state_dir = Path(state_dir)

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
    def is_embedded(self) -> bool:
        """Whether the API server spoken to is that of the embedded cluster."""
        return self.cluster.exists and self.kubeconfig.resolve() == self.cluster.kubeconfig

    @cached_property
    def client(self) -> CliClient:
        """A client of the API server."""
        try:
            return CliClient(self.kubeconfig)
        except NoCluster as error:
            fail(
                str(error),
                ExitCode.CANNOT_CONNECT,
                "start the embedded cluster with `statefuldb up`, or give --kubeconfig",
            )

    def database(self, name: str) -> Json:
        """Return a database, or end with a clear error."""
        found = self.client.get("StatefulDatabase", self.namespace, name)
        if found is None:
            fail(f"there is no database {name} in namespace {self.namespace}", ExitCode.NOT_FOUND)
        return found


def session_of(context: typer.Context) -> Session:
    """Return the session of a command."""
    held = context.obj
    assert isinstance(held, Session)
    return held
