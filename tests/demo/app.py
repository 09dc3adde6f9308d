"""The smallest Chainlit app that proves a working path: it answers every message with the message."""

import chainlit as cl


@cl.on_message
async def echo(message: cl.Message) -> None:
    """Answer with what was said."""
    await cl.Message(content=f"echo: {message.content}").send()
