"""Worker processes: whether a container starts several processes that serve the app, as far as its manifest shows.

The kernel gives each connection to any of the processes, and each has sessions of its own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chainlit_operator.domain.model import Workers

Environment = Mapping[str, str]
"""The variables of a container that have a plain value."""

CONCURRENCY = "WEB_CONCURRENCY"
_LONG, _SHORT = "--workers", "-w"
#: The longest script that is read, in characters.
MAX_SCRIPT = 16_384
_SHOWN = 40

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
#: Words before the name of the program, beside options and assignments: they run what follows.
_WRAPPERS = frozenset(
    {
        *("exec", "nohup", "env", "time", "export", "then", "do", "else", "{", "!", "tini", "dumb-init", "catatonit"),
        *("poetry", "uv", "pdm", "pipenv", "hatch", "rye", "run", "opentelemetry-instrument", "ddtrace-run"),
        *("newrelic-admin", "run-program", "busybox"),
    }
)
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_KUBERNETES_VARIABLE = re.compile(r"\$\((\w+)\)")
_SHELL_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)")
_END = frozenset(";&|()\n")


@dataclass(frozen=True, slots=True)
class _Server:
    """A program that may start workers: its options and variables for their number, the stronger ones first."""

    options: tuple[str, ...] = (_LONG,)
    variables: tuple[str, ...] = ()
    single: frozenset[str] = field(default_factory=frozenset)
    """Options with which it starts one process, whatever is asked for."""


_SERVERS: Mapping[str, _Server] = {
    "gunicorn": _Server((_LONG, _SHORT), (CONCURRENCY,)),
    "uvicorn": _Server((_LONG,), ("UVICORN_WORKERS", CONCURRENCY), frozenset({"--reload"})),
    "fastapi": _Server((_LONG,), (CONCURRENCY,), frozenset({"--reload", "dev"})),
    "hypercorn": _Server((_LONG, _SHORT)),
    "granian": _Server((_LONG,), ("GRANIAN_WORKERS",)),
    # ``-w`` of ``chainlit run`` means to watch the files.
    "chainlit": _Server(()),
}
#: A variable with options for gunicorn.
_GUNICORN_OPTIONS = "GUNICORN_CMD_ARGS"


def workers_of(command: Sequence[str], arguments: Sequence[str], env: Environment) -> Workers | None:
    """Return the workers of a container; None for one process, and where nothing shows that there are several.

    ``command`` and ``arguments`` are those of the manifest; both are empty where the image decides.
    """
    words = [_expanded(word, env) for word in (*command, *arguments)]
    program = _program(words, {})
    script = _script(words[program:])
    if script is None:
        return _workers(words, env)
    found = None
    variables = dict(env)
    for simple in _commands(script):
        # The last server stays in the foreground; commands before it prepare something.
        if (server := _server(simple, variables)) is not None:
            found = server, _workers(simple, variables)
    return found[1] if found is not None else _unseen("the command", (), variables)


def _expanded(word: str, env: Environment) -> str:
    """The word as Kubernetes hands it to the container."""
    return _KUBERNETES_VARIABLE.sub(lambda match: env.get(match[1], match[0]), word)


def _program(words: Sequence[str], env: dict[str, str]) -> int:
    """The position of the program's name; the assignments before it go into ``env``."""
    for position, word in enumerate(words):
        assignment = _ASSIGNMENT.fullmatch(word)
        if assignment is not None:
            env[assignment[1]] = _substituted(assignment[2], env)
        elif not (word.startswith("-") or _name(word) in _WRAPPERS or _PYTHON.fullmatch(_name(word))):
            return position
    return len(words)


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _script(words: Sequence[str]) -> str | None:
    """The script of ``sh -c``; None for any other command."""
    if not words or _name(words[0]) not in _SHELLS:
        return None
    for option, script in pairwise(words):
        if re.fullmatch(r"-\w*c", option):
            return script[:MAX_SCRIPT]
    return None


def _commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a shell script; none where it cannot be split."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars="".join(sorted(_END)))
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    try:
        for word in lexer:
            if not _END.issuperset(word):
                words.append(word)
            elif words:
                yield words
                words = []
    except ValueError:  # a quotation without an end
        return
    if words:
        yield words


def _substituted(word: str, env: Environment) -> str:
    """The word with the values of shell variables; one without a value and without a default stays."""
    return _SHELL_VARIABLE.sub(lambda match: env.get(match[1] or match[3], match[2] or match[0]), word)


def _server(words: Sequence[str], env: dict[str, str]) -> str | None:
    """The server that a command starts; None for another program. Assignments before it go into ``env``."""
    position = _program(words, env)
    name = _name(words[position]) if position < len(words) else ""
    return name if name in _SERVERS else None


def _workers(words: Sequence[str], env: Environment) -> Workers | None:
    """The workers of one command."""
    variables = dict(env)
    position = _program(words, variables)
    if position == len(words) or words[0].startswith("-"):
        return _unseen("the image's command", words, variables)
    name, options = _name(words[position]), [_substituted(word, variables) for word in words[position + 1 :]]
    server = _SERVERS.get(name)
    if server is None:
        return _unseen(name[:_SHOWN], (), variables)
    if server.single.intersection(options):
        return None
    asked = _option(options, server.options)
    if asked is None and name == "gunicorn":
        asked = _option(variables.get(_GUNICORN_OPTIONS, "").split(), server.options)
        name = f"{_GUNICORN_OPTIONS}:"
    if asked is not None:
        return _several(f"{name} {asked[0]}", asked[1])
    for variable in server.variables:
        if variable in variables:
            return _several(variable, variables[variable])
    return None


def _unseen(program: str, words: Sequence[str], env: Environment) -> Workers | None:
    """The workers of a program that is not known: options alone go to a server that the image names."""
    asked = _option(words, (_LONG, _SHORT))
    # Of servers in images, gunicorn has ``-w`` with a number; ``-w`` of Chainlit has no value.
    if asked is not None and (asked[0] == _LONG or asked[1].isdecimal()):
        return _several(*asked)
    found = _several(CONCURRENCY, env.get(CONCURRENCY, ""))
    return found and Workers(f"{found.source}, if {program} reads it", is_certain=False)


def _option(words: Sequence[str], names: Sequence[str]) -> tuple[str, str] | None:
    """The last of the options with its value: ``-w 4``, ``-w4``, ``--workers 4``, ``--workers=4``."""
    found = None
    for position, word in enumerate(words):
        name, is_joined, value = word.partition("=")
        if name in names:
            following = words[position + 1] if position + 1 < len(words) else ""
            found = name, value if is_joined else following
        elif _SHORT in names and word.startswith(_SHORT) and word[len(_SHORT) :].isdecimal():
            found = _SHORT, word[len(_SHORT) :]
    return found


def _several(source: str, value: str) -> Workers | None:
    """The workers for a value: None for one, and for no value; uncertain where the value is not a number."""
    if not value.isdecimal():
        return Workers(source, is_certain=False) if value else None
    return Workers(f"{source} {value[:_SHOWN]}") if value.lstrip("0") not in ("", "1") else None
