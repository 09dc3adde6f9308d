"""A FastAPI app that mounts the chat at /chat."""

from __future__ import annotations

from pathlib import Path

from chainlit.utils import mount_chainlit
from fastapi import FastAPI

app = FastAPI()
mount_chainlit(app=app, target=str(Path(__file__).with_name("app.py")), path="/chat")
