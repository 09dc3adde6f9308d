"""The judge: chats through the edge every second while faults are planted, and compares each second with Ready."""
