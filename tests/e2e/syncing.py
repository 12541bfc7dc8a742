"""`statefuldb sync` as a process of its own, and what it says of itself."""

import json
import os
import signal
import subprocess
import sys

from e2e.conftest import Cluster, Json

NAME = "fleet"


class Syncer:
    """One `statefuldb sync SOURCE` that is started, killed and started again."""

    def __init__(self, cluster: Cluster, source: str, *options: str) -> None:
        self._cluster = cluster
        # One client for all looks: each new one reads certificates anew, and there are many looks.
        self.client = cluster.client
        self._arguments = (source, *options)
        self._log = cluster.state_dir / f"{NAME}-sync.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "statefuldb", "--state-dir", str(self._cluster.state_dir), "sync"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._arguments, "--name", NAME],
                stdout=log,
                stderr=log,
                env={k: v for k, v in os.environ.items() if k != "KUBECONFIG"},
            )

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal the process and return how it ended."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(30)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    @property
    def log(self) -> str:
        return self._log.read_text()[-3000:]

    @property
    def status(self) -> Json:
        """Return what it published last, {} before that."""
        stored = self.client.get("ConfigMap", "default", f"statefuldb-sync-{NAME}")
        text = stored["data"]["status"] if stored is not None else ""
        return dict(json.loads(text)) if text else {}
