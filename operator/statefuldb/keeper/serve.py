"""The life of a keeper, step by step: check, claim, identify, fence, start, serve, stop."""

import errno
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from statefuldb.keeper import directory as member
from statefuldb.keeper import erasing, making, opener, silence
from statefuldb.keeper.accounts import Commands
from statefuldb.keeper.certificate import server_context
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.disk import Disk, is_full
from statefuldb.keeper.endpoint import Endpoint
from statefuldb.keeper.files import rotate, write_durably
from statefuldb.keeper.mounts import check_place
from statefuldb.keeper.owners import service_user
from statefuldb.keeper.reach import reachable
from statefuldb.keeper.refusal import CannotListen, Ended, MadeOtherwise, OpenedBefore, Refused, in_words
from statefuldb.keeper.run_directory import run_directory
from statefuldb.keeper.server import MariaDbServer, become_subreaper
from statefuldb.keeper.server_log import lack_of_space
from statefuldb.keeper.signals import on_end, on_orphaned
from statefuldb.keeper.silence import told_of_silence
from statefuldb.keeper.state import State
from statefuldb.model.keeper import CERTIFICATE_FILE, EngineStatus, KeeperConfig, KeeperPhase
from statefuldb.planning.engines import engine_of
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths

READY_POLL_SECONDS = 0.03
HEALTH_POLL_SECONDS = 2.0
REFUSAL_SHOWN_SECONDS = 5.0
# An operator hears late of a task that has begun where it has much to do.
REFUSAL_UNTOLD_SECONDS, REFUSAL_LOOK_SECONDS = 15.0, 0.5
SERVER_LOG = "server.log"


