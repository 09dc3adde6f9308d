"""The trusted certificate authorities, and a CA file that changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.certificates import make_certificate

from chainlit_operator.verification.edge_tls import CAFileError, EdgeTLS


def count(edge_tls: EdgeTLS) -> int:
    """The number of certificates read."""
    return edge_tls.context().cert_store_stats()["x509"]


def test_certificates_are_verified_with_the_authorities_of_the_system() -> None:
    context = EdgeTLS().context()
    assert context.check_hostname and context.verify_mode.name == "CERT_REQUIRED"


def test_authorities_of_a_file_are_added(tmp_path: Path) -> None:
    cert, _ = make_certificate(tmp_path)
    edge_tls = EdgeTLS(cert)
    assert count(edge_tls) == count(EdgeTLS()) + 1
    assert edge_tls.context() is edge_tls.context()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """The files of a ConfigMap change because a symbolic link gets another target."""
    link = tmp_path / "ca.crt"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, _ = make_certificate(tmp_path / "one")
    second, _ = make_certificate(tmp_path / "two")
    link.symlink_to(first)
    edge_tls = EdgeTLS(link)
    before = edge_tls.context()
    second.write_text(first.read_text() + second.read_text())
    link.unlink()
    link.symlink_to(second)
    assert edge_tls.context() is not before
    assert count(edge_tls) == count(EdgeTLS()) + 2


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_file_without_certificates(text: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(text)
    with pytest.raises(CAFileError, match=r"ca\.crt: no PEM certificates"):
        EdgeTLS(file)


def test_a_file_that_becomes_unusable_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cert, _ = make_certificate(tmp_path)
    edge_tls = EdgeTLS(cert)
    before = edge_tls.context()
    cert.write_text("broken")
    assert edge_tls.context() is before and edge_tls.context() is before
    cert.unlink()
    assert edge_tls.context() is before
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CAFileError, match="No such file"):
        EdgeTLS(tmp_path / "ca.crt")
