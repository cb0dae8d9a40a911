"""Upstreams in the office may have certificates of an authority of its own: every client believes SSL_CERT_FILE."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from functions.advoware_proxy.stream import Pool
from shared.errors import UpstreamUnavailableError
from shared.http import HttpClient


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kanzlei")])
    today = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.joinpath("key.pem").write_bytes(private)
    folder.joinpath("cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    cert = certificate(tmp_path_factory.mktemp("authority"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, cert.with_name("key.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", cert
    server.shutdown()
    server.server_close()


def by_client(url: str) -> int:
    return HttpClient("espocrm", 5.0, sleep=lambda _: None).send("GET", url).status_code


def through_proxy(url: str) -> int:
    connection = Pool(f"{url}/", 5.0).take(0.0)
    connection.request("GET", "/")
    return connection.getresponse().status


@pytest.mark.parametrize("ask", [by_client, through_proxy])
def test_the_firms_own_authority_is_believed_where_it_is_named(upstream, ask, monkeypatch):
    url, cert = upstream
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert ask(url) == 200


@pytest.mark.parametrize("ask", [by_client, through_proxy])
def test_an_unknown_authority_is_never_believed(upstream, ask, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises((UpstreamUnavailableError, ssl.SSLCertVerificationError)):
        ask(upstream[0])
