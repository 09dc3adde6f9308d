# Lets other sites use the app: writes allow_origins into the image's config.toml. Arguments: this file in the app root, the
# text of the whole file if the image has none, and the origins.
import json, os, re, sys

path, default, *origins = sys.argv[1:]
line = "allow_origins = " + json.dumps(origins)


def changed(text):
    for pattern in (r"^[ \t]*allow_origins[ \t]*=[ \t]*\[[^\]]*\]", r"^[ \t]*\[[ \t]*project[ \t]*\][ \t]*(?=#|$)"):
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            kept = "" if "allow" in found[0] else found[0].rstrip() + "\n"
            return text[: found.start()] + kept + line + ("\n" if kept else "") + text[found.end() :]
    return text.rstrip("\n") + "\n\n[project]\n" + line + "\n"


try:
    text = default
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text = changed(file.read())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
except (OSError, UnicodeError) as error:
    sys.exit(f"embed.origins cannot be written to {path}: {error}. Set allow_origins in chainlit.config instead.")
print(f"{path} has {line}.")
