"""Whether a terminal reads what is printed, and the few styles that it then gets."""

import os
import sys

BOLD, RED, GREEN = "1", "31", "32"


def is_styled() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if text and is_styled() else text
