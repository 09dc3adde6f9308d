"""The app that runs until there is one of your own: it says how to bring yours."""

import chainlit as cl

HELP = """\
Chainlit runs here, without an app of your own. To bring yours, put it into an `app.py` and run

```
helm upgrade <release> <chart> --reset-then-reuse-values --set-file 'app.files.app\\.py=app.py'
```

Python packages that it needs go to `app.requirements`. Or build an image: `FROM` this one, and `COPY app.py /app/`.
"""


@cl.on_chat_start
async def greet() -> None:
    """Say how to bring an app."""
    await cl.Message(content=HELP).send()


@cl.on_message
async def echo(message: cl.Message) -> None:
    """Answer with what was said, which proves that the path works."""
    await cl.Message(content=f"echo: {message.content}").send()
