"""What the server itself writes into built-in kinds, and refuses in them."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from statefuldb.local.api_server.admission.webhook_configurations import check_webhooks, complete_webhooks
from statefuldb.local.api_server.admission.webhooks import CONFIGURATIONS
from statefuldb.local.api_server.errors import forbidden_field, required, unsupported, wrong
from statefuldb.local.api_server.rights.rbac import API_GROUP
from statefuldb.local.api_server.rights.role_rules import check_role, complete_binding
from statefuldb.local.api_server.schemas.definitions import complete_definition
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
# How long texts of an event may be that has an `eventTime`, in bytes.
_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_KEY_WORDS = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_TIMES = {
    "events": ({"firstTimestamp": False, "lastTimestamp": False, "eventTime": True}, ()),
    "leases.coordination.k8s.io": ({"renewTime": True, "acquireTime": True}, ("spec",)),
}


def begin(kind: Kind, new: Json, old: Json | None) -> None:
    """Fill in what the server gives an object, in place: nobody owns it."""
    if kind.key == "namespaces" and old is None:
        new["spec"] = {"finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}
    elif kind.key == "events":
        for name in ("involvedObject", "source"):
            new[name] = new.get(name) or {}
        for name in ("reportingComponent", "reportingInstance"):
            new.setdefault(name, "")
        for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
            new.setdefault(name, None)


def complete(kind: Kind, new: Json, old: Json | None, now: str) -> None:
    """Fill in what a client may leave out, in place."""
    if kind.key == "namespaces":
        if old is None:
            new.pop("spec", None)
            new.pop("status", None)
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"]["name"]
    elif kind.key == "secrets":
        plain = new.pop("stringData", None) or {}
        coded = {k: base64.b64encode(v.encode()).decode() for k, v in plain.items()}
        if coded:
            new["data"] = {**(new.get("data") or {}), **coded}
        new.setdefault("type", "Opaque")
    elif kind.key == "customresourcedefinitions.apiextensions.k8s.io":
        complete_definition(new, old, now)
    elif kind.key == CONFIGURATIONS:
        complete_webhooks(new)
    elif kind.group == API_GROUP and kind.plural.endswith("bindings"):
        complete_binding(new)
    times, inside = _TIMES.get(kind.key, ({}, ()))
    holder = new
    for name in inside:
        holder = holder.get(name) or {}
    for name, fine in times.items():
        if isinstance(holder.get(name), str):
            holder[name] = _plain_time(holder[name], fine)


def check(kind: Kind, new: Json, old: Json | None) -> Iterator[Json]:
    """Yield a cause for each rule of a built-in kind that is broken."""
    if kind.key == "secrets" and old is not None and new.get("type", "Opaque") != old.get("type"):
        yield wrong("type", json.dumps(new.get("type")), "field is immutable")
    if kind.key in ("configmaps", "secrets") and old is not None and old.get("immutable"):
        for field in ("data", "binaryData"):
            if new.get(field) != old.get(field):
                yield forbidden_field(field, "field is immutable when `immutable` is set")
        if not new.get("immutable"):
            yield forbidden_field("immutable", "field is immutable when `immutable` is set")
    elif kind.key in ("configmaps", "secrets"):
        for name in {**(new.get("data") or {}), **(new.get("stringData") or {})}:
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", name):
                yield wrong(f"data[{name}]", json.dumps(name), _KEY_WORDS)
    elif kind.key == "events" and old is None:
        yield from _check_event(new)
    elif kind.key == CONFIGURATIONS:
        yield from check_webhooks(new)
    elif kind.group == API_GROUP:
        yield from check_role(kind, new, old)


def _check_event(event: Json) -> Iterator[Json]:
    about = (event.get("involvedObject") or {}).get("namespace", "")
    held, modern = event["metadata"].get("namespace", ""), bool(event.get("eventTime"))
    # What is in no namespace is told of in one that is always there.
    fitting = (held,) if about else ("default", "kube-system") if modern else ("default",)
    if (about and not modern and about != held) or (not about and held not in fitting):
        yield wrong("involvedObject.namespace", f'"{about}"', "does not match event.namespace")
    if not modern:
        return
    for field in ("reportingComponent", "reportingInstance", "action", "reason"):
        if not event.get(field):
            yield required(field)
    for field, limit in _LIMITS.items():
        if len((event.get(field) or "").encode()) > limit:
            yield wrong(
                field, json.dumps("" if field == "message" else event[field]), f"can have at most {limit} characters"
            )
    if event.get("type") not in ("Normal", "Warning"):
        yield unsupported("type", str(event.get("type", "")), ["Normal", "Warning"])


def _plain_time(text: str, fine: bool) -> str:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return text
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if fine else "%Y-%m-%dT%H:%M:%SZ")
