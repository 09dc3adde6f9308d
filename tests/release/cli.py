"""The command line: python3 -m tests.release <command>."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.release import home, plan
from tests.release.table import CHARTS, IMAGES

DESCRIPTION = "Makes, checks and rehearses a release."

# Modules are imported where they are used: the plan of the workflow runs on Python alone.


def print_plan(arguments: argparse.Namespace) -> None:
    """print what a tag publishes, as outputs of a step in GitHub"""
    for name, value in plan.outputs(home.read(), arguments.tag).items():
        print(f"{name}={value}")


def make_package(_: argparse.Namespace) -> None:
    """write charts, install.yaml, crds.yaml and the Python package to dist/"""
    from tests.release import package  # noqa: PLC0415

    package.make()


def sign(arguments: argparse.Namespace) -> None:
    """sign what a digest names with the identity of the job, and verify that"""
    from tests.release import publish  # noqa: PLC0415

    publish.Signer().sign(arguments.reference)
    publish.verify(arguments.reference, publish.by_job())


def write_sbom(arguments: argparse.Namespace) -> None:
    """write the packages of a pushed image to dist/, and compare them with its lock file"""
    from tests.release import package, publish  # noqa: PLC0415

    (image,) = (image for image in IMAGES if image.name == arguments.name)
    say(f"    {publish.list_packages(image, arguments.reference, package.DIST, arguments.platform)}")


def push_charts(_: argparse.Namespace) -> None:
    """push the charts of dist/, sign them with the identity of the job, and print their digests as outputs of a step"""
    from tests.release import package, publish  # noqa: PLC0415

    for chart in CHARTS:
        pushed = publish.push_chart(home.read(), package.DIST / f"{chart}-{plan.version()}.tgz")
        publish.Signer().sign(pushed)
        publish.verify(pushed, publish.by_job())
        print(f"{chart}={pushed.rpartition('@')[2]}")


def rehearse(_: argparse.Namespace) -> None:
    """build twice, push to a registry on loopback, sign and verify, then install in a fresh cluster and chat"""
    from tests.release import rehearsal  # noqa: PLC0415

    rehearsal.rehearse()


def check_workflows(_: argparse.Namespace) -> None:
    """check the workflows of GitHub with actionlint and zizmor"""
    from tests.release import workflows  # noqa: PLC0415

    workflows.check()


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "plan": print_plan,
    "package": make_package,
    "sign": sign,
    "sbom": write_sbom,
    "push-charts": push_charts,
    "rehearse": rehearse,
    "workflows": check_workflows,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="python3 -m tests.release", description=DESCRIPTION)
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.set_defaults(run=command)
        if name == "plan":
            added.add_argument("--tag", required=True, help="the tag, such as v0.2.0")
        if name in {"sign", "sbom"}:
            added.add_argument("reference", help="the image with its registry, by digest")
        if name == "sbom":
            added.add_argument("--name", required=True, choices=[image.name for image in IMAGES])
            added.add_argument("--platform", required=True, nargs="+", help="those of the image, such as linux/arm64")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 after an expected failure, which it prints."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0
