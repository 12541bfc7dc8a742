"""`operator run`, `version`: for those who run the operator."""

import logging
import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from statefuldb import __version__
from statefuldb.cli.console import fail
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.mesos_options import (
    OPERATOR_NAMESPACE,
    AuthorityOption,
    CertificateOption,
    KeyOption,
    MastersOption,
    PrincipalOption,
    SecretFileOption,
    SecretNameOption,
    TlsOption,
    tls_files,
)
from statefuldb.cli.output import Output, OutputOption, show
from statefuldb.model.identity import WEBHOOK_SECRET
from statefuldb.reconcile.ports import EffectFailed

operator_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Run the operator itself.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(operator_app, name="operator")
    app.command()(version)


@operator_app.command()
def run(
    mesos: MastersOption,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Kubeconfig; without it the in-cluster configuration.")
    ] = None,
    namespace: Annotated[str, typer.Option(help="Where the operator keeps its own objects.")] = OPERATOR_NAMESPACE,
    state: Annotated[Path, typer.Option(help="Directory for the journal and the client certificate.")] = Path("state"),
    mesos_role: Annotated[str, typer.Option(help="Mesos role to reserve for.")] = "statefuldb",
    refine_static: Annotated[
        bool, typer.Option(help="Be in a role of its own below --mesos-role, to refine static reservations for that.")
    ] = False,
    principal: PrincipalOption = "statefuldb",
    secret_file: SecretFileOption = None,
    secret_name: SecretNameOption = None,
    mesos_tls: TlsOption = False,
    mesos_ca: AuthorityOption = None,
    mesos_certificate: CertificateOption = None,
    mesos_key: KeyOption = None,
    watch_namespace: Annotated[
        list[str] | None, typer.Option(help="Look after databases of this namespace only; repeat for more.")
    ] = None,
    leader_elect: Annotated[
        bool | None,
        typer.Option(
            help="Work only while holding the Lease; others stand by. The default is to do so within a cluster."
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve /metrics, /healthz and /readyz here; 0 for any free port."),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address for --metrics-port.")] = "127.0.0.1",
    webhook_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve the validating webhook here (docs/admission.md); 0 for any free port."
        ),
    ] = None,
    webhook_host: Annotated[str, typer.Option(help="Address for --webhook-port.")] = "127.0.0.1",
    webhook_service: Annotated[
        str, typer.Option(help="The Service, in --namespace, by which the API server reaches it.")
    ] = "statefuldb-webhook",
    webhook_secret: Annotated[
        str, typer.Option(help="Secret with its ca.crt, tls.crt and tls.key; made where it is not there.")
    ] = WEBHOOK_SECRET,
    webhook_configuration: Annotated[
        str, typer.Option(help="The ValidatingWebhookConfiguration that is told of its authority.")
    ] = "statefuldb",
    framework_user: Annotated[str, typer.Option(help="User that tasks run as on the agents.")] = "root",
    keeper: Annotated[str, typer.Option(help="Python that runs the keeper on the agents.")] = sys.executable,
    allowed_root: Annotated[
        list[str] | None, typer.Option(help="Directory below which HostPath and DFS data may lie; repeat for more.")
    ] = None,
    fence_command: Annotated[
        Path | None,
        typer.Option(
            envvar="STATEFULDB_FENCE_COMMAND",
            help="Program that cuts a lost agent off from a shared file system (docs/fencing.md).",
        ),
    ] = None,
) -> None:
    """Run the operator until SIGTERM. Stopping it stops no database.

    Example: statefuldb operator run --mesos 10.0.0.1:5050 --kubeconfig ~/.kube/config
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # Imported here: no other command needs them (see mesos_options).
    from statefuldb.adapters.mesos.calls import CallFailed
    from statefuldb.app import CannotBegin, run_operator
    from statefuldb.settings import OperatorSettings, WebhookSettings

    settings = OperatorSettings(
        kubeconfig=kubeconfig,
        mesos=tuple(mesos or ()),
        namespace=namespace,
        state_dir=state,
        mesos_role=mesos_role,
        refine_static=refine_static,
        principal=principal,
        secret_file=secret_file,
        secret_name=secret_name,
        tls=tls_files(wanted=mesos_tls, authority=mesos_ca, certificate=mesos_certificate, key=mesos_key),
        framework_user=framework_user,
        keeper_command=(keeper, "-m", "statefuldb.keeper"),
        allowed_roots=tuple(allowed_root or ()),
        fence_command=fence_command,
        watch_namespaces=tuple(watch_namespace or ()),
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        webhook=None
        if webhook_port is None
        else WebhookSettings(
            host=webhook_host,
            port=webhook_port,
            service=webhook_service,
            secret=webhook_secret,
            configuration=webhook_configuration,
        ),
        leader_elect=kubeconfig is None if leader_elect is None else leader_elect,
    )
    try:
        run_operator(settings)
    except (EffectFailed, CallFailed) as error:
        fail(str(error), ExitCode.CANNOT_CONNECT)
    except CannotBegin as refused:
        fail(str(refused), ExitCode.REFUSED, "name another directory or port that this user may have")


def version(output: OutputOption = Output.TABLE) -> None:
    """Print the version.

    Example: statefuldb version
    """
    python = platform.python_version()
    show(
        {"version": __version__, "python": python},
        output,
        lambda wide: f"{__version__} (Python {python})" if wide else __version__,
    )
