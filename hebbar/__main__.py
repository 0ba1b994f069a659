"""``python -m hebbar``."""

from .cli import main

main()
