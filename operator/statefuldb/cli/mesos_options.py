"""The options that say how Mesos is reached: one set, for the operator and for every command that asks the master.

Whatever stands for a whole operator (kopf, pymesos, ZooKeeper) is imported where it is used: most commands need none of
it, and would take twice as long to start.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statefuldb.adapters.mesos.agent_files import AgentFiles
from statefuldb.adapters.mesos.facts import MesosFacts
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.transport import TlsFiles
from statefuldb.cli.session import Session
from statefuldb.reconcile.ports import EffectFailed

if TYPE_CHECKING:
    from statefuldb.adapters.mesos.scout import Scout
    from statefuldb.settings import MesosAccess

OPERATOR_NAMESPACE = "statefuldb-system"

MastersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mesos",
        envvar="STATEFULDB_MESOS",
        help="Master as host:port, repeat for more; or zk://host:port,host/path; or file:///path to either.",
    ),
]
PrincipalOption = Annotated[str, typer.Option(help="Mesos principal.")]
SecretFileOption = Annotated[Path | None, typer.Option(help="File with the principal's secret, mode 600.")]
SecretNameOption = Annotated[
    str | None,
    typer.Option(help="Instead: Secret in the operator's namespace with the keys principal and secret."),
]
TlsOption = Annotated[bool, typer.Option("--mesos-tls", help="Speak TLS to masters and agents.")]
AuthorityOption = Annotated[Path | None, typer.Option(help="PEM of the authority to trust; implies --mesos-tls.")]
CertificateOption = Annotated[Path | None, typer.Option(help="PEM of the client certificate; implies --mesos-tls.")]
KeyOption = Annotated[Path | None, typer.Option(help="PEM of its key, where that is not in the same file.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MesosOptions:
    """What was given on the command line; `masters` is empty where nothing was."""

    masters: tuple[str, ...]
    operator_namespace: str
    principal: str
    secret_file: Path | None
    secret_name: str | None
    tls: TlsFiles | None

    def master(self, session: Session) -> MasterApi:
        """Return the master that is named, else that of the embedded cluster. Raises EffectFailed."""
        from statefuldb.app import master_of

        return master_of(self._access(session))

    def files(self, session: Session) -> AgentFiles:
        """Return the files of sandboxes on that master's agents. Raises EffectFailed."""
        from statefuldb.app import files_of

        return files_of(self._access(session))

    def facts(self, session: Session) -> MesosFacts:
        """Return what that master and its agents say of themselves. Raises EffectFailed."""
        from statefuldb.app import facts_of

        return facts_of(self._access(session))

    def scout(self, session: Session, *, role: str, user: str) -> "Scout":
        """Return what runs a command on every agent. Raises EffectFailed."""
        from statefuldb.app import scout_of

        return scout_of(self._access(session), role=role, user=user)

    def _access(self, session: Session) -> "MesosAccess":
        from statefuldb.settings import MesosAccess

        masters = self.masters
        if not masters and session.is_embedded:
            masters = (session.cluster.mesos,)
        if not masters:
            raise EffectFailed("no master is named: give --mesos host:port")
        return MesosAccess(
            kubeconfig=session.access,
            mesos=masters,
            namespace=self.operator_namespace,
            principal=self.principal,
            secret_file=self.secret_file,
            secret_name=self.secret_name,
            tls=self.tls,
        )


def tls_files(*, wanted: bool, authority: Path | None, certificate: Path | None, key: Path | None) -> TlsFiles | None:
    """Return the files for TLS, or None for plain HTTP: naming a file implies TLS."""
    named = authority is not None or certificate is not None
    return TlsFiles(authority=authority, certificate=certificate, key=key) if wanted or named else None


def takes_mesos(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of this module; it receives them as one `MesosOptions`, named `mesos`."""
    given = inspect.signature(_options).parameters
    own = [p for name, p in inspect.signature(command).parameters.items() if name != "mesos"]

    @functools.wraps(command)
    def with_options(*arguments: Any, **named: Any) -> None:
        chosen = {name: named.pop(name) for name in given}
        command(*arguments, mesos=_options(**chosen), **named)

    shown = [*own, *given.values()]
    with_options.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in shown}
    return with_options


def _options(
    masters: MastersOption = None,
    operator_namespace: Annotated[
        str, typer.Option(help="Where the operator keeps its own objects.")
    ] = OPERATOR_NAMESPACE,
    principal: PrincipalOption = "statefuldb",
    secret_file: SecretFileOption = None,
    secret_name: SecretNameOption = None,
    mesos_tls: TlsOption = False,
    mesos_ca: AuthorityOption = None,
    mesos_certificate: CertificateOption = None,
    mesos_key: KeyOption = None,
) -> MesosOptions:
    return MesosOptions(
        masters=tuple(masters or ()),
        operator_namespace=operator_namespace,
        principal=principal,
        secret_file=secret_file,
        secret_name=secret_name,
        tls=tls_files(wanted=mesos_tls, authority=mesos_ca, certificate=mesos_certificate, key=mesos_key),
    )
