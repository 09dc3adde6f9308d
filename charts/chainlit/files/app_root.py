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
