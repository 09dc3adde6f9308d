"""Run the operator as in a pod: with the files of a service account, and without the packages that its image lacks.

    BENCH_SERVICE_ACCOUNT=DIRECTORY python tests/bench/in_pod.py run [options]

The directory stands for the kubelet's mount. ``PYTHONPATH`` chooses the operator, also that of another checkout: one
that reads its service account by the ``kubernetes`` package has that package.
"""

from __future__ import annotations

import os
import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Replace the directory of the service account, and be the operator."""
    directory = Path(os.environ["BENCH_SERVICE_ACCOUNT"])
    os.environ.pop("KUBECONFIG", None)
    os.environ["HOME"] = str(directory)  # which has no .kube
    del sys.path[0]  # this directory, whose names are not the operator's
    sys.modules["kubernetes"] = None  # type: ignore[assignment]  # an import of it fails as in the image
    try:
        config: Any = import_module("chainlit_operator.kube.config")
        config.SERVICE_ACCOUNT = directory
    except ImportError:
        del sys.modules["kubernetes"]
        import_module("chainlit_operator.__main__")  # which decides what of the package is loaded
        incluster_config: Any = import_module("kubernetes.aio.config.incluster_config")
        incluster_config.SERVICE_TOKEN_FILENAME = str(directory / "token")
        incluster_config.SERVICE_CERT_FILENAME = str(directory / "ca.crt")
    runpy.run_module("chainlit_operator", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
