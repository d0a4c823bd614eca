"""HTTPS, of the server itself or of a proxy before it."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from serving import PART, Served, Versions, served

from andon.errors import InputError
from andon.server.tls import Tls, tls_of
from andon.store import Store

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "station")])
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.7.9"}


def certificate(key: EllipticCurvePrivateKey) -> bytes:
    """Self-signed, for 127.0.0.1, as a file in PEM."""
    now = datetime.now(UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return builder.add_extension(place, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM)


def private(key: EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    """The key as a file in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    key = generate_private_key(SECP256R1())
    cert, secret = tmp_path / "station.pem", tmp_path / "station.key"
    cert.write_bytes(certificate(key))
    secret.write_bytes(private(key))
    return cert, secret


def token_of(data: Path) -> str:
    with Store.open(None, data) as store:
        return store.tokens.create("boss", ["admin"])


def login(running: Served, secret: str, **headers: str) -> httpx.Response:
    return running.client.post("/login", data={"token": secret}, headers=headers)


def test_it_serves_by_https_and_its_cookie_goes_no_other_way(
    tmp_path: Path, versions: Versions, files: tuple[Path, Path]
) -> None:
    secret = token_of(tmp_path)
    with served(tmp_path, [PART], tls=Tls(*files)) as running:
        assert running.url.startswith("https://127.0.0.1:")
        answer = login(running, secret)
        assert "; Secure" in answer.headers["set-cookie"]
        assert running.client.get("/").status_code == 200  # by the session
        running.client.headers["Authorization"] = f"Bearer {secret}"
        assert running.inspect().json()["verdict"] == "OK"
        with pytest.raises(httpx.HTTPError):
            httpx.get(running.url.replace("https", "http"), timeout=5)


def test_only_a_proxy_that_is_trusted_is_believed(tmp_path: Path, versions: Versions) -> None:
    secret = token_of(tmp_path)
    for proxies, is_believed in (((), False), (["10.0.0.1"], False), (["127.0.0.0/8"], True)):
        with served(tmp_path, [PART], proxies=proxies) as running:
            answer = login(running, secret, **FORWARDED)
            assert answer.status_code == 303
            assert ("; Secure" in answer.headers["set-cookie"]) == is_believed, proxies
            for number in range(20):  # of ten logins at once from an address, no more are tried
                limited = login(running, "wrong", **FORWARDED | {"X-Forwarded-For": f"10.0.7.{number}"})
            assert limited.status_code == (401 if is_believed else 429), proxies


def test_the_environment_makes_nobody_trusted(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's library would go by it."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    secret = token_of(tmp_path)
    with served(tmp_path, [PART]) as running:
        assert "Secure" not in login(running, secret, **FORWARDED).headers["set-cookie"]


def test_what_is_no_pair_of_files_is_refused_in_a_sentence(tmp_path: Path, files: tuple[Path, Path]) -> None:
    cert, key = files
    other = tmp_path / "other.key"
    other.write_bytes(private(generate_private_key(SECP256R1())))
    locked = tmp_path / "locked.key"
    locked.write_bytes(private(generate_private_key(SECP256R1()), BestAvailableEncryption(b"secret")))
    for pair, sentence in (
        ((cert, None), "give both --tls-cert and --tls-key"),
        ((None, key), "give both --tls-cert and --tls-key"),
        ((cert, tmp_path / "none"), "none cannot be read"),
        ((cert, other), "no certificate with its private key"),
        ((key, cert), "no certificate with its private key"),
        ((cert, locked), "has a password"),
    ):
        with pytest.raises(InputError, match=sentence):
            tls_of(*pair)


def test_a_proxy_is_an_address(tmp_path: Path, versions: Versions) -> None:
    with (
        pytest.raises(InputError, match=r"--trust-proxy proxy\.plant is neither"),
        served(tmp_path, [PART], proxies=["proxy.plant"]),
    ):
        pass
