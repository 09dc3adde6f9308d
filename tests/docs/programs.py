"""Programs that only the tests of the documents need."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster import golang
from tests.cluster.tools import from_module
from tests.cluster.versions import pinned


def helm_controller() -> Path:
    """Return the helm-controller of Flux. The first build takes minutes. Raises ClusterError."""
    module, version = "github.com/fluxcd/helm-controller", pinned().flux["helm-controller"]
    go_mod = (Path(golang.module_info(module, version)["Dir"]) / "go.mod").read_text(encoding="utf-8")
    # Those of a dependency do not count, and it needs them. `./api` is a module that the proxy has.
    replaced = re.findall(r"(?m)^(?:replace)?\s*([\w./-]+ => [\w./-]+ v\S+)$", go_mod)
    return from_module("helm-controller", module, module, version, *(f"replace {line}" for line in replaced))
