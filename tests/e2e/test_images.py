"""Images that were made without a thought of Kubernetes: the chart runs each of them with its defaults."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.cluster import REPOSITORY, Space, run
from tests.e2e.test_app import await_reply, fetch, upgrade
from tests.e2e.test_releases import image
from tests.releases import CURRENT

pytestmark = pytest.mark.slow

DEMO = (REPOSITORY / "tests/demo/app.py").read_text()
EXEC = 'CMD ["chainlit", "run", "app.py", "--host", "0.0.0.0", "--port", "8000"]'
SHELL = "CMD chainlit run app.py --host 0.0.0.0 --port 8000"
CONFIG = '[UI]\nname = "Helpdesk"\n\n[meta]\ngenerated_by = "2.0.0"\n'
#: The last stage has the files of the demo's image without its settings, as an image made by hand has none.
FILE = """\
FROM {base} AS made
FROM scratch
COPY --from=made / /
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR {directory}
COPY . .
{command}
"""


class Ordinary(NamedTuple):
    """An image: its working directory, its last lines, its files beside the app, and its release of Chainlit."""

    directory: str
    command: str
    files: Mapping[str, str] = {}
    release: str = CURRENT


IMAGES = {
    "root": Ordinary("/app", EXEC),
    "user": Ordinary("/home/chat/bot", f"USER 1000\n{SHELL}"),
    "files": Ordinary("/srv/bot", SHELL, {".chainlit/config.toml": CONFIG, "public/style.css": "body {}\n"}),
    "old": Ordinary("/app", EXEC, release="2.3.0"),
}


@pytest.fixture
def made(request: pytest.FixtureRequest, space: Space, tmp_path: Path) -> Iterator[Ordinary]:
    """An image, which the cluster has."""
    ordinary = IMAGES[request.param]
    base = image(space.cluster, ordinary.release)
    dockerfile = FILE.format(base=base, directory=ordinary.directory, command=ordinary.command)
    for name, text in {"app.py": DEMO, **ordinary.files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    reference = f"localhost/chainlit-ordinary:{request.param}"
    run(os.environ["ENGINE"], "build", "--tag", reference, "--file", "-", str(tmp_path), stdin=dockerfile)
    try:
        run(sys.executable, "-m", "tests.cluster", "load", reference)
        yield ordinary
    finally:
        run(os.environ["ENGINE"], "image", "rm", reference)


@pytest.mark.parametrize("made", IMAGES, indirect=True)
def test_an_ordinary_image_runs(request: pytest.FixtureRequest, made: Ordinary, space: Space) -> None:
    tag = request.node.callspec.params["made"]
    upgrade(space, image={"repository": "localhost/chainlit-ordinary", "tag": tag})
    await_reply(space, "hello", "echo: hello")
    space.await_ready("chat-chainlit")
    if "public/style.css" in made.files:
        assert fetch(space, "/chat/public/style.css").body == b"body {}\n"
        assert json.loads(fetch(space, "/chat/project/settings").body)["ui"]["name"] == "Helpdesk"
