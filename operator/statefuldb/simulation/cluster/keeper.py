"""A keeper with its database server, simulated: the steps of `keeper/serve.py` with what each of them takes and makes.

The orders it reads and the status it shows are the real documents.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from statefuldb.model.keeper import DATA_EXPECTED, OF_ANOTHER, EngineStatus, KeeperConfig, KeeperPhase, KeeperStatus
from statefuldb.simulation.cluster.location import Refused, check_launch, identity_of, is_anothers, place_of, where_of
from statefuldb.simulation.cluster.silence import Silence
from statefuldb.simulation.cluster.storage import Directory

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.host import Host

VERSION = "10.11.6"
EXIT_REFUSED, EXIT_ENDED, EXIT_KILLED = 64, 1, -9
REFUSAL_SHOWN_SECONDS, REFUSAL_UNTOLD_SECONDS = 5.0, 15.0
AWAY_SECONDS = 1.0
DISK_RETRY_SECONDS = 5.0
CLAIM_SECONDS = 2.0
TOTAL_BYTES = 100 * 2**30


class Keeper:
    """One task's main process and its server. `on_end` is told the exit status."""

    def __init__(
        self, config: KeeperConfig, host: "Host", volume: str, on_end: Callable[[int], None], *, ledger: str = ""
    ) -> None:
        self.config, self._ledger = config, ledger
        self.name = config.task_id
        self._host = host
        self._volume = volume
        self._on_end = on_end
        self._alive, self._stopping = True, False
        self._cancel: Callable[[], None] = lambda: None
        self._directory: Directory | None = None
        self._watchers: list[Callable[[], None]] = []
        self.told = 0
        self.status = KeeperStatus(task_id=config.task_id, revision=1, phase=KeeperPhase.CHECKING)
        self.listens = False
        self.answers = False
        self.silence = Silence(host, on_shared=self._on_shared, tell=self._tell)

    @property
    def hung(self) -> bool:
        """Whether it answers nobody."""
        return self.silence.lasts

    @property
    def full(self) -> bool:
        """Whether nothing can be written any more."""
        return self._host.full and not self._on_shared

    @property
    def _on_shared(self) -> bool:
        return self.config.data.mount_point is not None

    def lose_data(self) -> None:
        """Hang in a call to servers that let this machine in no more: they free the claim, and nothing is written."""
        if self._directory is not None and not self.silence.lost:
            self.silence.lost = True
            self._directory.writers.remove(self)
            self._directory.let_go(self)
            self.be_missed()

    def find_data(self) -> None:
        """Go on where it hung: the claim is taken again where it is free, and the server writes in any case."""
        if self._directory is not None and self.silence.lost:
            self.silence.lost = False
            self._directory.try_take(self)
            self._directory.writers.append(self)
            self._host.watching.opened(self._directory)

    def be_missed(self) -> None:
        """Have whoever follows it notice in a while that it gives no signs of life, if it gives none by then."""
        self.silence.be_missed()

    def look_at_disk(self) -> None:
        """Say what is free."""
        if self.answers:
            self._update(disk_free_bytes=self._free_bytes())

    @property
    def directory(self) -> Directory | None:
        """The data that its server has open."""
        return self._directory if self.answers else None

    def start(self) -> None:
        """Begin."""
        self._next(0.05, self._check if self.config.mode != "Erase" else self._erase)

    def terminate(self, grace_seconds: float) -> None:
        """Take SIGTERM."""
        if not self._alive or self._stopping:
            return
        self._stopping = True
        if self.hung:
            self._next(grace_seconds, lambda: self._end(EXIT_KILLED))
            return
        self._update(phase=KeeperPhase.STOPPING)
        self._next(self._between(0.3, 1.5), lambda: self._end(0))

    def crash(self, status: int = EXIT_ENDED) -> None:
        """Let the server die, and the keeper with it."""
        if self._alive:
            self._end(status)

    def vanish(self) -> None:
        """Cease at once, with nobody told: the machine lost its power."""
        self._close()

    def on_change(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Have each change of the status told, until what is returned is called."""
        self._watchers.append(tell)
        return lambda: self._watchers.remove(tell) if tell in self._watchers else None

    def set_credentials(self, body: dict[str, Any]) -> str | None:
        """Set the account; return why not, or None."""
        if not self.answers or self._directory is None:
            return "the engine does not run yet"
        if body["epoch"] < self._directory.epoch:
            return f"epoch {body['epoch']} is over: {self._directory.epoch} was seen"
        self._directory.epoch = body["epoch"]
        self._directory.account = f"{body['username']}:{body['password']}"
        self._update(credentials_revision=body["revision"])
        return None

    def _check(self) -> None:
        if self._on_shared and self._host.shared is not None and self._host.shared.away:
            self._next(AWAY_SECONDS, self._check)
            return
        self.listens = True
        try:
            directory = place_of(self.config, self._host, self._volume)
        except Refused as refusal:
            self._refuse(refusal)
            return
        self._take(directory)

    def _take(self, directory: Directory) -> None:
        if not directory.try_take(self):
            self._update(
                phase=KeeperPhase.WAITING_FOR_CLAIM, reason="an earlier server still holds the claim on the directory"
            )
            directory.waiting.append(lambda: self._take(directory) if self._alive and not self._stopping else None)
            return
        self._directory = directory
        self._update(claim_held=True, phase=KeeperPhase.CHECKING, reason="")
        self._next(self._between(0.05, 0.2), lambda: self._identify(directory))
        self._watch_claim(directory)

    def _identify(self, directory: Directory) -> None:
        if self.full:
            self._update(phase=KeeperPhase.DISK_FULL, reason="0 MiB are free")
            self._next(DISK_RETRY_SECONDS, lambda: self._identify(directory))
            return
        try:
            marked = self._check_identity(directory)
            check_launch(self.config, directory)
            directory.launch = (self.name, self._ledger)
            if marked:
                self._open(directory)
                return
        except Refused as refusal:
            self._refuse(refusal)
            return
        self._update(phase=KeeperPhase.BOOTSTRAPPING)

        def initialise() -> None:
            if self.full:
                self._end(EXIT_ENDED)
                return
            self._host.watching.initialised(directory, identity_of(self.config))
            directory.rows = []
            directory.identity = identity_of(self.config)
            self._open(directory)

        self._next(self._between(0.5, 3.0), initialise)

    def _open(self, directory: Directory) -> None:
        if directory.token < self.config.minimum_token:
            self._refuse(Refused(f"the token is {directory.token}, the ledger says {self.config.minimum_token}"))
            return
        directory.token += 1
        self._update(phase=KeeperPhase.STARTING, token=directory.token)
        directory.writers.append(self)
        self._host.watching.opened(directory)
        self._next(self._between(0.5, 2.0), self._run)

    def _watch_claim(self, directory: Directory) -> None:
        """End where the claim's file is not the one that is locked any more: a successor would find it free."""
        if not self._alive:
            return
        if directory.claim is not self and not self.silence.lost:
            self._end(EXIT_ENDED)
            return
        self._host.schedule.after(CLAIM_SECONDS, lambda: self._watch_claim(directory))

    def _run(self) -> None:
        if self.full:
            self._end(EXIT_ENDED)
            return
        self.answers = True
        engine = EngineStatus(version=VERSION, pid=4711, ready=True, answers_sql=True)
        self._update(
            phase=KeeperPhase.RUNNING,
            reason="",
            engine=engine,
            disk_total_bytes=TOTAL_BYTES,
            disk_free_bytes=self._free_bytes(),
        )

    def _free_bytes(self) -> int:
        return 0 if self.full else TOTAL_BYTES // 2

    def _erase(self) -> None:
        self.listens = True
        try:
            files, path = where_of(self.config, self._host)
            directory = files.directories.get(path)
            if directory is None or is_anothers(directory, self.config):
                self._end(0)
                return
            if not directory.try_take(self):
                raise Refused(f"{path} is still held by a running server")
            self._directory = directory
            if directory.identity is not None:
                self._check_identity(directory)
            check_launch(self.config, directory)
            files.remove(path, self.name)
            self._end(0)
        except Refused as refusal:
            self._refuse(refusal)

    def _check_identity(self, directory: Directory) -> bool:
        """Say whether the directory holds this member's data; False where it may be initialised. Raises Refused."""
        if directory.identity is not None:
            if directory.identity != identity_of(self.config):
                raise Refused(f"{directory.place} {OF_ANOTHER}")
            return True
        if self.config.bootstrap != "Empty":
            raise Refused(f"{directory.place} has no identity marker, {DATA_EXPECTED}")
        return False

    def _refuse(self, refusal: Refused) -> None:
        by, number = refusal.opened_by, refusal.opened_number
        self._update(phase=KeeperPhase.REFUSED, reason=str(refusal), opened_by=by, opened_number=number)
        until = self._host.schedule.now + REFUSAL_SHOWN_SECONDS + REFUSAL_UNTOLD_SECONDS
        self._next(REFUSAL_SHOWN_SECONDS, lambda: self._end_once_told(until))

    def _end_once_told(self, until: float) -> None:
        if self.told < self.status.revision and self._host.schedule.now < until:
            self._next(1.0, lambda: self._end_once_told(until))
        else:
            self._end(EXIT_REFUSED)

    def _update(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes, revision=self.status.revision + 1)
        self._tell()

    def _tell(self) -> None:
        for tell in list(self._watchers):
            tell()

    def _next(self, seconds: float, step: Callable[[], None]) -> None:
        """Have `step` taken in `seconds`, in place of whatever was to come."""
        self._cancel()
        self._cancel = self._host.schedule.after(seconds, step).cancel

    def _between(self, low: float, high: float) -> float:
        slowness = self._host.shared.slowness if self._on_shared and self._host.shared is not None else 1.0
        return self._host.dice.between(low, high) * slowness

    def _end(self, status: int) -> None:
        self._close()
        self._on_end(status)

    def _close(self) -> None:
        self._cancel()
        self._alive = self.listens = self.answers = False
        self._tell()
        if self._directory is not None:
            if self in self._directory.writers:
                self._directory.writers.remove(self)
            self._directory.let_go(self)
