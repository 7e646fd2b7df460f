"""The cluster's certificate authority and what it signs.

Elliptic keys, since they are made in milliseconds. Must not know who uses which certificate for what.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import commands
from tests.cluster.local.layout import Layout

_DAYS = "3650"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One file pair `<name>.crt`, `<name>.key`; `subject` in openssl's form, `names` as subjectAltName."""

    name: str
    subject: str
    names: str = ""


def issue(layout: Layout, nodes: int) -> None:
    """Write the authority, the service accounts' key and every certificate into the pki folder."""
    layout.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    _authority(layout.pki)
    with ThreadPoolExecutor(4) as pool:
        keys = pool.submit(_service_account_key, layout.pki)
        for done in pool.map(lambda certificate: _sign(layout.pki, certificate), _wanted(layout, nodes)):
            assert done is None
        keys.result()


def _wanted(layout: Layout, nodes: int) -> list[Certificate]:
    service = ",".join(f"DNS:kubernetes{tail}" for tail in ("", ".default", ".default.svc"))
    server = f"{service},DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:{layout.node(1).address}"
    return [
        Certificate("apiserver", "/CN=kube-apiserver", server),
        Certificate("admin", "/O=system:masters/CN=admin"),
        Certificate("controller-manager", "/CN=system:kube-controller-manager"),
        Certificate("scheduler", "/CN=system:kube-scheduler"),
        Certificate("proxy", "/CN=system:kube-proxy"),
        *(_kubelet(layout, number) for number in range(1, nodes + 1)),
    ]


def _kubelet(layout: Layout, number: int) -> Certificate:
    node = layout.node(number)
    subject = f"/O=system:nodes/CN=system:node:{node.name}"
    return Certificate(node.name, subject, f"DNS:{node.name},IP:{node.address}")


def _authority(pki: Path) -> None:
    files: list[str | Path] = ["-keyout", pki / "ca.key", "-out", pki / "ca.crt"]
    commands.run(["openssl", "req", "-x509", *_KEY, "-days", _DAYS, "-subj", "/CN=slipway-ca", *files])


def _service_account_key(pki: Path) -> None:
    private, public = pki / "service-accounts.key", pki / "service-accounts.pub"
    commands.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private])
    commands.run(["openssl", "ec", "-in", private, "-pubout", "-out", public])


def _sign(pki: Path, wanted: Certificate) -> None:
    request, extensions = pki / f"{wanted.name}.csr", pki / f"{wanted.name}.ext"
    alternative = f"\nsubjectAltName={wanted.names}" if wanted.names else ""
    extensions.write_text(f"extendedKeyUsage=clientAuth,serverAuth{alternative}\n")
    key: list[str | Path] = ["-keyout", pki / f"{wanted.name}.key"]
    commands.run(["openssl", "req", *_KEY, "-subj", wanted.subject, *key, "-out", request])
    authority: list[str | Path] = [
        "-CA",
        pki / "ca.crt",
        "-CAkey",
        pki / "ca.key",
        "-days",
        _DAYS,
        "-extfile",
        extensions,
    ]
    commands.run(
        [
            "openssl",
            "x509",
            "-req",
            "-in",
            request,
            *authority,
            "-extfile",
            extensions,
            "-out",
            pki / f"{wanted.name}.crt",
        ]
    )
    request.unlink()
    extensions.unlink()
