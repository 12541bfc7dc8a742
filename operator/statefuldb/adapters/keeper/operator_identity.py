"""The operator's own certificates: the one by which keepers know it, and that of its webhook."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCertificates:
    """`ca_pem` is public and goes to every keeper; `client_pem` holds certificate and key and is kept in a Secret."""

    ca_pem: str
    client_pem: str


def make_identity() -> OperatorCertificates:
    """Make a new authority and one client certificate. The authority's key is not kept: nothing else is ever signed."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    ca_pem, certificate_pem, key_pem = _signed("statefuldb operator", "statefuldb operator authority", usage)
    return OperatorCertificates(ca_pem=ca_pem, client_pem=certificate_pem + key_pem)


def make_server_certificate(name: str) -> tuple[str, str, str]:
    """Return a new authority, whose key is not kept, and certificate and key of a server of this DNS name; all PEM."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return _signed("statefuldb webhook", "statefuldb webhook authority", usage, names)


def _signed(subject: str, authority: str, *extensions: x509.ExtensionType) -> tuple[str, str, str]:
    """Return a new authority, a certificate signed by it, and the certificate's key; all PEM."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(authority)
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    made = _builder(_name(subject), ca_name, key.public_key()).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    encoding = serialization.Encoding.PEM
    certificate = made.sign(ca_key, hashes.SHA256()).public_bytes(encoding)
    return ca.public_bytes(encoding).decode(), certificate.decode(), private.decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
    )
