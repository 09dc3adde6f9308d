"""``kubectl port-forward``, as a context."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.cluster import CommandError


@contextmanager
def forwarded(namespace: str, target: str, port: str) -> Iterator[str]:
    """Yield ``127.0.0.1:<port>``, which leads to a port of a target such as ``service/chat``. Raises CommandError."""
    command = ["kubectl", f"--namespace={namespace}", "port-forward", target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stderr
            found = re.match(r"Forwarding from (127\.0\.0\.1:\d+) ", process.stdout.readline())
            if found is None:
                raise CommandError(f"{' '.join(command)}: {process.stderr.read()}")
            yield found[1]
        finally:
            process.terminate()
