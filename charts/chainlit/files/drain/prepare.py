# Puts the drain where the app's Python finds it. Arguments: the file, the directory, PYTHONPATH of the values. Where these
# have none, that of the image is here, which the pod hides from the app: the drain adds its directories.
import os, shutil, sys

file, directory, given = sys.argv[1:]
try:
    shutil.copyfile(file, os.path.join(directory, "sitecustomize.py"))
    with open(os.path.join(directory, "pythonpath"), "w", encoding="utf-8") as path:
        path.write("" if given else os.environ.get("PYTHONPATH", ""))
except OSError as error:
    sys.exit(f"The drain cannot be put into {directory}: {error}. Set drain.enabled to false to start without it.")
