"""The certificate of the validating webhook: a Secret, made where nobody gave one, and told to the API server."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import JSON_PATCH
from statefuldb.adapters.kubernetes.plain import CORE, PlainObjects
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
AUTHORITY, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
_CONFIGURATIONS = ("/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations")


class WebhookCertificate:
    """The Secret of a namespace, its files in a folder, and the configuration that is told of the authority.

    `make` returns a new authority, certificate and key (PEM) for a DNS name; `write` makes a file its owner's alone.
    """

    def __init__(
        self,
        client: Any,
        *,
        namespace: str,
        secret: str,
        configuration: str,
        name: str,
        folder: Path,
        make: Callable[[str], tuple[str, str, str]],
        write: Callable[[Path, bytes], None],
    ) -> None:
        self._secrets = PlainObjects(client, CORE, "secrets")
        self._configurations = PlainObjects(client, *_CONFIGURATIONS)
        self._namespace, self._secret, self._configuration = namespace, secret, configuration
        self._name, self._make, self._write = name, make, write
        self.certificate, self.key = folder / "webhook.crt", folder / "webhook.key"

    def refresh(self) -> None:
        """Bring files and configuration up to date with the Secret. Raises EffectFailed."""
        held = self._held()
        missing = [name for name in (AUTHORITY, CERTIFICATE, KEY) if not held.get(name)]
        if missing:
            raise EffectFailed(f"Secret {self._secret} in namespace {self._namespace} has no {', '.join(missing)}")
        for path, name in ((self.key, KEY), (self.certificate, CERTIFICATE)):
            text = base64.b64decode(held[name])
            if not path.exists() or path.read_bytes() != text:
                self._write(path, text)
        self._tell(held[AUTHORITY])

    def _held(self) -> dict[str, str]:
        stored = self._read()
        if stored is None:
            parts = zip((AUTHORITY, CERTIFICATE, KEY), self._make(self._name), strict=True)
            body = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": self._secret},
                "type": "kubernetes.io/tls",
                "stringData": dict(parts),
            }
            try:
                stored = call(
                    f"create Secret {self._secret}",
                    lambda: self._secrets.create(self._namespace, body),
                )
            except EffectFailed as failure:
                if not failure.conflict:
                    raise
                stored = self._read()  # the other operator was faster
        return dict(stored.get("data") or {}) if stored is not None else {}

    def _read(self) -> Json | None:
        return find(f"get Secret {self._secret}", lambda: self._secrets.get(self._namespace, self._secret))

    def _tell(self, authority: str) -> None:
        """Write the authority into each webhook of the configuration that has another."""
        what = f"ValidatingWebhookConfiguration {self._configuration}"
        stored = find(f"get {what}", lambda: self._configurations.get("", self._configuration))
        if stored is None:
            raise EffectFailed(f"{what} is not there")
        patch = [
            step
            for index, hook in enumerate(stored.get("webhooks") or ())
            if hook["clientConfig"].get("caBundle") != authority
            for step in (
                {"op": "test", "path": f"/webhooks/{index}/name", "value": hook["name"]},
                {"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": authority},
            )
        ]
        if patch:
            call(
                f"patch {what}",
                lambda: self._configurations.patch("", self._configuration, patch, JSON_PATCH),
            )
