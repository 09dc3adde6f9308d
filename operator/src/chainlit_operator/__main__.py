"""``python -m chainlit_operator`` is the same command as ``chainlit-operator``."""

from chainlit_operator.cli import main

if __name__ == "__main__":
    main()
