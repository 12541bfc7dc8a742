"""What the layers below raise, as a sentence and an exit code: one place for every command."""

from typing import Any

from typer.core import TyperGroup

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.adapters.kubernetes.connection import NoCluster
from statefuldb.cli.console import fail
from statefuldb.cli.exit_codes import ExitCode, code_of
from statefuldb.reconcile.ports import EffectFailed

START = "start the embedded cluster with `statefuldb up`, or give --kubeconfig; `statefuldb doctor` says what is amiss"


class Commands(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a refusal that it does not deal with itself ends it with the exit code of its kind."""
        try:
            return super().invoke(ctx)
        except CallRefused as refused:
            code = code_of(refused.status)
            fail(str(refused), code, START if code is ExitCode.CANNOT_CONNECT else "")
        except NoCluster as missing:
            fail(str(missing), ExitCode.CANNOT_CONNECT, START)
        except EffectFailed as failure:
            fail(str(failure), ExitCode.CANNOT_CONNECT)
