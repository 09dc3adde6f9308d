"""The paths of a stranger to a chat, by the commands of README as they are printed there.

    python -m tests.stranger

The first path goes from a fresh clone to the demo chat; with a warm cache it must take no more than three minutes. The
second one installs the operator as into a cluster that the reader has, for an app that runs behind an Ingress. Both run
in a cluster of their own, and end with a chat. Tables on standard output show the seconds of each command, and which
values the reader has to choose.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.cluster import kindcluster
from tests.cluster.console import say, step, wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import KindCluster
from tests.cluster.versions import REPOSITORY
from tests.release import plan
from tests.stranger import commands, surroundings
from tests.stranger.journey import Journey

NAME = "chainlit-stranger"
#: Sections of README.
DEMO, INSTALL = "Try it on your machine", "Install it in your cluster"
#: Seconds from the clone to the chat, with a warm cache.
LIMIT = 180.0


def try_demo(clone: Path) -> Journey:
    """Clone the repository, run README's command for the demo, and talk. Raises ClusterError."""
    name = "From a fresh clone to the demo chat"
    journey = Journey(name, clone.parent, {"CLUSTER": NAME}, {"REPOSITORY": str(REPOSITORY)})
    journey.run(f"git clone --quiet REPOSITORY {clone.name}")
    journey.directory = clone
    (command,) = (found for found in commands.of_section(DEMO) if found.startswith("make up"))
    found = re.search(r"The chat:\s+(\S+)", journey.run(command))
    if not found:
        raise ClusterError(f"`{commands.title(command)}` printed no URL of a chat")
    journey.chat(found[1])
    return journey


def install(cluster: KindCluster, clone: Path, work: Path) -> Journey:
    """Run README's commands that install the operator for an app that runs, and talk. Raises ClusterError."""
    with (
        surroundings.served(cluster, work) as registry,
        surroundings.docker(cluster.engine, clone, work) as search_path,
    ):
        variables = {**cluster.engine.environment, "KUBECONFIG": str(cluster.files.kubeconfig), "PATH": search_path}
        name = "Into a cluster that one has, for an app that runs"
        journey = Journey(name, clone, variables, {"REGISTRY": f"{registry}/stranger"})
        for command in commands.of_section(INSTALL):
            said = journey.run(command)
        with journey.timed("… until READY is True"):
            wait_until(lambda: is_ready(journey.look(command)), seconds=120, what=f"READY True in:\n{said}")
        say(journey.look(command))
        journey.chat(cluster.files.url() + surroundings.PATH, host=cluster.files.node)
        cluster.engine.run("rmi", f"{registry}/stranger/chainlit-operator:{plan.version()}")
    return journey


def is_ready(listed: str) -> bool:
    """Tell whether the one app in what `kubectl get chainlitapp` prints is Ready."""
    heading, *rows = listed.splitlines()
    return [row[heading.index("READY") :].split()[:2] for row in rows] == [["True", "Ready"]]


def travel() -> int:
    """Go both paths; return 1 if the first one took too long. Raises ClusterError."""
    with (
        tempfile.TemporaryDirectory(prefix="stranger-") as name,
        kindcluster.temporary(NAME, lock=f"stranger-{NAME}.lock") as cluster,
    ):
        work = Path(name)
        first = try_demo(work / "clone")
        print(first.table(), flush=True)
        with step("remove the demo, and start an app without the operator"):
            surroundings.replace_demo_by_app(cluster)
        print(install(cluster, work / "clone", work).table(), flush=True)
    if first.seconds > LIMIT:
        say(f"error: from the clone to the chat in {first.seconds:.0f} s, more than {LIMIT:.0f}; was the cache warm?")
        return 1
    return 0


def main() -> int:
    """Run; return 1 after an expected failure, which it prints."""
    try:
        return travel()
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
