"""A member's directory, and real keepers started on it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pymysql

from ports import free_port
from statefuldb.adapters.keeper.client import KeeperClient, KeeperError
from statefuldb.adapters.keeper.operator_identity import OperatorCertificates
from statefuldb.model.keeper import (
    CERTIFICATE_FILE,
    ENVIRONMENT_VARIABLE,
    LEDGER_VARIABLE,
    DataLocation,
    KeeperConfig,
    KeeperPhase,
    KeeperStatus,
)

PASSWORD = "correct-horse-battery-staple"


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


class Member:
    """One member's directory, and the keepers started on it."""

    def __init__(self, root: Path, certificates: OperatorCertificates) -> None:
        self.root = root
        self.certificates = certificates
        self.identity = root / "identity.pem"
        self.identity.write_text(certificates.client_pem)
        self.processes: list[subprocess.Popen[bytes]] = []
        (root / "data").mkdir()
        self.config = KeeperConfig(
            mode="Serve",
            cluster="c",
            uid="u",
            namespace="shop",
            name="orders",
            ordinal=0,
            incarnation=1,
            task_id="sdb.u.0.1",
            engine="MariaDB",
            version="10.11",
            config={"max-connections": "33"},
            memory_bytes=256 * 2**20,
            data=DataLocation(
                strategy="HostPath",
                directory=str(root / "data/shop/orders/0"),
                root=str(root / "data"),
            ),
            bootstrap="Empty",
            minimum_token=0,
            listen_address="127.0.0.1",
            port=free_port(),
            keeper_port=free_port(),
            operator_ca_pem=certificates.ca_pem,
            stop_grace_seconds=20,
        )

    @property
    def directory(self) -> Path:
        return self.root / "data/shop/orders/0"

    def sandbox(self, config: KeeperConfig) -> Path:
        return self.root / f"sandbox-{config.incarnation}"

    def start(self, config: KeeperConfig, *prefix: str, ledger: str = "") -> "subprocess.Popen[bytes]":
        sandbox = self.sandbox(config)
        orders = {ENVIRONMENT_VARIABLE: config.to_json(), LEDGER_VARIABLE: ledger, "MESOS_SANDBOX": str(sandbox)}
        sandbox.mkdir()
        with (sandbox / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "statefuldb.keeper"],
                env={**os.environ, **orders},
                stderr=errors,
            )
        self.processes.append(process)
        return process

    def client(self, config: KeeperConfig) -> KeeperClient:
        certificate = self.sandbox(config) / CERTIFICATE_FILE
        eventually(certificate.exists)
        return KeeperClient(
            address="127.0.0.1", port=config.keeper_port, pinned_pem=certificate.read_text(), identity=self.identity
        )

    def serving(self, config: KeeperConfig) -> tuple[KeeperClient, KeeperStatus]:
        client = self.client(config)
        status = client.status()
        while status.phase is not KeeperPhase.RUNNING:
            assert status.phase is not KeeperPhase.REFUSED, status.reason
            status = client.status(after=status.revision)
        return client, status

    def refusal(self, config: KeeperConfig) -> str:
        process = self.start(config)
        # As soon as that was read it ends.
        eventually(lambda: process.poll() is not None or self._says_refused(config))
        assert process.wait(timeout=30) == 64
        return (self.sandbox(config) / "stderr").read_text()

    def _says_refused(self, config: KeeperConfig) -> bool:
        if not (self.sandbox(config) / CERTIFICATE_FILE).exists():
            return False
        try:
            return self.client(config).status().phase is KeeperPhase.REFUSED
        except (KeeperError, ValueError):
            return False

    def successor(self, **changes: object) -> KeeperConfig:
        number = len(self.processes) + 1
        changed = replace(
            self.config,
            incarnation=number,
            task_id=f"sdb.u.0.{number}",
            bootstrap="None",
            port=free_port(),
            keeper_port=free_port(),
        )
        return replace(changed, **changes)  # type: ignore[arg-type]

    def sql(self, config: KeeperConfig, statement: str) -> object:
        connection = pymysql.connect(
            host="127.0.0.1", port=config.port, user="app", password=PASSWORD, database="app", autocommit=True
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


def set_account(client: KeeperClient, epoch: int = 1) -> None:
    client.set_credentials(epoch=epoch, revision="7", username="app", password=PASSWORD, database="app")
