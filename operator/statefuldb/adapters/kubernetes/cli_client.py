"""What the command line asks of an API server; errors come out as sentences."""

import json
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import kubernetes
import urllib3.exceptions

from statefuldb.adapters.kubernetes.calls import cause, says_absent
from statefuldb.adapters.kubernetes.connection import api_client
from statefuldb.adapters.kubernetes.secrets import texts_of

Json = dict[str, Any]
FIELD_MANAGER = "statefuldb"
_PATHS = {
    "StatefulDatabase": ("/apis/statefuldb.dev/v1alpha1", "statefuldatabases", True),
    "DatabaseVolume": ("/apis/statefuldb.dev/v1alpha1", "databasevolumes", True),
    "StorageProfile": ("/apis/statefuldb.dev/v1alpha1", "storageprofiles", False),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "ValidatingAdmissionPolicy": ("/apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicies", False),
    "ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        False,
    ),
    "ValidatingWebhookConfiguration": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        False,
    ),
    "Namespace": ("/api/v1", "namespaces", False),
    "Service": ("/api/v1", "services", True),
    "Secret": ("/api/v1", "secrets", True),
    "Event": ("/api/v1", "events", True),
    "ConfigMap": ("/api/v1", "configmaps", True),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases", True),
    "SelfSubjectAccessReview": ("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", False),
    "SubjectAccessReview": ("/apis/authorization.k8s.io/v1", "subjectaccessreviews", False),
}


class CallRefused(Exception):
    """The API server said no, or did not answer. `status` is the HTTP status, 0 for no answer.

    `absent` says that what was asked for is not there; 404 is also the answer where its kind is not served.
    """

    def __init__(self, message: str, status: int, *, absent: bool = False) -> None:
        super().__init__(message)
        self.status, self.absent = status, absent


