"""Requests on objects: what a client sends, checked and carried out on the store. Knows no sockets."""

from dataclasses import replace
from typing import Any

from statefuldb.local.api_server.admission.policies import admit
from statefuldb.local.api_server.admission.webhooks import Asked, NeedsReview, calls_about
from statefuldb.local.api_server.changes.applied import read_applied
from statefuldb.local.api_server.changes.apply import apply, track_update
from statefuldb.local.api_server.changes.patches import json_patch, merge_patch, strategic_patch
from statefuldb.local.api_server.copying import copied, sharing
from statefuldb.local.api_server.errors import ApiError, conflict, forbidden, invalid, not_found, warning, wrong
from statefuldb.local.api_server.objects.identity import identify, identify_change
from statefuldb.local.api_server.objects.metadata import changeable, finalizer_warnings, keep_deletion
from statefuldb.local.api_server.objects.scale import scale_of, scaled
from statefuldb.local.api_server.objects.store import Store
from statefuldb.local.api_server.rights.escalation import check_escalation
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.schemas.shapes import shape_of
from statefuldb.local.api_server.storing import builtins
from statefuldb.local.api_server.storing.checks import check, decode
from statefuldb.local.api_server.storing.deletion import Deletion
from statefuldb.local.api_server.storing.expiry import drop_old_events
from statefuldb.local.api_server.storing.writes import Write

Json = dict[str, Any]
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"

# Admission NamespaceLifecycle deletes none of these.
_IMMORTAL = ("default", "kube-system", "kube-public")
# Events that are an hour old are looked for once a minute: there may be thousands of them.
_TO_THE_MINUTE = len("2026-01-01T00:00")


