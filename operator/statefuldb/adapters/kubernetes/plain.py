"""Objects as plain dictionaries, sent and read through the official client.

The client's own API of the core group loads the models of all that it knows, more than 20 MiB, and reads every answer
into them; of Secrets, ConfigMaps, Namespaces, Events and Leases we look at a few fields. Its API of custom objects
checks the types of all arguments at each call, and both search each body for models and times; ours hold none.
"""

from typing import Any

import kubernetes

Json = dict[str, Any]
Query = dict[str, str | int]
CORE = "/api/v1"
NAMESPACES = "namespaces"
# The client sets no limit of its own: behind a connection of which the other end is gone a worker would wait for ever.
# An admission webhook takes 10 s, unless its owner wants it otherwise.
REQUEST_SECONDS = 30.0


class PlainObjects:
    """The objects of one kind: `plural` below `base`, the path of its group and version.

    Without a namespace they are the cluster's. Whatever fails is raised as the client raises it (`calls.call`), and so
    is what is not answered within `timeout_seconds`, `REQUEST_SECONDS` where none are named.
    """

    def __init__(self, client: Any, base: str, plural: str) -> None:
        self._client = client
        self._base = base
        self._plural = plural

    def get(self, namespace: str, name: str, *, timeout_seconds: float | None = None) -> Json:
        """Return an object."""
        return self._request("GET", namespace, name, timeout_seconds=timeout_seconds)

    def list(self, namespace: str, query: Query, *, timeout_seconds: float | None = None) -> Json:
        """Return a page of a list; without a namespace, of all namespaces."""
        return self._request("GET", namespace, "", query=query, timeout_seconds=timeout_seconds)

    def create(self, namespace: str, body: Json, *, timeout_seconds: float | None = None) -> Json:
        """Add an object; return it as stored."""
        return self._request("POST", namespace, "", body, timeout_seconds=timeout_seconds)

    def replace(self, namespace: str, body: Json, *, subresource: str = "") -> Json:
        """Replace an object of a known version, or a subresource of it; return it as stored."""
        return self._request("PUT", namespace, body["metadata"]["name"], body, subresource=subresource)

    def patch(
        self, namespace: str, name: str, patch: Any, content_type: str, *, timeout_seconds: float | None = None
    ) -> Json:
        """Patch an object; return it as stored."""
        return self._request("PATCH", namespace, name, patch, content_type, timeout_seconds=timeout_seconds)

    def delete(self, namespace: str, name: str, *, version: str = "") -> None:
        """Delete an object, with `version` only where that is the stored one."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": version}}
        self._request("DELETE", namespace, name, options if version else None)

    def _request(
        self,
        method: str,
        namespace: str,
        name: str,
        body: Any = None,
        content_type: str = "application/json",
        *,
        subresource: str = "",
        query: Query | None = None,
        timeout_seconds: float | None = None,
    ) -> Json:
        scope = "/namespaces/{namespace}" if namespace else ""
        one = ("/{name}" if name else "") + (f"/{subresource}" if subresource else "")
        _, url, headers, _, _ = self._client.param_serialize(
            method,
            f"{self._base}{scope}/{self._plural}{one}",
            path_params={"namespace": namespace, "name": name},
            query_params=query,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        seconds = timeout_seconds or REQUEST_SECONDS
        answer = self._client.call_api(method, url, headers, body, _request_timeout=seconds)
        answer.read()
        try:
            found = self._client.response_deserialize(answer, {"2XX": "object"}).data
        except (LookupError, ValueError):
            found = None
        if not isinstance(found, dict):
            # A load balancer answers in its stead: a page that asks for patience, or nothing.
            raise kubernetes.client.exceptions.ApiException(status=0, reason="the answer is not of an API server")
        return dict(found)
