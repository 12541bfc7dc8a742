"""Taking a snapshot: what the ports' caches say of one database now. Nothing here writes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from statefuldb.model.identity import DatabaseKey, TaskId, connection_secret_name
from statefuldb.model.observed import (
    DatabaseObject,
    KeeperView,
    MesosView,
    Observed,
    Sighting,
    TaskState,
    TaskStatus,
)
from statefuldb.model.volume import Intent, VolumePhase, VolumeRecord
from statefuldb.planning.context import status_of
from statefuldb.planning.ledger import duplicates, never_served
from statefuldb.reconcile.machine import Clock
from statefuldb.reconcile.mesos_port import MesosPort
from statefuldb.reconcile.ports import KeeperPort, KubernetesPort

MISSED_AFTER_SECONDS = 30.0
DOUBTED_AFTER_SECONDS = 30.0
# Agents come back to a new master within a minute or so; here no keeper has been heard that could tell.
UNHEARD_AFTER_SECONDS = 120.0


class Observer:
    """Reads the ports, and tells Mesos and the keepers what is to be followed."""

    def __init__(
        self,
        *,
        kubernetes: KubernetesPort,
        mesos: MesosPort,
        keepers: KeeperPort,
        clock: Clock,
        waits: Callable[[DatabaseKey], bool],
    ) -> None:
        self._kubernetes = kubernetes
        self._mesos = mesos
        self._keepers = keepers
        self._clock = clock
        self._waits = waits

    def observe(self, key: DatabaseKey) -> Observed:
        """Return a frozen snapshot of one database.

        Mesos is as connected as it was before anything else was looked at: a subscription lists what runs before it
        counts as begun, and what is seen before that would look like data that nobody uses.
        """
        view = self._mesos.view()
        database = self._kubernetes.database(key)
        entries, others_of = self._kubernetes.volumes(key), self._kubernetes.others_of
        uid = database.uid if database is not None else None
        gone = any(entry.intent is Intent.USE and entry.owner_uid != uid for entry in entries)
        if gone or (database is not None and database.deleting):
            # Each kind has a watch of its own: without this look the cause of a deletion can be seen after it.
            self._kubernetes.look_around(key.namespace)
        # Of what is left alone nothing is followed either: it would be followed for the wrong database.
        volumes, left_alone = duplicates.told_apart(entries, database, others_of)
        uids = {volume.identity.uid for volume in (*volumes, *self._mesos.found(key))}
        if database is not None:
            uids.add(database.uid)
        keepers = self._views(volumes)
        tasks = {
            task_id: self._doubted(status, keepers.get(task_id))
            for uid in sorted(uids)
            for task_id, status in self._mesos.tasks(uid).items()
        }
        for volume in volumes:
            self._doubt_unheard(volume, tasks, view)
            self._correct_former(volume, tasks, view)
            self._follow(key, volume, tasks)
        observed = Observed(
            key=key,
            at_seconds=self._clock.now(),
            database=database,
            volumes=volumes,
            # After the tasks: one that came up meanwhile is seen with the entry that it carries, or not at all.
            found=self._mesos.found(key),
            damaged=self._kubernetes.damaged(key),
            duplicates=left_alone,
            adopted_away=self._kubernetes.adopted_away(key),
            operations=tuple(status for uid in sorted(uids) for status in self._mesos.operations(uid)),
            maintenance=self._mesos.maintenance(),
            sightings=self._sightings(key, volumes, tasks) if view.connected else (),
            tasks=tasks,
            keepers=keepers,
            mesos=view,
            profiles=self._kubernetes.profiles(key.namespace) if database is not None else (),
            secret=self._kubernetes.secret(key, connection_secret_name(key.name)),
            crd_terminating=self._kubernetes.crd_terminating(),
            namespace_terminating=self._kubernetes.namespace_terminating(key.namespace),
            # Each kind is listed on its own, so just after a start a database can be known before its namespace.
            namespace_exists=database is not None or self._kubernetes.namespace_exists(key.namespace),
        )
        left = any(_gives_back(volume) or never_served.doubted(volume, tasks) for volume in volumes)
        if left or self._begins(database, volumes):
            return replace(observed, reserved=self._mesos.reserved(observed))
        return observed

    def _doubted(self, status: TaskStatus, keeper: KeeperView | None) -> TaskStatus:
        """Return what is known of a task: nothing, where neither Mesos nor its keeper answers for it.

        A master that was started again says nothing of an agent that has not come back, until its
        `agent_reregister_timeout` is over, and no more after that where a person has marked that agent as gone.
        """
        owed = status.owed_since_seconds
        heard = keeper is not None and keeper.status is not None and not keeper.error
        if owed is None or heard or not status.state.alive or 0 <= self._clock.now() - owed < DOUBTED_AFTER_SECONDS:
            return status
        message = "the master was asked again, and does not answer"
        return replace(status, state=TaskState.UNKNOWN, message=message, seen_at_seconds=owed)

    def _doubt_unheard(self, volume: VolumeRecord, tasks: dict[TaskId, TaskStatus], view: MesosView) -> None:
        """Take a launch as unknown of which nothing was heard since this operator began, though Mesos was asked.

        A master that was started again is silent about it until its agent is back, or given up; and for as long as that
        master leads, where a person has marked the agent as gone before (master.cpp, markGone).
        """
        task_id, launch = volume.task_id, volume.launch
        if task_id is None or launch is None or volume.ended or task_id in tasks or not view.connected:
            return
        since = self._mesos.unheard_since(task_id)
        if since is not None and self._clock.now() - since >= UNHEARD_AFTER_SECONDS:
            tasks[task_id] = TaskStatus(
                id=task_id,
                state=TaskState.UNKNOWN,
                agent_id=launch.agent.id,
                message="the master was asked, and does not answer",
                seen_at_seconds=since,
                owed_since_seconds=since,
            )

    def _correct_former(self, volume: VolumeRecord, tasks: dict[TaskId, TaskStatus], view: MesosView) -> None:
        """Correct what Mesos says of a launch of an earlier framework of ours: it is no word about the task itself.

        Mesos has no task of that framework in this one's books, whatever runs. An agent that was cut off while the
        earlier one was removed runs its tasks on until it hears of that (docs/mesos.md, What a task's state permits).
        """
        status = status_of(volume, tasks)
        launch = volume.launch
        if launch is None or status is None or volume.ended:
            return
        said_by_agent = status.state.alive or (status.state.over and status.state is not TaskState.GONE)
        if launch.by_another(view.framework_id) and not said_by_agent:
            # Without a subscription nobody can be asked what became of it; that it was called gone proves no more then.
            outlived = self._mesos.outlived(status.id, launch.agent.id) if view.connected else None
            tasks[status.id] = self._of_former_framework(status, outlived)

    def _of_former_framework(self, status: TaskStatus, outlived: bool | None) -> TaskStatus:
        if outlived:
            return replace(
                status, state=TaskState.GONE, message="its framework has ended, and its agent has heard of it"
            )
        state = TaskState.UNKNOWN if status.state is TaskState.GONE else status.state
        return replace(status, state=state, settling=outlived is False)

    def _begins(self, database: DatabaseObject | None, volumes: tuple[VolumeRecord, ...]) -> bool:
        """Whether new data may be begun for this database: then it matters what there is that the ledger lacks."""
        return database is not None and not database.deleting and all(v.owner_uid != database.uid for v in volumes)

    def _sightings(
        self, key: DatabaseKey, volumes: tuple[VolumeRecord, ...], tasks: Mapping[TaskId, TaskStatus]
    ) -> tuple[Sighting, ...]:
        """Look for what members wait for that has not been offered for a while. Whatever runs is not missed."""
        if not self._waits(key):
            return ()
        missed = [v for v in volumes if self._missed(v, tasks)]
        found = [self._mesos.sighting(volume) for volume in missed]
        return tuple(sighting for sighting in found if sighting is not None)

    def _missed(self, volume: VolumeRecord, tasks: Mapping[TaskId, TaskStatus]) -> bool:
        status = status_of(volume, tasks)
        if volume.intent is not Intent.USE or (status is not None and status.state.alive):
            return False
        if not volume.initialised and (status is None or not status.state.agent_away):
            return False
        since = volume.ending.at_seconds if volume.ending is not None else status.seen_at_seconds if status else 0.0
        # An end in the future is of a clock that has been set back since: it is not waited for.
        return not 0 <= self._clock.now() - since <= MISSED_AFTER_SECONDS

    def _follow(self, key: DatabaseKey, volume: VolumeRecord, tasks: dict[TaskId, TaskStatus]) -> None:
        """Ask Mesos about a recorded launch until it is over, and its keeper while it runs."""
        task_id, launch = volume.task_id, volume.launch
        if task_id is None or launch is None:
            return
        if volume.ended:
            self._mesos.forget(task_id)
            self._keepers.unwatch(task_id)
            return
        self._mesos.expect(key, task_id, launch.agent.id)
        status = tasks.get(task_id)
        if status is not None and status.state is TaskState.RUNNING:
            self._keepers.watch(key, task_id, launch)
        else:
            self._keepers.unwatch(task_id)
        if volume.intent is Intent.DELETE and status is not None and not status.state.alive:
            self._mesos.give_up(task_id)

    def _views(self, volumes: tuple[VolumeRecord, ...]) -> dict[TaskId, KeeperView]:
        views = {}
        for volume in volumes:
            view = self._keepers.view(volume.task_id) if volume.task_id else None
            if view is not None:
                views[view.task_id] = view
        return views


def _gives_back(volume: VolumeRecord) -> bool:
    """Whether it matters what agents hold for a volume beside what they offer: all of it, or a part, is given back."""
    surplus = volume.launch is not None and volume.launch.leaves_surplus and not volume.ended
    return surplus or volume.phase is VolumePhase.RELEASING
