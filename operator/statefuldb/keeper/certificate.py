"""The keeper's key and certificate. The key never touches a file that the agent's files API could show.

Mesos serves a task's sandbox over HTTP, whatever the mode of its files; so the key lives in anonymous memory
(memfd_create(2)) and only the certificate, which the operator pins, is written to the sandbox.
"""

import os
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from statefuldb.model.keeper import WHATEVER_THE_TIME

LIFETIME = timedelta(days=3650)


def server_context(task_id: str, operator_ca_pem: str) -> tuple[ssl.SSLContext, str]:
    """Make a key; return a context that asks for the operator's certificate, and our own certificate (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Common names end at 64 characters (RFC 5280, ub-common-name); the pin is what identifies a keeper.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, task_id[-64:])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The operator comes once and stays: it would keep them for each of thousands, and use none.
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= WHATEVER_THE_TIME
    context.load_verify_locations(cadata=operator_ca_pem)
    _load_from_memory(context, public + private)
    return context, public.decode()


def _load_from_memory(context: ssl.SSLContext, pem: bytes) -> None:
    descriptor = os.memfd_create("keeper", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
