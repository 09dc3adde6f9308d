"""Programs built from Go modules."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.console import run
from tests.cluster.errors import ClusterError

OLDEST = (1, 26)
# cgo would tie the programs to this machine's C library; the node image and scratch images have another or none.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOWORK": "off",
    "GO111MODULE": "on",
    "GOFLAGS": "-mod=mod -buildvcs=false",
}


def require_go() -> None:
    """Raise ClusterError when no Go is there, or one too old to build the pinned programs."""
    needed = f"Go {OLDEST[0]}.{OLDEST[1]} or newer is needed"
    if shutil.which("go") is None:
        raise ClusterError(f"{needed} (https://go.dev/doc/install): there is no `go` in PATH")
    found = re.search(r"go(\d+)\.(\d+)", run(["go", "env", "GOVERSION"]))
    toolchains = run(["go", "env", "GOTOOLCHAIN"]).strip()
    if found and (int(found[1]), int(found[2])) < OLDEST and "auto" not in toolchains:
        raise ClusterError(
            f"{needed}, `go version` says {found[1]}.{found[2]}: "
            "install a newer one, or set GOTOOLCHAIN=auto to let Go fetch it"
        )


def install(package: str, version: str, into: Path, ldflags: Sequence[str] = ()) -> None:
    """Build the program `package` at `version` into a directory. Raises ClusterError."""
    require_go()
    flags = " ".join(["-s", "-w", *ldflags])
    run(
        ["go", "install", f"-ldflags={flags}", f"{package}@{version}"],
        env={**ENVIRONMENT, "GOBIN": str(into)},
    )


def build(
    work: Path,
    into: Path,
    packages: Sequence[str],
    *,
    requires: Mapping[str, str],
    replaces: Mapping[str, str] | None = None,
    directives: Sequence[str] = (),
    ldflags: Sequence[str] = (),
    tags: Sequence[str] = (),
    main: str | None = None,
) -> None:
    """Build programs in a module of our own that requires others.

    This serves modules that cannot be installed directly because of `replace` lines, and programs of which
    `main` is the source. Raises ClusterError.
    """
    require_go()
    work.mkdir(parents=True, exist_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    lines = ["module build", *directives]
    lines += [f"require {module} {version}" for module, version in requires.items()]
    lines += [f"replace {module} => {module} {version}" for module, version in (replaces or {}).items()]
    (work / "go.mod").write_text("\n".join(lines) + "\n")
    if main is not None:
        (work / "main.go").write_text(main)
    flags = " ".join(["-s", "-w", *ldflags])
    command = ["go", "build", "-o", f"{into}/", f"-ldflags={flags}", f"-tags={','.join(tags)}", *packages]
    run(command, cwd=work, env=ENVIRONMENT)


def module_info(module: str, version: str) -> dict[str, str]:
    """Download a module and return what `go mod download -json` says of it (Dir, GoMod, …)."""
    require_go()
    try:
        said = run(["go", "mod", "download", "-json", f"{module}@{version}"], cwd=Path("/"), env=ENVIRONMENT)
    except ClusterError as error:
        raise ClusterError(f"the Go module {module}@{version} cannot be had:\n{error}") from None
    info: dict[str, str] = json.loads(said)
    return info


def staged_modules(go_mod: str) -> list[str]:
    """Return the names that a go.mod replaces by directories below ./staging."""
    return re.findall(r"^\s*(?:replace\s+)?(\S+)\s+=>\s+\./staging/\S+", go_mod, flags=re.MULTILINE)
