"""Install the Python packages of app.requirements beside those of the image, which keep their versions.

The Python of the app's image runs it in a pod. Arguments: file with the requirements, directory for the packages,
PYTHONPATH of the values. What is there already stays, so a volume may keep the packages for the next pod.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

DONE = ".complete"


def pip(*arguments, **options):
    """Run pip with the Python of the image."""
    return subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], **options)


def versions(directory):
    """Return a file that holds the packages of the image to their versions, and so Chainlit to its own."""
    # Not `pip freeze`: it writes a package that came from a file with its address, which no constraint may have.
    listed = pip("list", "--format=freeze", check=True, capture_output=True, text=True).stdout
    path = os.path.join(directory, "image.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in listed.splitlines() if "==" in line)
    return path


def install(requirements, into):
    """Install into a new directory beside the wanted one, and rename it when it is complete."""
    parent = os.path.dirname(into)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".new-") as work:
        options = ["--prefix", f"{work}/prefix", "--constraint", versions(work), "--requirement", requirements]
        # Wheels of models are larger than /tmp.
        environment = {**os.environ, "TMPDIR": work, "HOME": work, "PIP_NO_CACHE_DIR": "1", "PYTHONUNBUFFERED": "1"}
        quiet = ["--no-input", "--no-warn-script-location", "--no-warn-conflicts", "--progress-bar=off"]
        if pip("install", *quiet, *options, env=environment).returncode:
            sys.exit(
                "error: The packages of app.requirements cannot be installed; pip says why above. Versions of the image"
                " stay as they are: leave yours open where they conflict, or build an image. For another package"
                " index, set env.PIP_INDEX_URL."
            )
        # lib and lib64, site-packages and dist-packages: images differ.
        packages = os.path.join(work, "packages")
        os.makedirs(packages)
        for found in sorted(glob.glob(f"{work}/prefix/**/*-packages", recursive=True)):
            shutil.copytree(found, packages, symlinks=True, dirs_exist_ok=True, copy_function=os.rename)
        open(os.path.join(packages, DONE), "w").close()
        try:
            os.rename(packages, into)
        except OSError:
            if not os.path.exists(os.path.join(into, DONE)):  # another pod was faster
                raise


def main(requirements, into, python_path):
    """Install, unless the directory is complete."""
    if os.environ.get("PYTHONPATH") and not python_path:
        sys.exit(
            f"error: The image sets PYTHONPATH={os.environ['PYTHONPATH']}, which app.requirements would replace. Set"
            " env.PYTHONPATH to this value; the chart adds the packages to it."
        )
    if os.path.exists(os.path.join(into, DONE)):
        print("The packages of app.requirements are there.")
        return
    if pip("--version", capture_output=True).returncode:
        sys.exit(
            f"error: app.requirements needs pip, and {sys.executable} of the image has none. Keep pip in the image, or"
            " install the packages when you build it."
        )
    install(requirements, into)
    print("The packages of app.requirements are installed.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: The packages of app.requirements cannot be installed: {error}.")
