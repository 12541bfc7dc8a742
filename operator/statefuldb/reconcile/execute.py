"""Executing a plan: one port call for each action, in order. No choices are left here.

The first effect that fails ends the pass: what follows may depend on it, and the next snapshot tells what took place.
"""

from collections.abc import Callable
from logging import getLogger
from typing import assert_never

from statefuldb.model.actions import (
    AcceptOffers,
    Action,
    AddFinalizer,
    DeleteSecret,
    EnsureSecret,
    FenceAgent,
    ForgetVolume,
    KillTask,
    RemoveFinalizer,
    SaveVolume,
    SendCredentials,
)
from statefuldb.model.observed import DatabaseObject, Observed
from statefuldb.model.spec import RiskClass
from statefuldb.planning.approval.proposals import describe
from statefuldb.planning.ledger import damage
from statefuldb.reconcile.mesos_port import MesosPort
from statefuldb.reconcile.ports import EffectFailed, FencePort, KeeperPort, KubernetesPort, Measures, SecretReader

log = getLogger(__name__)


class Executor:
    """Carries actions out through the ports, as long as `may_act` says so."""

    def __init__(
        self,
        *,
        kubernetes: KubernetesPort,
        mesos: MesosPort,
        keepers: KeeperPort,
        secrets: SecretReader,
        fencing: FencePort,
        measures: Measures,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._kubernetes = kubernetes
        self._mesos = mesos
        self._keepers = keepers
        self._secrets = secrets
        self._fencing = fencing
        self._measures = measures
        self._may_act = may_act

    def execute(self, actions: tuple[Action, ...], database: DatabaseObject | None) -> None:
        """Carry out `actions`, decided for `database`, in order.

        Raises EffectFailed at the first that fails, or that may not be begun.
        """
        for action in actions:
            kind = type(action).__name__
            if not self._may_act():
                raise EffectFailed(f"{kind} not begun: another operator may lead now")
            log.info("%s: %s", kind, describe(action))
            try:
                if database is not None and isinstance(action, KillTask) and action.risk is RiskClass.RESTART:
                    # A manifest of before would stop what was launched by the present one.
                    self._kubernetes.confirm(database)
                self._one(action)
            except EffectFailed:
                self._measures.effect(kind, "failed")
                raise
            self._measures.effect(kind, "done")

    def acknowledge(self, observed: Observed) -> None:
        """Acknowledge the statuses in a snapshot whose pass is recorded; an end, only once the ledger has it.

        While an entry cannot be read, or told from a copy, a task that no other one is about may be its.
        """
        said = [status for status in observed.tasks.values() if status.uuid is not None]
        unsure = {entry.name for entry in damage.unsure(observed)}
        entries = self._kubernetes.volumes(observed.key) if said else ()
        ended = {volume.task_id: volume for volume in entries if volume.name not in unsure}
        for status in said:
            volume = ended.get(status.id)
            recorded = volume.ended if volume is not None else not unsure
            if not status.state.over or recorded:
                self._mesos.acknowledge(status)
        for operation in observed.operations:
            if operation.uuid is not None:
                self._mesos.acknowledge_operation(operation)

    def _one(self, action: Action) -> None:
        match action:
            case AddFinalizer(key=key):
                self._kubernetes.add_finalizer(key)
            case RemoveFinalizer(key=key):
                self._kubernetes.remove_finalizer(key)
            case SaveVolume(volume=volume):
                self._kubernetes.save_volume(volume)
            case ForgetVolume(volume=volume):
                self._kubernetes.forget_volume(volume)
            case AcceptOffers():
                self._mesos.accept(action)
            case KillTask():
                self._mesos.kill(action)
            case FenceAgent():
                self._confirm_lost(action)
                self._fencing.fence(action)
            case EnsureSecret():
                self._kubernetes.ensure_secret(action)
            case DeleteSecret(key=key, name=name):
                self._kubernetes.delete_secret(key, name)
            case SendCredentials():
                self._send_credentials(action)
            case _:
                assert_never(action)

    def _confirm_lost(self, action: FenceAgent) -> None:
        """Look once more whether a task's agent is lost: who is cut off is let in again by a person only."""
        said = self._mesos.tasks(action.task_id.uid).get(action.task_id)
        heard_of = said is not None and (said.state.alive or said.owed_since_seconds is not None)
        if heard_of or not self._mesos.view().connected:
            raise EffectFailed(f"{action.agent.hostname} may be in reach again", conflict=True)

    def _send_credentials(self, action: SendCredentials) -> None:
        secret = self._kubernetes.secret(action.key, action.secret_name)
        if secret is None or secret.revision != action.revision:
            raise EffectFailed(f"Secret {action.secret_name} changed meanwhile", conflict=True)
        self._keepers.send_credentials(
            action.task_id,
            revision=action.revision,
            username=secret.username,
            password=self._secrets.password(action.key, action.secret_name),
            database=secret.database,
        )
