"""How an operator is run, as the command line or the simulator says it."""

from dataclasses import dataclass
from pathlib import Path

from statefuldb.adapters.mesos.transport import TlsFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class MesosAccess:
    """How masters are reached. `kubeconfig` None means: within a cluster.

    `mesos` is as `--mesos` is given; `secret_file` or else `secret_name`, a Secret in `namespace` with the keys
    `principal` and `secret`, holds the credentials; `tls` None means plain HTTP to Mesos.
    """

    kubeconfig: Path | None
    mesos: tuple[str, ...]
    namespace: str
    principal: str
    secret_file: Path | None
    secret_name: str | None = None
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where the validating webhook is served, and the names of what belongs to it.

    `service` is in the operator's namespace, as is `secret`, which holds `ca.crt`, `tls.crt` and `tls.key` and is made
    where it is not there. `configuration` is a ValidatingWebhookConfiguration, which is told of the authority.
    """

    host: str
    port: int
    service: str
    secret: str
    configuration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings(MesosAccess):
    """How one operator runs.

    With `refine_static` the framework is in a role of its own below `mesos_role`, where static reservations for that
    can be refined.
    """

    state_dir: Path
    mesos_role: str
    framework_user: str
    keeper_command: tuple[str, ...]
    allowed_roots: tuple[str, ...] = ()
    fence_command: Path | None = None
    refine_static: bool = False
    leader_elect: bool = False
    watch_namespaces: tuple[str, ...] = ()
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    webhook: WebhookSettings | None = None
