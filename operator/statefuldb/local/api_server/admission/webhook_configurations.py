"""ValidatingWebhookConfiguration: what the server fills in, and what it refuses."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from statefuldb.local.api_server.admission.webhooks import DEFAULT_TIMEOUT_SECONDS, REVIEW_VERSIONS
from statefuldb.local.api_server.errors import required, unsupported, wrong
from statefuldb.local.api_server.schemas.cel import CelFailed, check_syntax

Json = dict[str, Any]
_POLICIES, _SIDE_EFFECTS, _MATCHES = ["Fail", "Ignore"], ["None", "NoneOnDryRun"], ["Equivalent", "Exact"]
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?){2,}")
_LONGEST_SECONDS = 30
_DEFAULTS: Json = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": DEFAULT_TIMEOUT_SECONDS}


def complete_webhooks(new: Json) -> None:
    """Fill in what a client may leave out, in place."""
    for hook in new.get("webhooks") or ():
        for name, value in _DEFAULTS.items():
            hook.setdefault(name, value)
        for name in ("namespaceSelector", "objectSelector"):
            hook.setdefault(name, {})
        for rule in hook.get("rules") or ():
            rule.setdefault("scope", "*")
        service = (hook.get("clientConfig") or {}).get("service")
        if service:
            service.setdefault("port", 443)


def check_webhooks(new: Json) -> Iterator[Json]:
    """Yield a cause for each rule that is broken."""
    for index, hook in enumerate(new.get("webhooks") or ()):
        yield from _check(hook, f"webhooks[{index}]")


def _check(hook: Json, path: str) -> Iterator[Json]:
    name = hook.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    elif not _NAME.fullmatch(name):
        text = "should be a domain with at least three segments separated by dots"
        yield wrong(f"{path}.name", f'"{name}"', text)
    versions = hook.get("admissionReviewVersions") or []
    if not versions:
        yield required(f"{path}.admissionReviewVersions", f"must specify one of {', '.join(REVIEW_VERSIONS)}")
    elif not set(versions) & set(REVIEW_VERSIONS):
        shown = "[" + ",".join(f'"{version}"' for version in versions) + "]"
        text = f"must include at least one of {', '.join(REVIEW_VERSIONS)}"
        yield wrong(f"{path}.admissionReviewVersions", shown, text)
    if not hook.get("sideEffects"):
        yield required(f"{path}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    for field, allowed in (("sideEffects", _SIDE_EFFECTS), ("failurePolicy", _POLICIES), ("matchPolicy", _MATCHES)):
        if hook.get(field) and hook[field] not in allowed:
            yield unsupported(f"{path}.{field}", hook[field], allowed)
    seconds = hook.get("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS)
    if not 0 < seconds <= _LONGEST_SECONDS:
        yield wrong(f"{path}.timeoutSeconds", str(seconds), "the timeout value must be between 1 and 30 seconds")
    yield from _check_client(hook.get("clientConfig") or {}, f"{path}.clientConfig")
    for number, condition in enumerate(hook.get("matchConditions") or ()):
        expression = condition.get("expression") or ""
        try:
            check_syntax(expression)
        except CelFailed as error:
            where = f"{path}.matchConditions[{number}].expression"
            yield wrong(where, f'"{expression}"', f"compilation failed: ERROR: {error}")


def _check_client(client: Json, path: str) -> Iterator[Json]:
    if bool(client.get("url")) == bool(client.get("service")):
        yield required(path, "exactly one of url or service is required")
    elif client.get("url"):
        if urlsplit(client["url"]).scheme != "https":
            text = f"'{urlsplit(client['url']).scheme}' is the URL scheme; webhook URLs must use https"
            yield wrong(f"{path}.url", f'"{client["url"]}"', text)
    else:
        for field in ("namespace", "name"):
            if not client["service"].get(field):
                yield required(f"{path}.service.{field}")
