"""The route table of the pinned Chainlit release, read from its source without importing it.

The table is kept in a file, so that the unit tests need no wheel. Run as a module, this fetches the wheel that
tests/demo/requirements.txt pins by hash, and writes the file.
"""

from __future__ import annotations

import ast
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import wheels
from tests.cluster.versions import pinned

FILE = Path(__file__).parent / "unit/domain/chainlit_routes.txt"
_REQUIREMENTS = Path(__file__).parent / "demo/requirements.txt"
_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "websocket")
_REGISTER = frozenset({*_METHODS, "mount", "api_route", "add_api_route", "add_route", "add_websocket_route"})
#: The page, for every path that no other route has.
_CATCH_ALL = "/{full_path:path}"


def pinned_wheel(into: Path) -> Path:
    """Fetch the pinned wheel of Chainlit into a directory and return its path. Raises ClusterError."""
    lines = iter(_REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    pin = [next(line for line in lines if line.startswith("chainlit=="))]
    while pin[-1].endswith("\\"):
        pin.append(next(lines))
    requirements = into / "requirements.txt"
    requirements.write_text("\n".join(pin), encoding="utf-8")
    return wheels.fetch(requirements, into)


def routes(wheel: Path) -> list[str]:
    """Return the paths below the root path that the server of a wheel registers or mounts, whatever switches them on.

    Raises ValueError for a registration in a form that is not known.
    """
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("chainlit/server.py"))
    constants = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return sorted({path for call in _registrations(tree) if (path := _path(call.args[0], constants)) != _CATCH_ALL})


def _registrations(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="app" | "router"), attr=name)) if name in _REGISTER:
                yield node


def _path(argument: ast.expr, constants: dict[str, ast.expr]) -> str:
    """The path of a registration; a root path before it is left out."""
    if isinstance(argument, ast.Name):
        argument = constants[argument.id]
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[-1]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise ValueError(f"a route in another form: {ast.unparse(argument)}")


def table(wheel: Path) -> str:
    """Return the text of the file for a wheel."""
    return "\n".join([f"chainlit {pinned().chainlit}", *routes(wheel)]) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        FILE.write_text(table(pinned_wheel(Path(name))), encoding="utf-8")