class Keeper:
    """One member's keeper, from its orders to its end."""

    def __init__(self, config: KeeperConfig, sandbox: Path, ledger: str = "") -> None:
        engine = engine_of(config.engine)
        if engine is None:
            raise Refused(f"this keeper cannot run {config.engine}")
        self._config = config
        self._sandbox = sandbox
        self._ledger = ledger
        self._engine = engine
        self._state = State(config.task_id)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._disk = Disk(
            state=self._state, stopping=self._stopping, place=lambda: member.nearest(self._config, self._sandbox)
        )
        self._directory: member.MemberDirectory | None = None
        self._commands = Commands(state=self._state, epoch_file=self._epoch_file)

    def run(self) -> int:
        """Serve until told to stop. Return 0 after a clean stop; raises Refused or Ended."""
        become_subreaper()
        on_end(self._end)
        on_orphaned(self._end)
        return self._answering(self._serve)

    def erase(self) -> int:
        """Remove the member's data and end. Return 0; raises Refused."""
        return self._answering(self._erase)

    def _answering(self, work: Callable[[], int]) -> int:
        """Return what `work` returns, at an endpoint that says why where it is refused."""
        self._open_endpoint()
        try:
            return work()
        except Refused as refusal:
            self._show(refusal)
            raise
        except OSError as error:
            unusable = Refused(in_words(error))
            self._show(unusable)
            raise unusable from error

    def _erase(self) -> int:
        with told_of_silence(self._state, silence.FILES):
            directory = erasing.find(self._config, self._sandbox, self._engine.data_subdirectory)
        self._state.update(reason="")
        if directory is not None:
            erasing.erase(self._config, directory)
        return 0

    def _serve(self) -> int:
        opened = self._disk.once_there_is_space(self._open)
        if opened is None:
            return 0
        directory, claim = opened
        self._directory = directory
        if not self._take(directory, claim):
            return 0
        with run_directory(claim) as run:
            server = self._server(directory, run)
            try:
                self._disk.once_there_is_space(lambda: self._start(directory, server, claim))
                return self._watch(server, claim)
            except (Refused, OSError) as why:
                if server.pid:
                    # Not after that was shown, for seconds in which nobody looks after it.
                    self._state.update(reason=in_words(why) if isinstance(why, OSError) else str(why))
                    self._stop(server)
                raise

    def _open(self) -> tuple[member.MemberDirectory, Claim]:
        with told_of_silence(self._state, silence.FILES):
            check_place(self._config.data, Path(self._config.data.directory))
            directory = member.open_directory(self._config, self._sandbox, self._engine.data_subdirectory)
            return directory, Claim(directory.lock, may_create=not member.is_initialised(directory))

    def _show(self, refusal: Refused) -> None:
        """Let the operator read why, before the task ends with no more than an exit status.

        It ends without having been read, too: nothing but a new launch can go on from there.
        """
        if self._stopping.is_set():
            # Mesos ends all that the task has started: what fails of that is no refusal.
            return
        before = refusal if isinstance(refusal, OpenedBefore) else None
        self._state.update(
            phase=KeeperPhase.REFUSED,
            reason=str(refusal),
            opened_by=before.opened_by if before is not None else "",
            opened_number=before.number if before is not None else 0,
            made_with=refusal.made_with if isinstance(refusal, MadeOtherwise) else None,
        )
        self._stopping.wait(REFUSAL_SHOWN_SECONDS)
        until = time.monotonic() + REFUSAL_UNTOLD_SECONDS
        while not self._state.is_told and time.monotonic() < until and not self._stopping.wait(REFUSAL_LOOK_SECONDS):
            pass

    def _take(self, directory: member.MemberDirectory, claim: Claim) -> bool:
        """Take the claim, waiting for it as long as its holder lives. False when told to stop meanwhile."""
        with told_of_silence(self._state, silence.FILES):
            taken = claim.try_take()
            if not taken:
                # A server of another member is no earlier one, and may hold its data for ever.
                member.is_marked(self._config, directory)
        if not taken:
            self._state.update(
                phase=KeeperPhase.WAITING_FOR_CLAIM,
                reason="an earlier server still holds the claim on the directory",
            )
            failed: list[OSError] = []

            def on_end(error: OSError | None) -> None:
                if error is not None:
                    failed.append(error)
                self._wake.set()

            claim.wait(on_end)
            self._wake.wait()
            if self._stopping.is_set():
                return False
            if failed:
                raise failed[0]
        with told_of_silence(self._state, silence.FILES):
            self._check_held(claim)
        self._state.update(claim_held=True, phase=KeeperPhase.CHECKING, reason="")
        return True

    def _check_held(self, claim: Claim) -> None:
        try:
            claim.check_held()
        except Refused:
            # Nothing is written there any more either, as an operator's epoch.
            self._state.update(claim_held=False)
            raise

    def _start(self, directory: member.MemberDirectory, server: MariaDbServer, claim: Claim) -> None:
        version = server.version(self._config.version)
        server.check_options()
        with told_of_silence(self._state, silence.FILES):
            # Anew at each attempt: whoever makes space may move the directory away, or mount another disk there.
            self._check_held(claim)
            marked = member.check_identity(self._config, directory)
            if marked:
                making.check(self._config, directory)
            opener.note(self._config, directory, self._ledger)
        if not marked:
            self._state.update(phase=KeeperPhase.BOOTSTRAPPING, reason="")
            member.begin_bootstrap(self._config, directory)
            server.initialise(directory.data, inherited=claim.fd)
            member.end_bootstrap(self._config, directory, version)
        with told_of_silence(self._state, silence.FILES):
            token = member.next_token(self._config, directory)
        self._state.update(phase=KeeperPhase.STARTING, token=token, reason="")
        server.start(inherited=claim.fd, log=self._sandbox / SERVER_LOG)
        self._await_answer(server, directory)
        settings = self._settings(server)
        if self._stopping.is_set():
            return
        engine = EngineStatus(version=version, pid=server.pid, ready=True, answers_sql=True, settings=settings)
        self._commands.server = server
        with told_of_silence(self._state, silence.FILES):
            self._state.update(phase=KeeperPhase.RUNNING, reason="", engine=engine)
            self._disk.publish_free(directory.path)

    def _await_answer(self, server: MariaDbServer, directory: member.MemberDirectory) -> None:
        """Wait for the server, however long its recovery takes. A full disk is a condition, not a crash."""
        while not self._stopping.is_set() and not server.answers():
            if server.denial:
                raise Refused(server.denial)
            try:
                server.wait(READY_POLL_SECONDS)
            except Ended:
                if is_full(directory.path):
                    raise OSError(errno.ENOSPC, "no space left for the server") from None
                complaint = server.complaint()
                if (lacks := lack_of_space(complaint)) == errno.EDQUOT:
                    raise OSError(lacks, os.strerror(lacks)) from None
                if complaint:
                    raise Refused(f"the server did not start: {complaint}") from None
                raise

    def _settings(self, server: MariaDbServer) -> Mapping[str, str]:
        """Return what holds in the server once it says so: clients that come back may leave no room for a question."""
        while not self._stopping.is_set():
            try:
                return server.settings()
            except OSError as error:
                self._state.update(reason=str(error))
                server.wait(READY_POLL_SECONDS)
        return {}

    def _watch(self, server: MariaDbServer, claim: Claim) -> int:
        """Follow the running server until it ends, loses its claim, or the keeper is told to stop."""
        assert self._directory is not None
        server.tell_end(self._wake.set)
        while True:
            # Cleared before what it tells of is looked at, so that nothing is missed.
            self._wake.clear()
            if self._stopping.is_set():
                break
            server.check_alive()
            with told_of_silence(self._state, silence.SERVER):
                answers = server.answers()
            server.check_alive()
            engine = replace(self._state.status.engine, answers_sql=answers)
            self._state.update(engine=engine, reason="" if answers else "the server runs, and answers no query")
            with told_of_silence(self._state, silence.FILES):
                rotate(self._sandbox / SERVER_LOG)
                self._check_held(claim)
                self._disk.publish_free(self._directory.path)
            self._wake.wait(HEALTH_POLL_SECONDS)
        return 0 if self._stop(server) else 1

    def _stop(self, server: MariaDbServer) -> bool:
        """Stop the server, which answers nobody from now on. Return whether it was clean."""
        self._state.update(phase=KeeperPhase.STOPPING, engine=replace(self._state.status.engine, answers_sql=False))
        return server.stop(self._config.stop_grace_seconds)

    def _server(self, directory: member.MemberDirectory, run: Path) -> MariaDbServer:
        config = self._config
        exposed = reachable(directory.path, service_user(), besides=(self._sandbox, run)) / directory.data.name
        paths = ServerPaths(data_directory=str(exposed), run_directory=str(run / "run"), config_directory=str(run))
        orders = ServerOrders(
            listen_address=config.listen_address,
            port=config.port,
            server_id=config.ordinal + 1,
            memory_bytes=config.memory_bytes,
            options=config.config,
            user=None,
        )
        return MariaDbServer(engine=self._engine, orders=orders, paths=paths)

    def _open_endpoint(self) -> None:
        """Listen, and only then publish the certificate: whoever finds it is answered."""
        config = self._config
        context, certificate = server_context(config.task_id, config.operator_ca_pem)
        try:
            endpoint = Endpoint(
                (config.listen_address, config.keeper_port),
                context=context,
                state=self._state,
                commands=self._commands.by_path(),
            )
        except OSError as error:
            place = f"{config.listen_address}:{config.keeper_port}"
            raise CannotListen(f"cannot listen on {place}, which Mesos offered: {error.strerror}") from error
        endpoint.start()
        write_durably(self._sandbox / CERTIFICATE_FILE, certificate, mode=0o644)

    def _epoch_file(self) -> Path | None:
        held = self._directory is not None and self._state.status.claim_held
        return self._directory.folder / "epoch" if self._directory is not None and held else None

    def _end(self) -> None:
        self._stopping.set()
        self._wake.set()
