"""Self-signed certificates for unit tests."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

HOST = "chat.example.test"


def make_certificate(folder: Path, *options: str) -> tuple[Path, Path]:
    """Make a certificate for HOST, valid for two days unless the options of ``openssl x509`` differ; and its key."""
    cert, key, request, names = (folder / name for name in ("cert.pem", "key.pem", "request.pem", "names"))
    names.write_text(f"subjectAltName=DNS:{HOST}")
    ask = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ask += ["-subj", f"/CN={HOST}", "-keyout", str(key), "-out", str(request)]
    sign = ["openssl", "x509", "-req", "-in", str(request), "-signkey", str(key), "-out", str(cert)]
    for command in (ask, [*sign, "-extfile", str(names), *(options or ("-days", "2"))]):
        subprocess.run(command, check=True, capture_output=True)
    return cert, key


def both_sides(folder: Path, *options: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return TLS settings of a server with a new certificate, and those of a client that trusts it."""
    cert, key = make_certificate(folder, *options)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))
