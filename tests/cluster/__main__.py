"""Run the command line."""

import signal
import sys

from tests.cluster.cli import main

signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what we started ends with us
sys.exit(main())
