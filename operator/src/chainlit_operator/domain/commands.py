"""Command lines of containers: the root path that Chainlit starts with, and the requests of exec probes.

Only what is clear is read. Scripts of images and of ConfigMaps are not seen.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from chainlit_operator.domain.chainlit import ROOT_PATH, ROOT_PATH_OPTION
from chainlit_operator.domain.model import Probe, Variable

_REFERENCE = re.compile(r"\$\$|\$\(([-._A-Za-z0-9]+)\)")
_SHELL_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
#: The variable as a whole value: replaced by Kubernetes, by a shell, or by a shell that has a default for it.
_IS_VARIABLE = re.compile(rf"\$\({ROOT_PATH}\)|\$\{{{ROOT_PATH}\}}|\${ROOT_PATH}|\$\{{{ROOT_PATH}:?-(.*)\}}")
#: Servers whose own option of the same name does not reach Chainlit.
_OTHER_SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian")
_REQUEST = re.compile(
    r"(?P<scheme>https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])"
    r"(?::(?P<port>[0-9]{1,5}|\$[({]?\w+[)}]?))?(?P<path>/[^\s'\"`;|&<>?#)]*)?(?![\w.-])"
)
_SUBSTITUTION = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def expand(text: str, env: Mapping[str, str | None]) -> str:
    """Return ``text`` with its references ``$(NAME)`` replaced as Kubernetes does; unknown ones stay."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "$"
        known = env.get(name)
        return found[0] if known is None else known

    return _REFERENCE.sub(value, text)


def refers_elsewhere(text: str, env: Mapping[str, str | None]) -> bool:
    """Return whether ``text`` refers to a variable whose value is not known, so that its own value is not either."""
    names = (found[1] for found in _REFERENCE.finditer(text))
    return any(name in env and env[name] is None for name in names)


def root_path_of(words: Iterable[str], env: Mapping[str, str | None]) -> Variable | None:
    """Return the root path that a command line gives Chainlit, None for none; its value is None if it is not clear.

    ``words`` are those of ``command`` and ``args``, ``env`` the values of the container's variables, None for one from
    elsewhere. A command line that only refers to the variable ``CHAINLIT_ROOT_PATH`` gives none: the variable decides.
    Chainlit ignores an empty option.
    """
    found = tuple(words)
    if not any(ROOT_PATH_OPTION in word or f"{ROOT_PATH}=" in word for word in found):
        return None
    plain = list(_plain(found))
    texts = [*_values(plain, f"{ROOT_PATH_OPTION}=", ROOT_PATH_OPTION)] or [*_values(plain, f"{ROOT_PATH}=")]
    values = {_read(text, env) for text in texts} - {""}
    if not values:
        return None
    value = values.pop()
    is_clear = not values and not _runs_another_server(plain)
    return Variable(value if is_clear else None)


def _plain(words: Iterable[str]) -> Iterator[str]:
    """The words, with each script of a shell in its own words. A script that cannot be read is one word."""
    for word in words:
        if not any(char.isspace() for char in word):
            yield word
            continue
        # Parentheses would end a word. Kubernetes replaces $(NAME) before the shell reads it.
        lexer = shlex.shlex(_SUBSTITUTION.sub(r"${\1}", word), posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        try:
            yield from list(lexer)
        except ValueError:
            yield from word.split()


def _values(words: list[str], beginning: str, option: str = "") -> Iterator[str]:
    """The texts after ``beginning`` in one word, or in the word after ``option``."""
    for at, word in enumerate(words):
        if word.startswith(beginning):
            yield word.removeprefix(beginning)
        elif option and word == option and at + 1 < len(words):
            yield words[at + 1]


def _read(text: str, env: Mapping[str, str | None]) -> str | None:
    """The value of the option: empty if the variable decides, None if it is not clear."""
    reference = _IS_VARIABLE.fullmatch(text)
    if reference is not None:
        default = reference[1] or ""
        if not default or env.get(ROOT_PATH):
            return ""
        text = default
    text = expand(text, env)
    text = _SHELL_REFERENCE.sub(lambda found: env.get(found[1] or found[2]) or found[0], text)
    return None if re.search(r"[$`'\"\\]", text) else text


def _runs_another_server(words: list[str]) -> bool:
    names = {word.rpartition("/")[2] for word in words}
    return "chainlit" not in names and not names.isdisjoint(_OTHER_SERVERS)


def requests_of(field: str, command: Iterable[str]) -> Iterator[Probe]:
    """The requests that the command of the exec probe ``field`` sends to its own pod.

    An address without a port has port 80. The port of a variable is the reference.
    """
    for found in _REQUEST.finditer(" ".join(command)):
        if any(found.groupdict().values()):
            port = found["port"] or "80"
            yield Probe(field, found["path"] or "/", int(port) if port.isdecimal() else port)
