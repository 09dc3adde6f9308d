"""The app root of a pod: a writable volume that shows the files of the image.

Chainlit writes to its app root at the start, and an ordinary image has it in its working directory, which is read-only.
An init container of the same image fills the volume: it copies ``.chainlit``, where Chainlit adds files, and links
everything else. The app chart has the same script in ``files/app_root.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainlit_operator.domain import chainlit

CONTAINER = "app-root"
VOLUME = "app-root"
#: Where the init container has the volume. In the app it is at the app root, where it hides the image's files.
MOUNT = "/run/app-root"

SCRIPT = """\
# Fills the app root from the image. Arguments: app root, the volume's path here, directory of the image (empty: that of
# Chainlit), a mounted ConfigMap with files that win (or empty), names that the pod mounts. Files in the volume stay.
import os, shutil, sys

app_root, volume, source, files, *mounted = sys.argv[1:]
source = os.path.abspath(source or os.environ.get("CHAINLIT_APP_ROOT") or os.getcwd())


def copy(directory, target):
    os.makedirs(target, exist_ok=True)
    for entry in os.scandir(directory):
        place = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            copy(entry.path, place)
        elif not os.path.lexists(place):
            shutil.copy(entry.path, place, follow_symlinks=False)


def fill():
    if files:
        copy(os.path.join(files, "..data"), volume)
    if os.path.isdir(app_root):  # the volume hides it
        copy(app_root, volume)
    for name in os.listdir(source) if os.path.isdir(source) else ():
        path, place = os.path.join(source, name), os.path.join(volume, name)
        if os.path.islink(place) and os.readlink(place) == path:
            os.unlink(place)
        if name == ".chainlit" and os.path.isdir(path):
            copy(path, place)  # Chainlit adds files
        elif not (name in (".files", *mounted) or os.path.lexists(place) or f"{app_root}/".startswith(f"{path}/")):
            os.symlink(path, place)


try:
    fill()
except OSError as error:
    sys.exit(f"The app root cannot be filled from {source}: {error}. Let everybody read the files of the image, or set"
             " chainlit.appRoot.path to an empty text: then the image itself must have a writable app root.")
print(f"{app_root} has the files of {source}.")
"""


def path(fields: Mapping[str, Any]) -> str:
    """Return the path of the app root of filled template ``fields``; empty if the image decides.

    A variable of the user's own wins: its directory is the user's matter.
    """
    if any(entry["name"] == chainlit.APP_ROOT for entry in fields.get("env", [])):
        return ""
    found: str = fields["chainlit"]["appRoot"].get("path", "")
    return found.removesuffix("/")


def init_container(fields: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Return the init container that fills the app root ``root``: the app's image, rights and resources.

    It has the volumes of the user's own, because Chainlit's files may be there; those in the app root come later.
    """
    settings = fields["chainlit"]["appRoot"]
    own = [mount for mount in fields.get("extraVolumeMounts", []) if not _is_inside(mount.get("mountPath", ""), root)]
    given = {
        "imagePullPolicy": fields.get("imagePullPolicy"),
        "resources": fields.get("resources"),
        "securityContext": fields.get("securityContext"),
    }
    return {
        "name": CONTAINER,
        "image": fields["image"],
        "command": _command(settings, root),
        "volumeMounts": [{"name": VOLUME, "mountPath": MOUNT}, *own],
        **{name: value for name, value in given.items() if value},
    }


def _command(settings: Mapping[str, Any], root: str) -> Sequence[str]:
    """The image's Python, without what the image has it read at the start, and without its working directory."""
    python = settings.get("python") or "python3"
    return [python, "-IS", "-c", SCRIPT, root, MOUNT, settings.get("imageDir", ""), ""]


def _is_inside(place: str, root: str) -> bool:
    return f"{place}/".startswith(f"{root}/")
