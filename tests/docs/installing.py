"""The commands that install the operator, in README.md and docs/how-to/install.md: from home.env.

While nothing is published they build from a clone; with a registry in home.env they install from there.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.release import plan
from tests.release.home import Home

TOP = Path(__file__).parents[2]
PAGES = ("README.md", "docs/how-to/install.md")

CLONE = """\
There is no public image yet. Run these commands in a clone of this repository, with your registry in the place of
`REGISTRY`:

```sh
docker build --tag REGISTRY/chainlit-operator:{version} operator
docker push REGISTRY/chainlit-operator:{version}
helm install chainlit-operator charts/chainlit-operator --namespace chainlit-operator --create-namespace \\
  --set image.repository=REGISTRY/chainlit-operator
```

Your cluster runs on kind? Then you need no registry: build `chainlit-operator:{version}`, load it with `kind load
docker-image chainlit-operator:{version}`, and leave out `--set`.
"""
REGISTRY = """\
```sh
helm install chainlit-operator {charts}/chainlit-operator --version {version} \\
  --namespace chainlit-operator --create-namespace
kubectl --namespace chainlit-operator rollout status deployment/chainlit-operator
helm install chat {charts}/chainlit --version {version} --set-file 'app.files.app\\.py=app.py' \\
  --set fullnameOverride=chat,route.host=example.com,route.path=/chat,operator.enabled=true
```

The last command is for a new app that is one file, `app.py`. It needs no image of yours.
"""
_MARKED = re.compile(r"(?s)(<!-- install -->\n).*?(<!-- /install -->)")


def commands(home: Home) -> str:
    """Return the commands for a home, with or without a registry."""
    return (REGISTRY if home.prefix else CLONE).format(charts=home.charts, version=plan.version())


def page(name: str, home: Home) -> str:
    """Return the text of a page with the commands of a home."""
    text, count = _MARKED.subn(
        lambda found: f"{found[1]}{commands(home)}{found[2]}", (TOP / name).read_text(encoding="utf-8")
    )
    assert count == 1, f"{name} has {count} places for the commands"
    return text
