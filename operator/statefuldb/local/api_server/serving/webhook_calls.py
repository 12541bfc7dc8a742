"""Asking validating webhooks about a write: over HTTPS, all at once, each within its own time."""

import asyncio
import base64
import json
import ssl
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from statefuldb.local.api_server.admission.webhooks import Call
from statefuldb.local.api_server.errors import ApiError

Json = dict[str, Any]
Service = Callable[[str, str], Json | None]
_BAD_REQUEST, _OK = 400, 200


class _Failed(Exception):
    """A webhook could not be asked, or its answer is none."""


class WebhookCalls:
    """Asks webhooks. `service` returns the Service of a namespace and a name, as it is stored."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, calls: Sequence[Call]) -> list[str]:
        """Return the warnings of webhooks that all agree. Raises ApiError as the first that does not has it."""
        warnings: list[str] = []
        outcomes = await asyncio.gather(*(self._asked(call, warnings) for call in calls))
        for refusal in outcomes:
            if refusal is not None:
                refusal.warnings = warnings
                raise refusal
        return warnings

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, call: Call, warnings: list[str]) -> ApiError | None:
        try:
            async with asyncio.timeout(call.timeout_seconds):
                answer = await self._exchange(call)
        except TimeoutError:
            problem = "failed to call webhook: context deadline exceeded"
        except _Failed as failed:
            problem = str(failed)
        else:
            warnings += answer.get("warnings") or []
            return None if answer.get("allowed") is True else _denial(call.name, answer.get("status") or {})
        if call.ignores_failure:
            return None
        text = f'failed calling webhook "{call.name}": {problem}'
        about = {"causes": [{"message": text}]}
        return ApiError(500, f"Internal error occurred: {text}", reason="InternalError", details=about)

    async def _exchange(self, call: Call) -> Json:
        """Return the response of an AdmissionReview. Raises _Failed."""
        unique = str(uuid.uuid4())
        review = {**call.review, "request": {"uid": unique, **call.review["request"]}}
        url, server_name = self._place(call)
        authority = base64.b64decode(call.client.get("caBundle") or "").decode()
        try:
            context = ssl.create_default_context(cadata=authority or None)
        except ssl.SSLError as error:
            raise _Failed(f"unable to load root certificates: {error}") from error
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
            )
        url = f"{url}?timeout={call.timeout_seconds}s"
        try:
            async with self._session.post(
                url, json=review, ssl=context, server_hostname=server_name, allow_redirects=False
            ) as answered:
                status, text = answered.status, await answered.text()
        except (aiohttp.ClientError, OSError, UnicodeDecodeError) as error:
            raise _Failed(f'failed to call webhook: Post "{url}": {_cause(error)}') from error
        if status != _OK:
            raise _Failed(f"failed to call webhook: an error on the server ({text[:200]!r}), status {status}")
        return _verified(text, unique, call.review["apiVersion"])

    def _place(self, call: Call) -> tuple[str, str | None]:
        """Return the URL of a webhook, and the name of its certificate where that is another. Raises _Failed.

        There is no network of Services here: one of type ExternalName says where it is, as it does on a real cluster.
        """
        if call.client.get("url"):
            return call.client["url"], None
        about = call.client["service"]
        namespace, name, port = about["namespace"], about["name"], about.get("port", 443)
        stored = self._service(namespace, name)
        if stored is None:
            raise _Failed(f'failed to call webhook: service "{name}" not found')
        spec = stored.get("spec") or {}
        host = spec.get("externalName") if spec.get("type") == "ExternalName" else spec.get("clusterIP")
        if not host or host == "None":
            raise _Failed(f'failed to call webhook: no address of service "{name}"')
        path = "/" + str(about.get("path") or "").lstrip("/")
        return f"https://{host}:{port}{path}", f"{name}.{namespace}.svc"


def _verified(text: str, unique: str, version: str) -> Json:
    try:
        review = json.loads(text)
        answer = review.get("response")
    except (ValueError, AttributeError) as error:
        raise _Failed(f"failed to call webhook: couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(answer, dict):
        raise _Failed("webhook response was absent")
    if answer.get("uid") != unique:
        raise _Failed(f'expected response.uid="{unique}", got "{answer.get("uid") or ""}"')
    if (review.get("apiVersion"), review.get("kind")) != (version, "AdmissionReview"):
        got = f"{review.get('apiVersion')}, Kind={review.get('kind')}"
        raise _Failed(f"expected webhook response of {version}, Kind=AdmissionReview, got {got}")
    return answer


def _denial(name: str, status: Json) -> ApiError:
    """Return what a client is told of a webhook's no."""
    said = status.get("message") or status.get("reason") or ""
    by = f'admission webhook "{name}" denied the request'
    code = max(int(status.get("code") or 0), _BAD_REQUEST)
    text = f"{by}: {said}" if said else f"{by} without explanation"
    return ApiError(code, text, reason=str(status.get("reason") or ""), details=status.get("details"))


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return f"tls: failed to verify certificate: {error}"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return f"dial tcp {error.host}:{error.port}: connect: connection refused"
    return str(error) or type(error).__name__
