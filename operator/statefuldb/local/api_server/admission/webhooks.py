"""Validating webhooks: which of them are asked about a write, and with what. Pure; serving/webhook_calls.py asks.

Kubernetes docs, "Dynamic Admission Control". A write is made in two steps: the first ends with NeedsReview, and once
all have agreed the second stores it, if it is still the same write onto the same stored object.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server.admission.resource_rules import covers
from statefuldb.local.api_server.errors import forbidden
from statefuldb.local.api_server.objects.scale import scale_of
from statefuldb.local.api_server.objects.selectors import label_selector_matches
from statefuldb.local.api_server.objects.stored import StoredObjects
from statefuldb.local.api_server.rights.rbac import User
from statefuldb.local.api_server.schemas.cel import CelFailed, evaluate
from statefuldb.local.api_server.schemas.kinds import ADMISSION, Kind

Json = dict[str, Any]
CONFIGURATIONS = f"validatingwebhookconfigurations.{ADMISSION}"
DEFAULT_TIMEOUT_SECONDS = 10
REVIEW_VERSIONS = ("v1",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One webhook that is to be asked: its `clientConfig`, and the AdmissionReview, which has no uid yet."""

    name: str
    client: Json
    timeout_seconds: int
    ignores_failure: bool
    review: Json


class NeedsReview(Exception):
    """A write that webhooks are to be asked about first. `about` tells it from any other, and from a later one."""

    def __init__(self, calls: tuple[Call, ...], about: str) -> None:
        super().__init__(about)
        self.calls = calls
        self.about = about


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A write, as rules see it. `new` is None for DELETE, `old` for CREATE."""

    kind: Kind
    operation: str
    new: Json | None
    old: Json | None
    subresource: str
    user: User
    dry_run: bool
    manager: str
    of_many: bool = False

    @property
    def about(self) -> str:
        """A digest of what is written onto what."""
        version = self.old["metadata"]["resourceVersion"] if self.old is not None else ""
        text = json.dumps([self.kind.key, self.operation, self.subresource, version, self.new], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def metadata(self) -> Json:
        """What the object is called, and its labels."""
        return dict((self.new or self.old or {}).get("metadata") or {})

    def shown(self, held: Json | None) -> Json | None:
        """Return an object as a webhook sees it."""
        return scale_of(self.kind, held) if held is not None and self.subresource == "scale" else held

    @property
    def request(self) -> Json:
        """The request of an AdmissionReview, without a uid and without the objects."""
        kind = {"group": self.kind.group, "version": self.kind.version, "kind": self.kind.kind}
        if self.subresource == "scale":
            kind = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        resource = {"group": self.kind.group, "version": self.kind.version, "resource": self.kind.plural}
        sub = {"subResource": self.subresource, "requestSubResource": self.subresource} if self.subresource else {}
        user: Json = {"username": self.user.name, "groups": list(self.user.groups)}
        options: Json = {"kind": f"{self.operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1"}
        if self.operation != "DELETE":
            options["fieldManager"] = self.manager
        return {
            **{"kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, **sub},
            **({"name": self.metadata["name"]} if "name" in self.metadata and not self.of_many else {}),
            "namespace": self.metadata.get("namespace", ""),
            "operation": self.operation,
            "userInfo": {**user, **({"uid": self.user.uid} if self.user.uid else {})},
            "dryRun": self.dry_run,
            "options": {**options, **({"dryRun": ["All"]} if self.dry_run else {})},
        }


def calls_about(asked: Asked, objects: StoredObjects) -> tuple[Call, ...]:
    """Return the webhooks that are to be asked, by the names of their configurations. Raises ApiError."""
    if asked.kind.group == ADMISSION:
        return ()  # or nobody could get rid of one that refuses everything
    return tuple(_calls(asked, objects))


def _calls(asked: Asked, objects: StoredObjects) -> Iterator[Call]:
    held = sorted(objects.of_kind(CONFIGURATIONS).items())
    for hook in (hook for _, configuration in held for hook in configuration.get("webhooks") or ()):
        ignores = hook.get("failurePolicy") == "Ignore"
        if not _concerns(hook, asked, objects) or not _conditions_hold(hook, asked, ignores=ignores):
            continue
        request = {**asked.request, "object": asked.shown(asked.new), "oldObject": asked.shown(asked.old)}
        version = next(v for v in hook["admissionReviewVersions"] if v in REVIEW_VERSIONS)
        yield Call(
            name=hook["name"],
            client=hook["clientConfig"],
            timeout_seconds=hook.get("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS),
            ignores_failure=ignores,
            review={"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request},
        )


def _concerns(hook: Json, asked: Asked, objects: StoredObjects) -> bool:
    return (
        any(covers(rule, asked.kind, asked.operation, asked.subresource) for rule in hook.get("rules") or ())
        and _of_its_namespaces(hook.get("namespaceSelector") or {}, asked, objects)
        and _of_its_objects(hook.get("objectSelector") or {}, asked)
    )


def _of_its_namespaces(selector: Json, asked: Asked, objects: StoredObjects) -> bool:
    """Say whether the labels of an object's namespace match, or of a namespace that is written its own."""
    if asked.kind.key == "namespaces":
        return label_selector_matches(selector, asked.metadata.get("labels") or {})
    if not asked.kind.namespaced:
        return True
    stored = objects.get(("namespaces", "", asked.metadata.get("namespace", "")), {"metadata": {}})
    return label_selector_matches(selector, stored["metadata"].get("labels") or {})


def _of_its_objects(selector: Json, asked: Asked) -> bool:
    """Say whether the labels match, before or after: nobody slips away by taking a label off."""
    held = [each for each in (asked.new, asked.old) if each is not None]
    return any(label_selector_matches(selector, each["metadata"].get("labels") or {}) for each in held)


def _conditions_hold(hook: Json, asked: Asked, *, ignores: bool) -> bool:
    """Say whether all conditions are true. One that is false goes before one that fails. Raises ApiError."""
    variables = {"object": asked.shown(asked.new), "oldObject": asked.shown(asked.old), "request": asked.request}
    failed = ""
    for condition in hook.get("matchConditions") or ():
        try:
            if evaluate(condition["expression"], variables) is not True:
                return False
        except CelFailed as error:
            failed = failed or f"{error}"
    if failed and not ignores:
        raise forbidden(asked.kind.plural, asked.kind.group, asked.metadata.get("name", ""), failed)
    return not failed
