"""The same chat mounted in another app, as `uvicorn mounted:app` serves it; the environment says where.

MOUNT_PATH is where Chainlit is mounted (default: /chainlit), OUTER_ROOT_PATH the prefix that FastAPI gets.
"""

import os

from chainlit.utils import mount_chainlit
from fastapi import FastAPI


async def alive() -> dict[str, str]:
    """Answer probes; they are the outer app's."""
    return {"status": "ok"}


app = FastAPI(root_path=os.environ.get("OUTER_ROOT_PATH", ""))
app.add_api_route("/alive", alive)
mount_chainlit(app=app, target="/app/app.py", path=os.environ.get("MOUNT_PATH", "/chainlit"))
