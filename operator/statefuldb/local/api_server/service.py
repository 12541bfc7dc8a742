"""Requests on objects: what a client sends, checked and carried out on the store. Knows no sockets."""

import base64
import copy
import re
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server import schema as structural
from statefuldb.local.api_server.admission import admit
from statefuldb.local.api_server.apply import apply, track_update
from statefuldb.local.api_server.errors import ApiError, conflict, invalid, not_found
from statefuldb.local.api_server.kinds import Kind
from statefuldb.local.api_server.patches import json_patch, merge_patch
from statefuldb.local.api_server.store import Store
from statefuldb.local.api_server.tables import json_path

Json = dict[str, Any]
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What surrounds one writing request."""

    now: str
    manager: str
    dry_run: bool = False
    strict: bool = False
    force: bool = False
    subresource: str = ""
    suffix: str = ""


class Service:
    """The API's verbs on one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, kind: Kind, namespace: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        """Add an object; return it with warnings. Raises ApiError."""
        new = copy.deepcopy(body)
        self._identify(kind, namespace, new, write)
        self._check_namespace(kind, namespace)
        if new["metadata"].pop("resourceVersion", None):
            raise ApiError(500, "resourceVersion should not be set on objects to be created")
        if kind.status_subresource:
            new.pop("status", None)
        warnings = self._check(kind, new, None, write)
        track_update(None, new, manager=write.manager, now=write.now)
        self._admit(kind, "CREATE", new, None)
        _complete(kind, new)
        return (new if write.dry_run else self.store.create(kind, new, write.now)), warnings

    def replace(self, kind: Kind, namespace: str, name: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        """Replace an object by PUT. Raises ApiError."""
        old = self.store.get(kind, namespace, name)
        if write.subresource == "scale":
            return self._scaled(kind, old, body, write)
        if body.get("metadata", {}).get("name", name) != name:
            raise ApiError(400, "the name of the object does not match the name on the URL")
        if kind.custom and body["metadata"].get("resourceVersion") in (None, "", "0"):
            cause = {
                "reason": "FieldValueInvalid",
                "message": "Invalid value: 0: must be specified for an update",
                "field": "metadata.resourceVersion",
            }
            raise invalid(kind.kind, kind.group, name, [cause])
        return self._save(kind, copy.deepcopy(body), old, write)

    def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: Any,
        content_type: str,
        write: Write,
    ) -> tuple[Json, list[str]]:
        """Patch an object, or create it by apply. Raises ApiError."""
        address = (kind.key, namespace, name)
        if content_type == "application/apply-patch+yaml":
            return self._apply(kind, namespace, name, body, write)
        if address not in self.store.objects:
            raise not_found(kind.plural, kind.group, name)
        old = self.store.get(kind, namespace, name)
        shown = self.scale_of(kind, old) if write.subresource == "scale" else copy.deepcopy(old)
        if content_type == "application/json-patch+json":
            new = json_patch(shown, body)
        elif content_type == "application/merge-patch+json" or (
            content_type == "application/strategic-merge-patch+json" and not kind.custom
        ):
            if not isinstance(body, dict):
                raise ApiError(400, "a merge patch must be an object")
            new = merge_patch(shown, body)
        else:
            accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            text = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
            raise ApiError(415, text)
        if write.subresource == "scale":
            return self._scaled(kind, old, new, write)
        wanted = body.get("metadata", {}).get("resourceVersion") if isinstance(body, dict) else None
        if wanted is None and not isinstance(body, list):
            new["metadata"].pop("resourceVersion", None)
        return self._save(kind, new, old, write)

    def delete(self, kind: Kind, namespace: str, name: str, options: Json, write: Write) -> Json | None:
        """Delete an object; return it where it waits for finalizers, None where it is gone. Raises ApiError."""
        old = self.store.get(kind, namespace, name)
        wanted = options.get("preconditions") or {}
        for field in ("uid", "resourceVersion"):
            if field in wanted and wanted[field] != old["metadata"][field]:
                raise conflict(kind.plural, kind.group, name)
        self._admit(kind, "DELETE", None, old)
        if write.dry_run:
            return old
        if kind.plural == "customresourcedefinitions":
            return self._delete_definition(kind, old, write)
        if kind.plural == "namespaces":
            return self._delete_namespace(kind, old, write)
        return self.store.delete(kind, old, write.now)

    def settle(self, now: str) -> None:
        """Finish what waits for other objects: definitions and namespaces that are being deleted."""
        for crd in [o for (k, _, _), o in self.store.objects.items() if k.startswith("customresourcedefinitions.")]:
            if "deletionTimestamp" in crd["metadata"]:
                self._finish_definition(crd, now)
        for namespace in [o for (k, _, _), o in self.store.objects.items() if k == "namespaces"]:
            if namespace.get("status", {}).get("phase") == "Terminating":
                self._finish_namespace(namespace, now)

    def scale_of(self, kind: Kind, stored: Json) -> Json:
        """Return the Scale of an object."""
        paths = kind.scale or {}
        metadata = stored["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {k: metadata[k] for k in kept if k in metadata},
            "spec": {"replicas": json_path(stored, paths["specReplicasPath"]) or 0},
            "status": {"replicas": json_path(stored, paths["statusReplicasPath"]) or 0},
        }

    def _apply(self, kind: Kind, namespace: str, name: str, body: Json, write: Write) -> tuple[Json, list[str]]:
        if "managedFields" in body.get("metadata", {}):
            raise ApiError(400, "metadata.managedFields must be nil")
        wanted = copy.deepcopy(body)
        wanted.setdefault("metadata", {})["name"] = name
        if kind.schema is not None:
            unknown = structural.prune(copy.deepcopy(wanted), kind.schema)
            if unknown:
                raise ApiError(500, f"failed to create typed patch object: .{unknown[0]}: field not declared in schema")
        live = self.store.objects.get((kind.key, namespace, name))
        merged = apply(
            live, wanted, manager=write.manager, force=write.force, now=write.now, subresource=write.subresource
        )
        managed = merged["metadata"]["managedFields"]
        if live is not None:
            return self._save(kind, merged, copy.deepcopy(live), write, managed=managed)
        self._identify(kind, namespace, merged, write)
        self._check_namespace(kind, namespace)
        warnings = self._check(kind, merged, None, write)
        self._admit(kind, "CREATE", merged, None)
        _complete(kind, merged)
        merged["metadata"]["managedFields"] = managed
        return (merged if write.dry_run else self.store.create(kind, merged, write.now)), warnings

    def _save(
        self, kind: Kind, new: Json, old: Json, write: Write, managed: list[Json] | None = None
    ) -> tuple[Json, list[str]]:
        """Check and store a changed object, keeping to the part that the request may write."""
        if write.subresource == "status":
            version = new.get("metadata", {}).get("resourceVersion")
            status = new.get("status")
            new = copy.deepcopy(old)
            new.pop("status", None)
            if status is not None:
                new["status"] = status
            if version:
                new["metadata"]["resourceVersion"] = version
        elif kind.status_subresource:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copy.deepcopy(old["status"])
        metadata = old["metadata"]
        self._identify(kind, metadata.get("namespace", ""), new, write)
        warnings = self._check(kind, new, old, write)
        if managed is None:
            track_update(old, new, manager=write.manager, now=write.now, subresource=write.subresource)
        else:
            new["metadata"]["managedFields"] = managed
        self._admit(kind, "UPDATE", new, old)
        if write.dry_run:
            return new, warnings
        saved = self.store.update(kind, new, old, write.now)
        self.settle(write.now)
        return saved, warnings

    def _scaled(self, kind: Kind, old: Json, scale: Json, write: Write) -> tuple[Json, list[str]]:
        new = copy.deepcopy(old)
        parts = (kind.scale or {})["specReplicasPath"].strip(".").split(".")
        target = new
        for part in parts[:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = scale["spec"]["replicas"]
        plain = Write(now=write.now, manager=write.manager, dry_run=write.dry_run)
        saved, warnings = self._save(kind, new, old, plain)
        return self.scale_of(kind, saved), warnings

    def _identify(self, kind: Kind, namespace: str, new: Json, write: Write) -> None:
        """Check that body and URL name the same thing, and give a name where one is to be made."""
        if new.get("kind", kind.kind) != kind.kind or new.get("apiVersion", kind.api_version) != kind.api_version:
            given = f"{new.get('apiVersion')}, Kind={new.get('kind')}"
            raise ApiError(400, f"{given} in body does not match {kind.api_version}, Kind={kind.kind} of the URL")
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        metadata = new.setdefault("metadata", {})
        if kind.namespaced:
            if metadata.get("namespace", namespace) != namespace:
                text = "the namespace of the provided object does not match the namespace sent on the request"
                raise ApiError(400, text)
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + write.suffix
        name = metadata.get("name")
        if not name:
            cause = {
                "reason": "FieldValueRequired",
                "message": "Required value: name or generateName is required",
                "field": "metadata.name",
            }
            raise invalid(kind.kind, kind.group, "", [cause])
        if not _NAME.fullmatch(name) and not kind.key.endswith("rbac.authorization.k8s.io"):
            text = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
            text += "characters, '-' or '.', and must start and end with an alphanumeric character"
            cause = {"reason": "FieldValueInvalid", "message": text, "field": "metadata.name"}
            raise invalid(kind.kind, kind.group, name, [cause])

    def _check_namespace(self, kind: Kind, namespace: str) -> None:
        if not kind.namespaced:
            return
        stored = self.store.objects.get(("namespaces", "", namespace))
        if stored is None:
            raise not_found("namespaces", "", namespace)
        if stored.get("status", {}).get("phase") == "Terminating":
            text = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise ApiError(403, text, details={"causes": [{"reason": "NamespaceTerminating", "message": text}]})

    def _check(self, kind: Kind, new: Json, old: Json | None, write: Write) -> list[str]:
        """Prune, default, validate, and evaluate rules. Return warnings. Raises ApiError."""
        if kind.schema is None:
            return []
        unknown = structural.prune(new, kind.schema)
        if unknown and write.strict:
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            raise ApiError(400, f"strict decoding error: {listed}")
        structural.default(new, kind.schema)
        body = {name: inner for name, inner in new.items() if name != "metadata"}
        body["metadata"] = {"name": new["metadata"]["name"]}
        causes = list(structural.validate(body, kind.schema))
        causes = causes or list(structural.check_rules(body, old, kind.schema))
        if causes:
            raise invalid(kind.kind, kind.group, new["metadata"]["name"], causes)
        return [f'unknown field "{path}"' for path in unknown]

    def _admit(self, kind: Kind, operation: str, new: Json | None, old: Json | None) -> None:
        policies = [o for (k, _, _), o in self.store.objects.items() if k == _POLICIES]
        bindings = [o for (k, _, _), o in self.store.objects.items() if k == _BINDINGS]
        admit(policies, bindings, kind, operation, new, old)

    def _delete_definition(self, kind: Kind, old: Json, write: Write) -> Json | None:
        held = copy.deepcopy(old)
        finalizers = held["metadata"].setdefault("finalizers", [])
        if CRD_CLEANUP not in finalizers:
            finalizers.append(CRD_CLEANUP)
            old = self.store.update(kind, held, old, write.now)
        self.store.delete(kind, old, write.now)
        self.settle(write.now)
        return self.store.objects.get((kind.key, "", old["metadata"]["name"]))

    def _finish_definition(self, crd: Json, now: str) -> None:
        key = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
        served = next((k for k in self.store.kinds.values() if k.key == key), None)
        if served is None:
            return
        for stored in list(self.store.list(served, "")):
            self.store.delete(served, stored, now)
        if not list(self.store.list(served, "")):
            definition = self.store.kinds["apiextensions.k8s.io", "v1", "customresourcedefinitions"]
            freed = copy.deepcopy(crd)
            freed["metadata"]["finalizers"] = [f for f in crd["metadata"].get("finalizers", []) if f != CRD_CLEANUP]
            self.store.update(definition, freed, crd, now)

    def _delete_namespace(self, kind: Kind, old: Json, write: Write) -> Json | None:
        dying = copy.deepcopy(old)
        dying["metadata"].setdefault("finalizers", ["kubernetes"])
        dying["status"] = {"phase": "Terminating"}
        stored = self.store.update(kind, dying, old, write.now)
        self.store.delete(kind, stored, write.now)
        self.settle(write.now)
        return self.store.objects.get((kind.key, "", old["metadata"]["name"]))

    def _finish_namespace(self, namespace: Json, now: str) -> None:
        name = namespace["metadata"]["name"]
        by_key = {kind.key: kind for kind in self.store.kinds.values()}
        content = [(k, n) for (k, ns, n) in list(self.store.objects) if ns == name and k in by_key]
        for key, inner in content:
            stored = self.store.objects.get((key, name, inner))
            if stored is not None and "deletionTimestamp" not in stored["metadata"]:
                try:
                    self._admit(by_key[key], "DELETE", None, stored)
                except ApiError:
                    continue
                self.store.delete(by_key[key], stored, now)
        if not any(ns == name for (_, ns, _) in self.store.objects):
            freed = copy.deepcopy(self.store.objects["namespaces", "", name])
            before = copy.deepcopy(freed)
            freed["metadata"].pop("finalizers", None)
            self.store.update(by_key["namespaces"], freed, before, now)


def _complete(kind: Kind, new: Json) -> None:
    """Fill in what the server itself writes into some built-in kinds."""
    if kind.plural == "namespaces":
        new.setdefault("status", {"phase": "Active"})
        new["metadata"].setdefault("labels", {}).setdefault("kubernetes.io/metadata.name", new["metadata"]["name"])
    elif kind.plural == "secrets":
        plain = new.pop("stringData", {})
        coded = {k: base64.b64encode(v.encode()).decode() for k, v in plain.items()}
        new["data"] = {**new.get("data", {}), **coded}
        new.setdefault("type", "Opaque")
    elif kind.plural == "customresourcedefinitions":
        names = new["spec"]["names"]
        names.setdefault("listKind", f"{names['kind']}List")
        names.setdefault("singular", names["kind"].lower())
        new["spec"].setdefault("conversion", {"strategy": "None"})
        new["status"] = {
            "acceptedNames": names,
            "storedVersions": [v["name"] for v in new["spec"]["versions"] if v.get("storage")],
            "conditions": [
                {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
                {"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "established"},
            ],
        }
