"""The release's command: python3 -m tests.release."""

import sys

from tests.release.cli import main

if __name__ == "__main__":
    sys.exit(main())
