"""Whom the operator believes certificates of: the system's authorities, and those of a file."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

logger = logging.getLogger(__name__)


class CAFileError(Exception):
    """The file of authorities cannot be used."""


class EdgeTLS:
    """TLS settings for the edge; a file that changes (a ConfigMap's does, in place) is read again."""

    def __init__(self, ca_file: Path | None = None) -> None:
        """Read the file of PEM certificates, if one is given. Raises CAFileError."""
        self._ca_file = ca_file
        self._seen = self._signature()
        self._context = self._load() if ca_file is not None else None  # the system's take 30 ms, and few need them

    def context(self) -> ssl.SSLContext:
        """Return the settings as of now; a file that has become unusable is reported, and the former one stays."""
        signature = self._signature()
        if self._context is None:
            self._context = self._load()
        elif signature != self._seen:
            self._seen = signature
            try:
                self._context = self._load()
            except CAFileError as error:
                logger.warning("%s; the authorities read before stay in use", error)
            else:
                logger.info("Read the authorities in %s again", self._ca_file)
        return self._context

    def _signature(self) -> tuple[int, ...]:
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
            except OSError as error:  # ssl.SSLError is one: no certificate in it, or a broken one
                what = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "no PEM certificates"
                raise CAFileError(f"cannot read the authorities in {self._ca_file}: {what}") from error
        return context
