"""What a tag publishes, for the workflow."""

from __future__ import annotations

import json
import re

from tests.cluster import images
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.release.home import Home
from tests.release.table import IMAGES

CHANGELOG = REPOSITORY / "CHANGELOG.md"


def version() -> str:
    """Return the version of the operator and the charts, which a test holds equal."""
    return images.OPERATOR.version()


def outputs(home: Home, tag: str) -> dict[str, str]:
    """Return the outputs of the workflow's plan. Raises ClusterError for a tag or a home that cannot be published."""
    if tag != f"v{version()}":
        raise ClusterError(f"the tag {tag} is not v{version()}: raise the version of charts and operator, or tag again")
    if not home.prefix:
        raise ClusterError("IMAGE_PREFIX is empty: set it in home.env or as a variable of the repository")
    notes()
    listed = [{"name": image.name, "context": image.context, "lock": image.lock} for image in IMAGES]
    return {"prefix": home.prefix, "version": version(), "images": json.dumps(listed)}


def notes() -> str:
    """Return what the changelog says of the version. Raises ClusterError where it has no section of its own."""
    found = re.search(rf"(?ms)^## {re.escape(version())}\n(.*?)(?=^## |\Z)", CHANGELOG.read_text(encoding="utf-8"))
    if not found:
        raise ClusterError(f"{CHANGELOG.name} has no section ## {version()}")
    return found[1].strip() + "\n"
