"""Run the command line."""

import platform
import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - make begins with whatever python3 is
    found = platform.python_version()
    sys.exit(f"error: Python 3.11 or later is needed, this is {found}: name another, as in make PYTHON=python3.12 up")

from tests.cluster.cli import main

signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what we started ends with us
sys.exit(main())
