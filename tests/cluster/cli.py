"""The command line: python3 -m tests.cluster <command>."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence

from tests.cluster import apt, cache, contour, engine, images, servers, tools, traefik
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import KindCluster
from tests.cluster.state import CONTOUR, ClusterState

DESCRIPTION = """\
The kind cluster that this project is tested on. Everything it needs is fetched or built, pinned, and cached."""
EPILOG = """\
environment:
  CLUSTER         name of the cluster (default: chainlit); each has its own kubeconfig and port
  ENGINE          docker or podman (default: a Docker that answers, else Podman)
  IP_FAMILY       ipv4, ipv6 or dual: the addresses of nodes, pods and Services (default: ipv4)
  NODE_IMAGE      registry or source (default: registry where one answers, else built from source)
  CHAINLIT_CACHE  directory of the cache (default: chainlit-operator in the user's cache directory)
  CHAINLIT_STATE  directory of the clusters' state (default: chainlit-operator in the user's state directory)

To work with the cluster:  eval "$(python3 -m tests.cluster env)"
"""


def _cluster() -> KindCluster:
    return KindCluster(engine.find(), ClusterState.current())


def _serving() -> KindCluster:
    cluster = _cluster()
    if not cluster.serves():
        raise ClusterError(f"cluster {cluster.files.name} is not up: python3 -m tests.cluster up")
    return cluster


def up(_: argparse.Namespace) -> None:
    """make the cluster, with Traefik at its edge; quick when it is up"""
    started = time.monotonic()
    apt.require_modules({"pip": "python3-pip"}, "Fetching Traefik")
    files = ClusterState.current()
    with cache.locked(f"cluster-{files.name}.lock"):
        cluster = KindCluster(engine.find(), files)
        tools.ensure()
        cluster.ensure()
        cluster.wait_ready()
        traefik.ensure(cluster)
        cache.prune()
    say(f"cluster {files.name} is up at {files.url()} ({time.monotonic() - started:.0f}s)")


def edges(_: argparse.Namespace) -> None:
    """install the edges beside Traefik that the tests need: Contour with Envoy; quick when they are there"""
    cluster = _serving()
    with cache.locked(f"cluster-{cluster.files.name}.lock"):
        contour.ensure(cluster)
    say(f"    Contour at {cluster.files.url(CONTOUR)}")


def down(_: argparse.Namespace) -> None:
    """remove the cluster and all that is remembered of it, but for the cache"""
    files = ClusterState.current()
    with cache.locked(f"cluster-{files.name}.lock"):
        KindCluster(engine.find(), files).remove()
    say(f"cluster {files.name} is gone")


def env(_: argparse.Namespace) -> None:
    """print shell commands that make a shell use the cluster"""
    for name, value in environment(ClusterState.current()).items():
        print(f"export {name}={shlex.quote(value)}")


def environment(files: ClusterState) -> dict[str, str]:
    """Return the variables that a shell needs to use a cluster, which may not be up yet."""
    found = engine.find()
    return {
        "CLUSTER": files.name,
        "KUBECONFIG": str(files.kubeconfig),
        "PATH": tools.search_path(),
        "EDGE": files.url(),
        "CONTOUR_EDGE": files.url(CONTOUR),
        "DEMO_IMAGE": images.DEMO.reference,
        "OPERATOR_IMAGE": images.OPERATOR.reference if images.OPERATOR.exists else "",
        "ENGINE": found.command,
        "NODE": files.node,
        **found.environment,
    }


def fetch_tools(_: argparse.Namespace) -> None:
    """only fetch kind, helm and kubectl, and print the directories they are in"""
    tools.ensure()
    for directory in tools.directories():
        print(directory)


def prepare_python(_: argparse.Namespace) -> None:
    """see to it that Python can make virtual environments"""
    apt.require_modules({"ensurepip": "python3-venv"}, "A virtual environment")


def build_images(_: argparse.Namespace) -> None:
    """build the operator's and the demo app's images and load them into the cluster"""
    images.ensure(_serving())


def build_releases(arguments: argparse.Namespace) -> None:
    """build the demo app's images on older releases of Chainlit, load them into the cluster, and print their names"""
    cluster = _serving()
    if unknown := set(arguments.release) - images.RELEASES.keys():
        raise ClusterError(f"no requirements for {', '.join(sorted(unknown))}, but for {', '.join(images.RELEASES)}")
    wanted = [images.RELEASES[release] for release in arguments.release or images.RELEASES]
    with cache.locked("releases.lock"):
        images.ensure(cluster, wanted)
    for image in wanted:
        print(image.reference)


def build_servers(arguments: argparse.Namespace) -> None:
    """build images that only some tests need, load them into the cluster, and print their names"""
    cluster = _serving()
    wanted = arguments.server or list(servers.BUILT)
    if unknown := set(wanted) - servers.BUILT.keys():
        raise ClusterError(f"no image {', '.join(sorted(unknown))}, but {', '.join(servers.BUILT)}")
    with cache.locked("servers.lock"):
        found = [servers.BUILT[name](cluster.engine) for name in wanted]
        for reference in found:
            if not cluster.has_image(reference):
                images.load(cluster, reference)
    for reference in found:
        print(reference)


def load(arguments: argparse.Namespace) -> None:
    """load an image of the engine's store into the cluster"""
    images.load(_serving(), arguments.reference)


def audit(_: argparse.Namespace) -> None:
    """print what the operator asked of the API server, one JSON document a line"""
    sys.stdout.write(_cluster().audit_log())


def status(_: argparse.Namespace) -> None:
    """say what is there and what is not, changing nothing"""
    cluster = _cluster()
    files = cluster.files
    say(f"engine   {cluster.engine.command}")
    say(f"cache    {cache.root()}")
    for directory in tools.directories():
        say(f"tool     {directory.parent.name}: {directory if directory.exists() else 'not built yet'}")
    if not all(directory.exists() for directory in tools.directories()) or not cluster.serves():
        raise ClusterError(f"cluster {files.name} is not up: python3 -m tests.cluster up")
    edge = files.url()
    heard = "answers" if traefik.answers(edge) else "is silent"
    say(f"cluster  {files.name}: the API server answers; its edge {edge} {heard}")
    for image in (images.OPERATOR, images.DEMO):
        if image.exists:
            held = "loaded" if cluster.has_image(image.reference) else "not loaded"
            say(f"image    {image.reference}: {held}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": up,
    "edges": edges,
    "down": down,
    "env": env,
    "tools": fetch_tools,
    "python": prepare_python,
    "images": build_images,
    "releases": build_releases,
    "servers": build_servers,
    "load": load,
    "audit": audit,
    "status": status,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python3 -m tests.cluster",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.set_defaults(run=command)
        if name == "releases":
            added.add_argument("release", nargs="*", help=f"{', '.join(images.RELEASES)} (default: all)")
        if name == "servers":
            added.add_argument("server", nargs="*", help=f"{', '.join(servers.BUILT)} (default: all)")
        if name == "load":
            added.add_argument("reference", help="the image, as the engine names it")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 after an expected failure, which it prints."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where this one stopped")
        return 130
    return 0
