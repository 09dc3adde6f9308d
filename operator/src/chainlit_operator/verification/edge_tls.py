"""The certificate authorities that the operator trusts at the edge: those of the system, and those of a file."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

logger = logging.getLogger(__name__)


class CAFileError(Exception):
    """The CA file cannot be used; the message says why."""


class EdgeTLS:
    """TLS settings for the edge. A CA file that changes is read again: kubelet updates ConfigMap files in place."""

    def __init__(self, ca_file: Path | None = None) -> None:
        """Read the file of PEM certificates, if one is given. Raises CAFileError."""
        self._ca_file = ca_file
        self._signature = self._read_signature()
        # Without a file the context is made on first use: the system's authorities take 30 ms, and few runs need them.
        self._context = self._load() if ca_file is not None else None

    def context(self) -> ssl.SSLContext:
        """Return the current settings. If the file has become unusable, log that and keep the former settings."""
        signature = self._read_signature()
        if self._context is None:
            self._context = self._load()
        elif signature != self._signature:
            self._signature = signature
            try:
                self._context = self._load()
            except CAFileError as error:
                logger.warning("%s; the certificate authorities read before stay in use", error)
            else:
                logger.info("Read the certificate authorities in %s again", self._ca_file)
        return self._context

    def _read_signature(self) -> tuple[int, ...]:
        """Return numbers that differ when the file does; empty if there is no file."""
        try:
            found = self._ca_file.stat() if self._ca_file is not None else None
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None else ()

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        if self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except OSError as error:  # ssl.SSLError, a subclass, means that the file has no certificate or a broken one
                cause = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "no PEM certificates"
                raise CAFileError(f"cannot read the certificate authorities in {self._ca_file}: {cause}") from error
        return context
