"""The connection Secret: made once with a random password, its public keys kept current, its password never kept."""

import base64
import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH
from statefuldb.adapters.kubernetes.plain import CORE, PlainObjects
from statefuldb.model.actions import EnsureSecret
from statefuldb.model.identity import LABEL_DATABASE, LABEL_MANAGED, DatabaseKey
from statefuldb.model.observed import SecretView
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]


class ConnectionSecrets:
    """Connection Secrets by database."""

    def __init__(self, client: Any, machine: Machine) -> None:
        self._api = PlainObjects(client, CORE, "secrets")
        self._machine = machine
        self._lock = threading.Lock()
        self._views: dict[tuple[DatabaseKey, str], SecretView | None] = {}

    def view(self, key: DatabaseKey, name: str) -> SecretView | None:
        """Return the public part, from the cache where it was read before. Raises EffectFailed."""
        with self._lock:
            if (key, name) in self._views:
                return self._views[key, name]
        return self._keep(key, name, self._read(key, name))

    def forget_views(self) -> None:
        """Read all anew at the next use: people edit Secrets too."""
        with self._lock:
            self._views.clear()

    def password(self, key: DatabaseKey, name: str) -> str:
        """Return the password, read now. Raises EffectFailed."""
        password = texts_of(self._read(key, name) or {}).get("password")
        if not password:
            # Someone removed it behind our back: the next observation must see that.
            self._forget(key, name)
            raise EffectFailed(f"Secret {name} in {key.namespace} has no password", conflict=True)
        return password

    def ensure(self, wanted: EnsureSecret) -> None:
        """Create the Secret, or bring all but its password up to date. Raises EffectFailed.

        A conflict where another Secret is there by now than was decided about: that one is seen at the next look. A
        password that is gone, or is no text, is replaced; one that somebody chose stays.
        """
        stored = self._read(wanted.key, wanted.name)
        namespace, name = wanted.key.namespace, wanted.name
        seen = self._keep(wanted.key, name, stored)
        if (seen.revision if seen is not None else "") != wanted.revision:
            raise EffectFailed(f"Secret {name} in {namespace} changed meanwhile", conflict=True)
        if stored is None:
            password = self._machine.fresh_secret()
            body = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": name,
                    "labels": {LABEL_MANAGED: "true", LABEL_DATABASE: wanted.key.name},
                },
                "type": "Opaque",
                "stringData": {"password": password, **_public(wanted, password)},
            }
            self._write(wanted, f"create Secret {name} in {namespace}", lambda: self._api.create(namespace, body))
            return
        _refuse_anothers(wanted, stored)
        password = texts_of(stored).get("password") or self._machine.fresh_secret()
        coded = {k: _code(v) for k, v in {"password": password, **_public(wanted, password)}.items()}
        patch = {"metadata": {"resourceVersion": stored["metadata"]["resourceVersion"]}, "data": coded}
        self._write(
            wanted,
            f"patch Secret {name} in {namespace}",
            lambda: self._api.patch(namespace, name, patch, MERGE_PATCH),
        )

    def _write(self, wanted: EnsureSecret, what: str, write: Callable[[], Json]) -> None:
        try:
            self._keep(wanted.key, wanted.name, call(what, write))
        except EffectFailed:
            # Whether it was made, and what is there by now, is seen at the next look.
            self._forget(wanted.key, wanted.name)
            raise

    def delete(self, key: DatabaseKey, name: str) -> None:
        """Remove the Secret, if it is there and was made here. Raises EffectFailed."""
        stored = self._read(key, name)
        if stored is not None and (stored["metadata"].get("labels") or {}).get(LABEL_MANAGED) == "true":
            version = stored["metadata"]["resourceVersion"]
            find(
                f"delete Secret {name} in {key.namespace}",
                lambda: self._api.delete(key.namespace, name, version=version),
            )
        self._forget(key, name)

    def _forget(self, key: DatabaseKey, name: str) -> None:
        with self._lock:
            self._views.pop((key, name), None)

    def _read(self, key: DatabaseKey, name: str) -> Json | None:
        return find(f"get Secret {name} in {key.namespace}", lambda: self._api.get(key.namespace, name))

    def _keep(self, key: DatabaseKey, name: str, stored: Json | None) -> SecretView | None:
        view = None
        if stored is not None:
            data = texts_of(stored)
            view = SecretView(
                revision="{uid}-{resourceVersion}".format_map(stored["metadata"]),
                username=data.get("username", ""),
                database=data.get("database", ""),
                host=data.get("host", ""),
                port=data.get("port", ""),
                coherent=bool(data.get("password")) and data.get("uri") == _uri(data),
            )
        with self._lock:
            self._views[key, name] = view
        return view


def texts_of(stored: Mapping[str, Any]) -> dict[str, str]:
    """Return what a Secret holds, decoded. What is no text, such as a key store that somebody added, is left out."""
    texts = {}
    for name, coded in (stored.get("data") or {}).items():
        with contextlib.suppress(ValueError):
            texts[name] = base64.b64decode(coded).decode()
    return texts


def _refuse_anothers(wanted: EnsureSecret, stored: Json) -> None:
    """Raise EffectFailed for a Secret that was there for something else: how that is reached would be lost.

    So for one that nobody may change. One that only has a password, or other keys, was put there for this database.
    """
    held, labels = texts_of(stored), stored["metadata"].get("labels") or {}
    ours = labels.get(LABEL_MANAGED) == "true" or held.get("username") == wanted.username
    if not ours and (there := sorted(held.keys() & _public(wanted, "").keys())):
        raise EffectFailed(
            f"Secret {wanted.name} in {wanted.key.namespace} is somebody else's: it holds {', '.join(there)} and lacks "
            f"our label {LABEL_MANAGED}; move it away, or give this database another name"
        )
    if stored.get("immutable"):
        raise EffectFailed(
            f"Secret {wanted.name} in {wanted.key.namespace} is immutable, so where the database is cannot be written "
            "into it: delete it, and it is made anew, with a new password"
        )


def _public(wanted: EnsureSecret, password: str) -> dict[str, str]:
    public = {
        "host": wanted.host,
        "port": str(wanted.port),
        "username": wanted.username,
        "database": wanted.database,
    }
    return {**public, "uri": _uri({**public, "password": password})}


def _uri(data: Mapping[str, str]) -> str:
    """Return the connection as one URI, nothing where something of it is missing. People choose any password."""
    try:
        login = f"{data['username']}:{quote(data['password'], safe='')}"
        return f"mysql://{login}@{data['host']}:{data['port']}/{data['database']}"
    except KeyError:
        return ""


def _code(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
