"""E04: whose certificate is taken. Real TLS servers, and a CA that the test makes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.net.environment import ConfigurationError

ISSUER = "https://issuer.example"
TODAY = datetime.now(UTC)
DAY = timedelta(days=1)
HERE: x509.GeneralName = x509.IPAddress(ip_address("127.0.0.1"))


class Authority:
    """A CA that certifies whatever it is asked to."""

    def __init__(self, name: str = "Test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = named(name)
        self.certificate = self.certify(self.key, self.name, HERE, ca=True)

    def certify(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: x509.Name,
        host: x509.GeneralName | None,
        *,
        ca: bool = False,
        valid: tuple[datetime, datetime] = (TODAY - DAY, TODAY + DAY),
    ) -> x509.Certificate:
        signs = x509.KeyUsage(
            **dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
                False,
            ),
            digital_signature=True,
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
        )
        if host is not None and not ca:
            made = made.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        return made.sign(self.key, hashes.SHA256())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


class TLSServer:
    """Serves one answer over TLS, with a certificate of the test's choice."""

    def __init__(self, pem: Path, said: bytes) -> None:
        self.asked = 0
        self._said = said
        self._ended = Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/keys"
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._ended.is_set():
                    return
                with suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as wrapped:
            if wrapped.recv(65536):
                self.asked += 1
            wrapped.sendall(self._said)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return str(path)


Served = Callable[..., TLSServer]


@pytest.fixture
def served(endpoint: Any, authority: Authority, tmp_path: Path) -> Iterator[Served]:
    """Serve the good key set with a certificate that is good but for what is said."""
    body = msgspec.json.encode(endpoint.document)
    said = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    servers: list[TLSServer] = []

    def started(
        by: Authority | None = authority,
        host: x509.GeneralName | None = HERE,
        valid: tuple[datetime, datetime] = (TODAY - DAY, TODAY + DAY),
    ) -> TLSServer:
        # Without an authority it certifies itself.
        by = by or Authority("127.0.0.1")
        key = by.key if by.name == named("127.0.0.1") else ec.generate_private_key(ec.SECP256R1())
        certificate = by.certify(key, named("127.0.0.1"), host, valid=valid)
        pem = tmp_path / f"server{len(servers)}.pem"
        pem.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        servers.append(TLSServer(pem, said % (len(body), body)))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


@pytest.fixture
def ask(judge: Any, issuer: Any) -> Callable[..., str]:
    def asked(url: str, **settings: Any) -> str:
        answer: str = judge(
            issuer.token(), held=None, issuers={ISSUER: url}, production=True, **settings
        )
        return answer

    return asked


def test_E04_a_certificate_of_the_named_authority_is_good(
    ask: Any, served: Served, ca_file: str
) -> None:
    server = served()
    assert ask(server.url, ca_file=ca_file) == "verified"
    assert ask(server.url.replace("https", "HTTPS"), ca_file=ca_file) == "verified"
    assert server.asked == 2
    env = {"FF_JWT_ISSUER": ISSUER, "FF_JWKS_URL": server.url, "FF_CA_FILE": ca_file}
    assert AuthSettings.from_env(env).ca_file == ca_file


@pytest.mark.parametrize(
    "fault",
    [
        {"by": None},
        {"by": Authority()},
        {"valid": (TODAY - DAY, TODAY - DAY / 2)},
        {"valid": (TODAY + DAY / 2, TODAY + DAY)},
        {"host": x509.DNSName("idp.example")},
        {"host": x509.IPAddress(ip_address("127.0.0.2"))},
        {"host": x509.DNSName("127.0.0.1")},
        {"host": None},
    ],
    ids=[
        *("self-signed", "other authority of that name", "expired", "not yet valid"),
        *("other name", "other address", "address as a name", "in its subject alone"),
    ],
)
def test_E04_any_other_certificate_is_a_failed_refresh(
    ask: Any, served: Served, ca_file: str, fault: dict[str, Any]
) -> None:
    server = served(**fault)
    assert ask(server.url, ca_file=ca_file) == "jwks_unreachable"
    assert server.asked == 0


def test_E04_without_a_named_authority_the_public_ones_count(
    ask: Any, served: Served, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served()
    assert ask(server.url) == "jwks_unreachable"
    # Nor does the environment widen what is trusted.
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, ca_file)
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    assert ask(server.url) == "jwks_unreachable"
    assert server.asked == 0


def test_E04_no_setting_leaves_certificates_unchecked(ask: Any, tmp_path: Path) -> None:
    about_tls = [name for name in AuthSettings.__struct_fields__ if name not in SETTINGS]
    assert about_tls == ["ca_file"]
    for content in ("", "false", None):
        file = tmp_path / "roots.pem"
        if content is None:
            file.unlink()
        else:
            file.write_text(content, encoding="ascii")
        with pytest.raises(ConfigurationError, match="FF_CA_FILE"):
            ask("https://127.0.0.1:9/keys", ca_file=str(file))


SETTINGS = {
    *("issuers", "audience", "allow_dev_headers", "production", "algorithms", "leeway"),
    *("only_access_tokens", "max_lifetime", "overlap", "max_token_bytes"),
}
