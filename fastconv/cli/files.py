"""Files that a command is to write."""

import argparse
from pathlib import Path


def output(path: str) -> Path:
    """Found wrong before the work is done, not after."""
    file = Path(path)
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder, takes a file")
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"no folder {file.parent} to write {file.name} in")
    return file
