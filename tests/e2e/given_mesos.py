"""A Mesos cluster that is given, with separate masters and agents, under the operator and the embedded API server."""

from pathlib import Path

import yaml

from conformance.mesos.masters import Command
from e2e.conftest import ROOT, Cluster, eventually


class GivenMesos(Cluster):
    """The operator on a Mesos at `address`, whose daemons are killed by `control`; without it they are left alone.

    Its agents run on this machine: what the tests kill of a task they find in /proc.
    """

    def __init__(self, state_dir: Path, address: str, control: Command | None) -> None:
        super().__init__(state_dir)
        self._address = address
        self._control = control
        self.mesos_options = ("--mesos", address)
        self.parts.plan(agents=0, dfs=())
        self.parts.start_one(self.parts.daemons()[0])
        for path in sorted((ROOT / "crds").glob("*.yaml")):
            for body in yaml.safe_load_all(path.read_text()):
                self.client.apply(body, "")
        self.run_operator(address)
        agents = len(eventually(lambda: self.ask("GET_AGENTS").get("agents")))
        self.daemons = {"mesos-master": ("master", 0), **{f"mesos-agent-{n}": ("agent", n) for n in range(agents)}}

    @property
    def master(self) -> str:
        return self._address

    def victims(self) -> tuple[str, ...]:
        return ("operator", *(self.daemons if self._control is not None else ()), "api-server")

    def kill(self, daemon: str) -> None:
        if daemon in self.daemons:
            self.control("kill9", daemon)
        else:
            super().kill(daemon)

    def restart(self, daemon: str) -> None:
        if daemon in self.daemons:
            self.control("start", daemon)
        elif daemon == "operator":
            self.run_operator(self._address)
        else:
            super().restart(daemon)

    def control(self, action: str, daemon: str) -> None:
        """Start, stop, kill, pause or resume one daemon."""
        assert self._control is not None
        self._control.run(action, *self.daemons[daemon])

    def up(self, name: str) -> None:
        """Start everything again; `up` itself knows only the embedded Mesos, so nothing is waited for."""
        del name
        for daemon in reversed(self.victims()):
            self.restart(daemon)

    def close(self) -> None:
        """Stop what is ours; what the tests leave in Mesos they have taken away before."""
        self.parts.supervisor.stop("operator")
        self.parts.supervisor.stop("api-server")