class CliClient:
    """Plain objects in and out; without a kubeconfig as the ServiceAccount of this pod."""

    def __init__(self, kubeconfig: Path | None) -> None:
        self._client = api_client(kubeconfig)

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object, or None. Raises CallRefused."""
        try:
            return self._call("GET", self._path_of(kind, namespace, name))
        except CallRefused as refused:
            if refused.absent:
                return None
            raise

    def list(self, kind: str, namespace: str = "", query: str = "") -> list[Json]:
        """Return the objects of a kind, of all namespaces where none is given. Raises CallRefused."""
        path = self._path(kind, namespace) + (f"?{query}" if query else "")
        return list(self._call("GET", path)["items"])

    def apply(self, body: Json, namespace: str) -> str:
        """Apply an object by server-side apply; return created, configured or unchanged. Raises CallRefused."""
        kind, place, name = _identity(body, namespace)
        before = self.get(kind, place, name)
        after = self._apply(body, namespace)
        if before is None:
            return "created"
        same = before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
        return "unchanged" if same else "configured"

    def dry_run(self, body: Json, namespace: str) -> Json:
        """Return what an object would be after it was applied; nothing is stored. Raises CallRefused."""
        return self._apply(body, namespace, "&dryRun=All")

    def apply_as(self, body: Json, manager: str) -> Json:
        """Apply an object that names its namespace for a field manager of its own; return it as stored.

        A field that the API does not know is refused. Raises CallRefused.
        """
        return self._apply(body, "", "&fieldValidation=Strict", manager)

    def create(self, body: Json) -> Json:
        """Add an object to its namespace. Raises CallRefused, also where there is one of that name."""
        path = self._path(body["kind"], body.get("metadata", {}).get("namespace", ""))
        return self._call("POST", path, body)

    def replace(self, body: Json) -> Json:
        """Replace an object of a known version. Raises CallRefused."""
        metadata = body["metadata"]
        return self._call("PUT", self._path_of(body["kind"], metadata.get("namespace", ""), metadata["name"]), body)

    def merge(self, kind: str, namespace: str, name: str, patch: Json) -> Json:
        """Apply a merge patch. Raises CallRefused."""
        return self._call("PATCH", self._path_of(kind, namespace, name), patch, "application/merge-patch+json")

    def delete(self, kind: str, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object, where a `uid` is given only if it has that one. Raises CallRefused."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}} if uid else None
        self._call("DELETE", self._path_of(kind, namespace, name), options)

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """Return the texts that a Secret holds, decoded, or None."""
        stored = self.get("Secret", namespace, name)
        return None if stored is None else texts_of(stored)

    def version(self) -> str:
        """Return the server's version. Raises CallRefused."""
        return str(self._call("GET", "/version")["gitVersion"])

    def may(self, attributes: Json, user: str = "") -> bool:
        """Whether `user`, or whoever calls, is allowed what resource attributes describe. Raises CallRefused."""
        kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
        spec = {"resourceAttributes": attributes, **({"user": user} if user else {})}
        asked = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        return bool(self.create(asked)["status"]["allowed"])

    def seconds_ahead(self) -> float | None:
        """Return how far the server's clock is ahead of the one here, as its Date header tells; None without one."""
        said = self._send("GET", "/version").headers.get("Date")
        # The header is cut to whole seconds.
        return parsedate_to_datetime(said).timestamp() + 0.5 - time.time() if said else None

    def _apply(self, body: Json, namespace: str, more: str = "", manager: str = FIELD_MANAGER) -> Json:
        path = self._path_of(*_identity(body, namespace))
        query = f"?fieldManager={manager}&force=true{more}"
        return self._call("PATCH", path + query, body, "application/apply-patch+yaml")

    def _path(self, kind: str, namespace: str) -> str:
        """Return where the objects of a kind are. Raises CallRefused."""
        base, plural, namespaced = _PATHS[kind]
        scope = f"/namespaces/{_segment('namespace', namespace)}" if namespaced and namespace else ""
        return f"{base}{scope}/{plural}"

    def _path_of(self, kind: str, namespace: str, name: str) -> str:
        """Return where one object is. Raises CallRefused."""
        return f"{self._path(kind, namespace)}/{_segment('object', name)}"

    def _call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Json:
        answer = self._send(method, path, body, content_type)
        text = answer.read() or b"{}"
        if answer.status >= HTTPStatus.BAD_REQUEST:
            absent = answer.status == HTTPStatus.NOT_FOUND and says_absent(text)
            raise CallRefused(_message(text, answer.status), answer.status, absent=absent)
        return dict(json.loads(text))

    def _send(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        host = self._client.configuration.host
        try:
            answer = self._client.call_api(
                method,
                host + path,
                header_params={
                    "Accept": "application/json",
                    "Content-Type": content_type,
                    "Authorization": self._client.configuration.get_api_key_with_prefix("BearerToken") or "",
                },
                body=body,
                _request_timeout=10,
            )
            answer.read()
        except (urllib3.exceptions.HTTPError, kubernetes.client.exceptions.ApiException, OSError) as error:
            raise CallRefused(f"the API server at {host} does not answer: {cause(error)}", 0) from error
        return answer


def _identity(body: Json, namespace: str) -> tuple[str, str, str]:
    """Return kind, namespace and name of an object. Raises CallRefused for one that is none of ours."""
    kind, metadata = body.get("kind", ""), body.get("metadata", {})
    name = metadata.get("name", "")
    if kind not in _PATHS or not name:
        raise CallRefused(f"kind {kind!r} with name {name!r} cannot be applied here", HTTPStatus.BAD_REQUEST)
    return kind, metadata.get("namespace") or namespace, name


def _segment(what: str, name: str) -> str:
    """Return a name as a part of a path. Raises CallRefused, as for what is not there, where no object has such a name.

    No name at all would be the path of all objects, and one with slashes or of dots that of another one.
    """
    if name in ("", ".", "..") or "/" in name or "%" in name:
        raise CallRefused(f"there is no {what} of the name {name!r}", HTTPStatus.NOT_FOUND, absent=True)
    return quote(name, safe=":")


def _message(text: bytes, status: int) -> str:
    try:
        return str(json.loads(text)["message"])
    except (TypeError, ValueError, KeyError):
        return "404: what is asked for is not served" if status == HTTPStatus.NOT_FOUND else f"HTTP status {status}"
