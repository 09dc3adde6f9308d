"""The workflows of GitHub, checked without GitHub."""

from __future__ import annotations

from tests.cluster.console import run, say
from tests.cluster.versions import REPOSITORY
from tests.release import tools

FOLDER = REPOSITORY / ".github"


def check() -> None:
    """Check every workflow for mistakes and weaknesses. Raises ClusterError with the findings."""
    files = sorted((FOLDER / "workflows").glob("*.yaml"))
    run([tools.actionlint(), "-no-color", *files], cwd=REPOSITORY)
    # Offline: what only the service of GitHub knows is not asked.
    run(
        [tools.zizmor(), "--offline", "--no-progress", "--color=never", "--persona=pedantic", "--quiet", FOLDER],
        cwd=REPOSITORY,
    )
    say(f"    {len(files)} workflows: actionlint and zizmor find nothing")
