"""Fixtures: the cluster and the operator once, a namespace for each test, and what was there when a test failed.

Tests in the group ``operator`` measure the operator or end it, so they run one after another (``--dist loadgroup``);
all others may run beside them and beside each other.
"""

from __future__ import annotations

import fcntl
import re
import secrets
from collections.abc import Callable, Generator, Iterator

import pytest

from tests.e2e import diagnosis
from tests.e2e.cluster import Cluster, Operator, Space


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run tests of one group side by side: not every pytest sees the groups that pytest-xdist makes."""
    if config.getoption("loadgroup", default=False):
        loose = [item.nodeid for item in items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
        if loose:
            raise pytest.UsageError(f"this pytest runs tests of one group side by side: {loose[0]} …")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster that the shell's environment names."""
    trouble = ""
    try:
        found = Cluster.from_environment()
    except LookupError as error:
        trouble = str(error)
    if trouble:
        pytest.fail(trouble, pytrace=False)
    yield found
    found.kube.close()


@pytest.fixture(scope="session")
def operator(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Operator:
    """The operator, installed by its chart and ready; the workers of one run take turns."""
    made = Operator(cluster)
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "operator.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            made.install()
            lock.write("installed")
    return made


@pytest.fixture
def space(cluster: Cluster, operator: Operator, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace of the test's own; it goes when the test ends, and nobody waits for that."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    made = Space(cluster, f"e2e-{words[:40].strip('-')}-{secrets.token_hex(3)}")
    made.open()
    yield made
    made.close()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell a figure that was measured; it is printed at the end of the run."""

    def tell(text: str) -> None:
        request.node.user_properties.append(("figure", text))

    return tell


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what is in a test's namespace when the test fails."""
    report = yield
    space = getattr(item, "funcargs", {}).get("space")
    if report.failed and report.when in ("setup", "call") and isinstance(space, Space):
        report.sections.append(("Cluster", diagnosis.dump(space, item.name)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures."""
    reports = terminalreporter.stats.get("passed", [])
    figures = [text for report in reports for key, text in report.user_properties if key == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.write_line(text)
