"""The release's command: python3 -m tests.release."""

import signal
import sys

from tests.release.cli import main

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a registry and a cluster end with this process
    sys.exit(main())
