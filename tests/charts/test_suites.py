"""The suites of helm-unittest that lie beside the charts' templates."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.cluster import tools

from .generated import CHARTS, NAMES


@pytest.mark.parametrize("chart", NAMES)
def test_suites(chart: str) -> None:
    told = subprocess.run(
        [tools.helm_unittest(), "--strict", str(CHARTS / chart)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"KUBECONFIG": os.devnull},
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"Tests: +[1-9]\d* passed", told.stdout), told.stdout