class Service:
    """The API's verbs on one store. Each may raise NeedsReview, before it has stored anything."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._events_seen_to = ""
        self._deletion = Deletion(store, self._judge)

    def create(self, kind: Kind, namespace: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        """Add an object; return it with warnings. Raises ApiError."""
        new = copied(body)
        identify(kind, namespace, new, write.suffix)
        if new["metadata"].pop("resourceVersion", None):
            raise ApiError(500, "resourceVersion should not be set on objects to be created")
        if kind.status_subresource:
            new.pop("status", None)
        return self._add(kind, namespace, new, write, None)

    def replace(self, kind: Kind, namespace: str, name: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        """Replace an object by PUT. Raises ApiError."""
        if (kind.key, namespace, name) not in self.store.objects and kind.made_by_put and not write.subresource:
            return self._put(kind, namespace, name, body, write)
        if write.subresource == "scale":
            return self._scaled(kind, self.store.get(kind, namespace, name), body, write)
        if write.subresource == "finalize":
            old = self.store.get(kind, namespace, name)
            return self._save(kind, {**copied(old), "spec": copied(body.get("spec") or {})}, old, write)
        # A status is copied where it is written, in so far as it is new.
        new = {n: v if n == write.subresource == "status" else copied(v) for n, v in body.items()}
        if kind.custom or "kind" in new:
            identify(kind, namespace, new, write.suffix)
        new.update(apiVersion=new.get("apiVersion", kind.api_version), kind=new.get("kind", kind.kind))
        metadata = new.setdefault("metadata", {})
        if not metadata.get("name"):
            text = f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
            raise ApiError(400, text)
        identify_change(kind, namespace, name, new)
        old = self.store.get(kind, namespace, name)
        version = metadata.get("resourceVersion") or "0"
        _check_version(version)
        if kind.conditional and version == "0":
            cause = wrong("metadata.resourceVersion", "0", "must be specified for an update")
            raise invalid(kind.plural, kind.group, name, [cause])
        uid, held = metadata.get("uid"), old["metadata"]["uid"]
        if uid and uid != held:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {held}"
            raise conflict(kind.plural, kind.group, name, f"StorageError: invalid object, {why}")
        return self._save(kind, new, old, write)

    def patch(
        self, kind: Kind, namespace: str, name: str, body: Any, content_type: str, write: Write
    ) -> tuple[Json, list[str]]:
        """Patch an object, or create it by apply. Raises ApiError."""
        accepted = [JSON_PATCH, MERGE_PATCH, *(() if kind.custom else (STRATEGIC_PATCH,)), APPLY_PATCH]
        if content_type not in accepted:
            text = "the body of the request was in an unknown format - accepted media types include: "
            raise ApiError(415, text + ", ".join(accepted))
        if content_type == APPLY_PATCH and write.subresource != "scale":
            return self._apply(kind, namespace, name, body, write)
        old = self.store.get(kind, namespace, name)
        shown = scale_of(kind, old) if write.subresource == "scale" else copied(old)
        if content_type == JSON_PATCH:
            new = json_patch(shown, body)
        elif not isinstance(body, dict):
            raise ApiError(400, "error decoding patch: json: cannot unmarshal into Go value of type map")
        else:
            new = strategic_patch(shown, body) if content_type == STRATEGIC_PATCH else merge_patch(shown, body)
        if write.subresource == "scale":
            return self._scaled(kind, old, new, write)
        identify_change(kind, namespace, name, new, patch=True)
        return self._save(kind, new, old, write, patch=True)

    def _put(self, kind: Kind, namespace: str, name: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        """Make an object by PUT, unless it is meant to be one that was there. Raises ApiError."""
        new = copied(body)
        identify(kind, namespace, new, write.suffix)
        identify_change(kind, namespace, name, new)
        uid = new["metadata"].get("uid")
        if uid:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
            raise conflict(kind.plural, kind.group, name, f"StorageError: invalid object, {why}")
        _check_version(new["metadata"].pop("resourceVersion", None))
        return self._add(kind, namespace, new, write, None)

    def delete(self, kind: Kind, namespace: str, name: str, options: Json, write: Write) -> Json | None:
        """Delete an object; return it where it waits for finalizers, None where it is gone. Raises ApiError."""
        if kind.key == "namespaces" and name in _IMMORTAL:
            raise forbidden(kind.plural, kind.group, name, "this namespace may not be deleted")
        old = self.store.get(kind, namespace, name)
        wanted = options.get("preconditions") or {}
        for field, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            held = old["metadata"][field]
            if field in wanted and wanted[field] != held:
                why = f"the {label} in the precondition ({wanted[field]}) does not match the {label} in record ({held})"
                more = "deleted and then recreated" if field == "uid" else "modified"
                raise conflict(kind.kind, kind.group, name, f"{why}. The object might have been {more}")
        self._admit(kind, "DELETE", None, old, write)
        policy = options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") else "")
        return self._deletion.begin(kind, old, policy, write.now, dry_run=write.dry_run)

    def settle(self, now: str) -> None:
        """Finish what follows from the last writes for other objects."""
        self._deletion.settle(now)

    def _apply(self, kind: Kind, namespace: str, name: str, body: Any, write: Write) -> tuple[Json, list[str]]:
        wanted = read_applied(kind, namespace, name, body)
        address = (kind.key, namespace if kind.namespaced else "", name)
        live = self.store.objects.get(address)
        version = wanted["metadata"].pop("resourceVersion", None)
        _check_version(version)
        # A version says nothing of an object that is not there: it is made, on a real server too.
        if version and live is not None and version != live["metadata"]["resourceVersion"]:
            raise conflict(kind.plural, kind.group, name)
        if write.subresource == "status":
            about = {k: v for k, v in wanted["metadata"].items() if k in ("name", "namespace")}
            wanted = {k: v for k, v in wanted.items() if k in ("apiVersion", "kind", "status")} | {"metadata": about}
            if live is None:
                raise not_found(kind.plural, kind.group, name)
        elif kind.status_subresource:
            wanted.pop("status", None)
        merged = apply(
            *(live, wanted),
            manager=write.manager,
            force=write.force,
            now=write.now,
            subresource=write.subresource,
            schema=shape_of(kind),
        )
        managed = merged["metadata"].get("managedFields", [])
        if live is not None:
            return self._save(kind, merged, copied(live), write, managed=managed, patch=True)
        identify(kind, namespace, merged, write.suffix)
        return self._add(kind, namespace, merged, write, managed)

    def _add(
        self, kind: Kind, namespace: str, new: Json, write: Write, managed: list[Json] | None
    ) -> tuple[Json, list[str]]:
        """Check and store a new object. Raises ApiError."""
        self._check_place(kind, namespace, new["metadata"].get("name") or "")
        warnings = decode(kind, new, None, write.twice, write.validation)
        with warning(warnings):
            check(kind, new, None)
            self._check_rights(kind, new, None, write)
            builtins.complete(kind, new, None, write.now)
            self._own(kind, new, None, write, managed)
            self._admit(kind, "CREATE", new, None, write)
            stored = self.store.create(kind, new, write.now, dry_run=write.dry_run)
        if kind.key == "events" and not write.dry_run and self._events_seen_to != write.now[:_TO_THE_MINUTE]:
            self._events_seen_to = write.now[:_TO_THE_MINUTE]
            drop_old_events(self.store, kind, write.now)
        return stored, [*warnings, *_prefer_domains(kind, new, None, write)]

    def _own(self, kind: Kind, new: Json, old: Json | None, write: Write, managed: list[Json] | None) -> None:
        """Say in place who owns what: as an apply has found, which is `managed`, or by what is new."""
        if managed is None:
            track_update(
                *(old, new),
                manager=write.manager,
                now=write.now,
                subresource=write.subresource,
                schema=shape_of(kind),
                left_out=("status",) if kind.status_subresource and write.subresource != "status" else (),
            )
        elif managed:
            new["metadata"]["managedFields"] = managed
        builtins.begin(kind, new, old)

    def _save(
        self,
        kind: Kind,
        new: Json,
        old: Json,
        write: Write,
        *,
        managed: list[Json] | None = None,
        patch: bool = False,
    ) -> tuple[Json, list[str]]:
        """Check and store a changed object, keeping to the part that the request may write. Raises ApiError."""
        version = new["metadata"].get("resourceVersion")
        if version not in (None, "", "0", old["metadata"]["resourceVersion"]):
            raise conflict(kind.plural, kind.group, old["metadata"]["name"])
        if write.subresource == "status":
            # What stays as it is need not be copied, but for metadata, of which parts are set anew.
            kept = {name: old[name] for name in old if name not in ("metadata", "status")}
            written = {"status": sharing(new["status"], old.get("status"))} if new.get("status") is not None else {}
            new = {**kept, "metadata": changeable(old["metadata"]), **written}
        elif kind.status_subresource and write.subresource != "scale":
            new = {name: value for name, value in new.items() if name != "status"}
            new |= {"status": old["status"]} if "status" in old else {}
        if kind.key == "namespaces" and write.subresource != "finalize":
            new["spec"] = copied(old.get("spec", {}))
        warnings = decode(kind, new, old, write.twice, write.validation, patch=patch)
        with warning(warnings):
            check(kind, new, old, write.subresource)
            self._check_rights(kind, new, old, write)
            builtins.complete(kind, new, old, write.now)
            keep_deletion(new["metadata"], old["metadata"])
            self._own(kind, new, old, write, managed)
            self._admit(kind, "UPDATE", new, old, write)
            stored = self.store.update(kind, new, old, dry_run=write.dry_run)
        return stored, [*warnings, *_prefer_domains(kind, new, old, write)]

    def _scaled(self, kind: Kind, old: Json, scale: Json, write: Write) -> tuple[Json, list[str]]:
        saved, warnings = self._save(kind, scaled(kind, old, scale), old, replace(write, twice=()))
        return scale_of(kind, saved), warnings

    def _check_place(self, kind: Kind, namespace: str, name: str) -> None:
        """Raise ApiError where the namespace or the definition of a new object is absent or on its way out."""
        crd = self.store.objects.get(("customresourcedefinitions.apiextensions.k8s.io", "", kind.key))
        if crd is not None and "deletionTimestamp" in crd["metadata"]:
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(kind.plural, kind.group, name, why)
        if not kind.namespaced:
            return
        stored = self.store.objects.get(("namespaces", "", namespace))
        if stored is None:
            raise not_found("namespaces", "", namespace)
        if "deletionTimestamp" in stored["metadata"]:
            text = f"namespace {namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": text, "field": "metadata.namespace"}
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind.plural, kind.group, name, why, [cause])

    def _check_rights(self, kind: Kind, new: Json, old: Json | None, write: Write) -> None:
        if write.user is not None:
            check_escalation(self.store.objects, write.user, kind, new, old)

    def _admit(self, kind: Kind, operation: str, new: Json | None, old: Json | None, write: Write) -> None:
        """Raise ApiError where a policy denies a write, NeedsReview where webhooks are to be asked about it."""
        self._judge(kind, operation, new, old, write.subresource)
        if write.user is None:
            return
        asked = Asked(
            kind=kind,
            operation=operation,
            new=new,
            old=old,
            subresource=write.subresource,
            user=write.user,
            dry_run=write.dry_run,
            manager=write.manager,
            of_many=write.of_many,
        )
        calls = calls_about(asked, self.store.objects)
        if calls and asked.about != write.reviewed:
            raise NeedsReview(calls, asked.about)

    def _judge(self, kind: Kind, operation: str, new: Json | None, old: Json | None, subresource: str = "") -> None:
        policies, bindings = (self.store.objects.of_kind(key).values() for key in (_POLICIES, _BINDINGS))
        admit(policies, bindings, kind, operation, new, old, subresource=subresource)


def _check_version(version: str | None) -> None:
    """Raise ApiError(500) for a version that is no number, as a real server does."""
    if version and not version.isdigit():
        raise ApiError(500, f'strconv.ParseUint: parsing "{version}": invalid syntax')


def _prefer_domains(kind: Kind, new: Json, old: Json | None, write: Write) -> list[str]:
    return finalizer_warnings(new["metadata"], old) if kind.custom and not write.subresource else []
