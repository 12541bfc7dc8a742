"""What the operator itself keeps in the API: cluster UUID, framework id, epoch, and its certificates."""

import base64
import re
from collections.abc import Callable
from typing import Any

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import VOLUMES, Objects, Surroundings, not_served
from statefuldb.adapters.kubernetes.plain import CORE, PlainObjects
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, OPERATOR_IDENTITY_SECRET
from statefuldb.model.remains import Remains
from statefuldb.model.schema.crd import GROUP
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.ports import EffectFailed, Superseded

Json = dict[str, Any]
_SECONDS = re.compile(r"[0-9]{1,18}")
CLOCKS_APART_SECONDS = 86_400.0


class FrameworkRecord:
    """The ConfigMap and the Secret of one operator, in its namespace."""

    def __init__(self, client: Any, namespace: str, machine: Machine) -> None:
        self._client = client
        self._config_maps = PlainObjects(client, CORE, "configmaps")
        self._secrets = PlainObjects(client, CORE, "secrets")
        self._machine = machine
        self._namespace = namespace
        self._lock = machine.lock()
        self._epoch = self._next = 0
        # When the API was last restored from a backup, in Unix seconds, as a person or an operator wrote there; 0 where
        # it never was.
        self.restored_at = 0

    def begin(
        self, earlier: Callable[[], Remains | None], namespaces: tuple[str, ...] = ()
    ) -> tuple[str, str | None, int]:
        """Return cluster UUID, framework id and the epoch of this start, higher than the last.

        Keepers refuse an epoch below the highest they have seen. A record put back from a backup knows of less, so an
        epoch is no less than the seconds since 1970 either: starts are fewer.
        At the first start `earlier` tells what Mesos has of an installation before this one. Beginning anew beside it,
        or on a ledger of another cluster (in `namespaces`, all where none is named), would leave its tasks without
        anybody to look after them and its volumes unknown: its databases would begin again, empty.
        Raises EffectFailed, also for that.
        """
        stored = self._config_map()
        if stored is None:
            known = earlier()
            if known is not None:
                raise EffectFailed(self._lost(known))
            for cluster in self._clusters(namespaces):
                raise EffectFailed(
                    self._lost(Remains(seen=f"the ledger holds data of cluster {cluster}", cluster=cluster))
                )
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": FRAMEWORK_CONFIG_MAP},
                "data": {"cluster": self._machine.fresh_uuid(), "epoch": "0"},
            }
            stored = find(
                "create the framework record",
                lambda: self._config_maps.create(self._namespace, body),
            )
            if stored is None:
                raise EffectFailed(
                    f"namespace {self._namespace}, where the operator keeps its own record, is not there: "
                    f"kubectl create namespace {self._namespace}, or name another one with --namespace"
                )
        data = stored.get("data") or {}
        if not (cluster := data.get("cluster", "")):
            raise self._unfit("cluster", "the UUID that reservations and directories of this cluster carry", cluster)
        if not _SECONDS.fullmatch(last := data.get("epoch", "0")):
            raise self._unfit("epoch", "a number; without the field it begins anew, above the seconds of now", last)
        self.restored_at = self._moment(data.get("restoredAt", "0"))
        epoch = max(int(last) + 1, int(self._machine.now()))
        self._replace({**stored, "data": {**data, "epoch": str(epoch)}})
        self._epoch = epoch
        return cluster, data.get("frameworkId") or None, epoch

    def epoch_above(self, seen: int) -> int:
        """Return the epoch of this operator, a new one where a keeper has `seen` as high a one.

        The keeper was told that by an operator of which this API knows nothing: it was restored from a backup, and the
        clock is behind. Whoever has begun after this operator through this API is in the record.
        Raises Superseded for that, EffectFailed.
        """
        with self._lock:
            if seen >= self._epoch:
                stored = self._config_map()
                if stored is None or stored["data"].get("epoch") not in (str(self._epoch), str(self._next)):
                    raise Superseded(f"a keeper has seen epoch {seen}, and {self._epoch} is not the last to have begun")
                # Where the answer is lost it is found to be written.
                self._next = seen + 1
                self._replace({**stored, "data": {**stored["data"], "epoch": str(self._next)}})
                self._epoch = self._next
            return self._epoch

    def save_framework_id(self, framework_id: str) -> None:
        """Write the framework id, before anything is launched under it.

        Another one is never replaced: nobody would look after what runs under it, and Mesos call that gone.
        Raises Superseded for that, EffectFailed.
        """
        stored = self._config_map()
        known = stored["data"].get("frameworkId") if stored is not None else None
        if known not in (None, "", framework_id):
            raise Superseded(f"another operator has begun with framework {known}, and this one is {framework_id}")
        if stored is not None and not known:
            self._replace({**stored, "data": {**stored["data"], "frameworkId": framework_id}})

    def note_restored(self) -> None:
        """Write down, where the record is there, that the API was restored just now. Raises EffectFailed.

        Several may notice it, by clocks that differ, and a person may have said so: it is never put back.
        """
        stored = self._config_map()
        if stored is not None:
            data = stored.get("data") or {}
            last = int(written) if _SECONDS.fullmatch(written := data.get("restoredAt", "0")) else 0
            now = max(int(self._machine.now()), last, self.restored_at + 1)
            self._replace({**stored, "data": {**data, "restoredAt": str(now)}})

    def certificates(self, make: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        """Return the operator's authority and client certificate with key (PEM), made at the first start.

        Raises EffectFailed, also where they are damaged.
        """
        name = OPERATOR_IDENTITY_SECRET
        stored = find("get the operator's identity", lambda: self._secrets.get(self._namespace, name))
        if stored is None:
            authority, client = make()
            body = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "type": "Opaque",
                "stringData": {"ca.pem": authority, "client.pem": client},
            }
            stored = call("create the operator's identity", lambda: self._secrets.create(self._namespace, body))
        held = stored.get("data") or {}
        try:
            return _text(held["ca.pem"]), _text(held["client.pem"])
        except (KeyError, ValueError) as damaged:
            raise EffectFailed(
                f"Secret {name} in namespace {self._namespace} must hold ca.pem and client.pem, as it was made: put it "
                "back, or delete it, and restart the databases that do not answer a new operator"
            ) from damaged

    def mesos_credentials(self, name: str, principal: str) -> tuple[str, str]:
        """Return principal and secret out of a Secret of the operator's namespace. Raises EffectFailed."""
        stored = find(f"get Secret {name}", lambda: self._secrets.get(self._namespace, name))
        if stored is None:
            raise EffectFailed(
                f"Secret {name} is not in namespace {self._namespace}; it must hold principal and secret"
            )
        held = {key: _text(value).strip() for key, value in (stored.get("data") or {}).items()}
        if held.get("principal") != principal or not held.get("secret"):
            raise EffectFailed(
                f"Secret {name} in namespace {self._namespace} must hold the keys principal ({principal}) and secret"
            )
        return principal, held["secret"]

    def _clusters(self, namespaces: tuple[str, ...]) -> list[str]:
        """Return the UUIDs of the clusters that the ledger has entries of. Raises EffectFailed."""
        listed, version = Objects(self._client, VOLUMES, namespaces).list()
        if version is None and Surroundings(self._client).definition(f"{VOLUMES}.{GROUP}") is not None:
            raise not_served(VOLUMES)
        return sorted({entry.get("spec", {}).get("identity", {}).get("cluster", "") for entry in listed} - {""})

    def _lost(self, found: Remains) -> str:
        record = f"{FRAMEWORK_CONFIG_MAP} -n {self._namespace}"
        held = {"frameworkId": found.framework_id, "cluster": found.cluster or "UUID"}
        values = " ".join(f"--from-literal={name}={value}" for name, value in held.items() if value)
        return (
            f"ConfigMap {record} is not there, but {found.seen}. "
            f"Put the record back: kubectl create configmap {record} {values}; after a restore of the API add "
            "--from-literal=restoredAt=$(date +%s). What nobody wants can be given up then (statefuldb volumes list). "
            "Or, where another operator works for that, do not run this one (or run it beside, for another API server "
            "and in another --mesos-role)"
        )

    def _moment(self, written: str) -> int:
        if not _SECONDS.fullmatch(written) or int(written) > self._machine.now() + CLOCKS_APART_SECONDS:
            raise self._unfit("restoredAt", "a time that is past, in Unix seconds (date +%s)", written)
        return int(written)

    def _unfit(self, field: str, wanted: str, written: str) -> EffectFailed:
        where = f"data.{field} of ConfigMap {FRAMEWORK_CONFIG_MAP} in namespace {self._namespace}"
        return EffectFailed(f"{where} must be {wanted}, not {written!r}")

    def _config_map(self) -> Json | None:
        return find(
            "get the framework record",
            lambda: self._config_maps.get(self._namespace, FRAMEWORK_CONFIG_MAP),
        )

    def _replace(self, stored: Json) -> None:
        call(
            "write the framework record",
            lambda: self._config_maps.replace(self._namespace, stored),
        )


def _text(coded: str) -> str:
    return base64.b64decode(coded, validate=True).decode()
