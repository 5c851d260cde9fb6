"""``python -m cospal_cli``."""

from cospal_cli.cli import main

if __name__ == "__main__":
    main()
