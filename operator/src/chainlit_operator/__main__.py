"""``python -m chainlit_operator`` and the command ``chainlit-operator``."""

from chainlit_operator.cli import main

if __name__ == "__main__":
    main()
