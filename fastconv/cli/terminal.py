"""Whether a terminal reads what is printed, and the styles that it then gets; the last of it."""

import os
import sys

BOLD, RED, GREEN = "1", "31", "32"


def is_styled() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if text and is_styled() else text


def flush() -> None:
    """What cannot be written is dropped, as the interpreter would try again when it ends."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        raise
