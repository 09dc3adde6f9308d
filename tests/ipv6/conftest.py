"""The fixtures of the end-to-end tests, in a cluster that has addresses of IPv6."""

import os

import pytest

from tests.e2e.conftest import cluster, operator, pytest_runtest_makereport, space

__all__ = ["cluster", "operator", "pytest_runtest_makereport", "space"]

if os.environ.get("IP_FAMILY") not in ("ipv6", "dual"):
    raise pytest.UsageError("IP_FAMILY is neither ipv6 nor dual: these tests need a cluster with IPv6, see `make ipv6`")
