"""Programs for the commands of the documents, where no node, no image and no registry is.

Each of them passes on what an API server alone can do. Of the rest it checks what can be wrong in a document: names of
objects and containers, options, files and targets. ``ELSEWHERE`` says what runs the rest for real.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.waiting import eventually

#: The variable with the search path of the real programs.
REAL = "DOCS_REAL_PATH"
#: What is only checked here → the test that runs it, or why none does.
ELSEWHERE = {
    "docker build, docker push": "make release-rehearsal builds the same directories and pushes the images",
    "docker run": "tests/unit/test_probe_command.py runs the command of the image",
    "kubectl rollout status, logs, port-forward, exec": "tests/e2e has pods",
    "kubectl run": "tests/e2e/test_helm_test.py runs the same program in a pod",
    "helm test": "tests/e2e/test_helm_test.py",
    "make up, make test": "they are the demo and the tests",
}
_POD = {"rollout", "logs", "port-forward", "exec"}
_VALUED = {"-n", "--namespace", "-c", "--container", "-o", "--output", "--type", "--patch", "-f", "--filename", "-l"}


class Wrong(AssertionError):
    """A command that cannot work; the message says why."""


def write(into: Path) -> Path:
    """Write the programs to a directory and return it."""
    into.mkdir()
    for name in PROGRAMS:
        file = into / name
        file.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.docs.standins {name} "$@"\n')
        file.chmod(0o755)
    return into


def real(program: str, arguments: Sequence[str]) -> None:
    """Become the real program."""
    os.environ["PATH"] = os.environ[REAL]
    os.execvp(program, [program, *arguments])


def output(program: str, arguments: Sequence[str]) -> str:
    """Return what the real program prints. Raises Wrong."""
    environment = os.environ | {"PATH": os.environ[REAL]}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(done.stderr)
    return done.stdout


# --------------------------------------------------------------------------------------------------------- kubectl


def kubectl(arguments: list[str]) -> None:
    """Pass on what needs no pod; wait for nothing that only controllers bring about."""
    arguments = [argument for argument in arguments if argument not in {"--watch", "--follow"}]
    words = positional(arguments)
    verb = words[0] if words else ""
    if verb in _POD:
        return _needs_pod(verb, words, arguments)
    if verb == "run":
        cut = arguments.index("--")
        parse_operator(arguments[cut + 1 :])
        options = [option for option in arguments[:cut] if option not in {"--rm", "--attach", "--stdin", "--tty"}]
        return real("kubectl", [*options, "--dry-run=server", *arguments[cut:]])
    if verb == "explain":
        # A reader has waited for the operator's pod. The API server publishes a new kind meanwhile.
        eventually(lambda: output("kubectl", arguments), timeout=10)
    if verb == "delete":
        arguments = [*arguments, "--wait=false"]  # no controller empties a namespace
    return real("kubectl", arguments)


def _needs_pod(verb: str, words: list[str], arguments: list[str]) -> None:
    """Check that the object, and the container of its pods, exist."""
    target = words[2] if verb == "rollout" else words[1]
    namespace = [f"--namespace={found}" for found in [option(arguments, "-n", "--namespace")] if found]
    found = json.loads(output("kubectl", ["get", target, "--output=json", *namespace]))
    container = option(arguments, "-c", "--container")
    pod = found["spec"].get("template", {}).get("spec", {})
    names = {item["name"] for key in ("containers", "initContainers") for item in pod.get(key, ())}
    if container and container not in names:
        raise Wrong(f"{target} has the containers {sorted(names)}, not {container}")


def option(arguments: Sequence[str], *names: str) -> str:
    """Return the value of an option, or nothing."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else arguments[place + 1]
    return ""


def positional(arguments: Sequence[str]) -> list[str]:
    """Return the words that are neither options nor values of options."""
    found, is_value = [], False
    for argument in arguments:
        if argument == "--":
            break
        if not is_value and not argument.startswith("-"):
            found.append(argument)
        is_value = argument in _VALUED
    return found


# ------------------------------------------------------------------------------------------------------------ helm


def helm(arguments: list[str]) -> None:
    """Pass on all but tests, which run in pods: a release that is tested must have one."""
    if arguments[0] != "test":
        return real("helm", arguments)
    (release,) = positional(arguments)[1:]
    namespace = [f"--namespace={found}" for found in [option(arguments, "-n", "--namespace")] if found]
    if "helm.sh/hook: test" not in output("helm", ["get", "hooks", release, *namespace]):
        raise Wrong(f"the release {release} has no test")
    return None


# ----------------------------------------------------------------------------------------------------- docker, make


def docker(arguments: list[str]) -> None:
    """Check that a directory can be built, that what is pushed was built, and what is run can be parsed."""
    built = Path.home() / "built"
    names = built.read_text().split() if built.exists() else []
    verb, context = arguments[0], arguments[-1]
    if verb == "build":
        source = sys.stdin.read() if context == "-" else (Path(context) / "Dockerfile").read_text()
        if not source.startswith(("FROM ", "#", "ARG ")):
            raise Wrong(f"{context} has no Dockerfile")
        built.write_text("\n".join([*names, option(arguments, "-t", "--tag")]))
    elif verb == "push" and context not in names:
        raise Wrong(f"{context} was not built: {names}")
    elif verb == "run":
        place = next(place for place, word in enumerate(arguments) if "/chainlit-operator:" in word)
        parse_operator(arguments[place + 1 :])
    elif verb not in {"push", "save"}:
        raise Wrong(f"docker {verb} is not known here")


def make(arguments: list[str]) -> None:
    """Check that the targets exist; write the files of a release, without those that need a package index."""
    targets = [word for word in arguments if "=" not in word and not word.startswith("-")]
    known = re.findall(r"(?m)^([a-z][a-z-]*):", Path("Makefile").read_text(encoding="utf-8"))
    if missing := set(targets) - set(known):
        raise Wrong(f"no targets {sorted(missing)}")
    if "package" in targets:
        from tests.docs import packaging  # noqa: PLC0415

        os.environ["PATH"] = os.environ[REAL]
        packaging.write(Path("dist"))


# ------------------------------------------------------------------------------------------------------- the operator


def parse_operator(arguments: Sequence[str]) -> None:
    """Check that the operator's command has such options. Raises Wrong."""
    import click  # noqa: PLC0415

    from chainlit_operator import cli  # noqa: PLC0415

    name, *rest = arguments
    command = cli.cli.commands.get(name)
    if command is None:
        raise Wrong(f"chainlit-operator has no command {name}")
    try:
        command.make_context(name, list(rest))
    except click.ClickException as error:
        raise Wrong(error.format_message()) from error


PROGRAMS = {"kubectl": kubectl, "helm": helm, "docker": docker, "make": make, "chainlit-operator": parse_operator}


def main() -> int:
    """Run as the program that the first argument names."""
    name, *arguments = sys.argv[1:]
    try:
        PROGRAMS[name](arguments)
    except (Wrong, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
