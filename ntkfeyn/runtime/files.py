"""Files: written beside and renamed, so that nobody sees half a file; what cannot be written is refused beforehand."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ntkfeyn.errors import NtkfeynError


def write_file(path: Path, content: str | bytes | Iterable[str]) -> Path:
    """Write beside and rename: a reader never sees half a file. Links are followed; devices and pipes written to.

    Text that comes in pieces is written as it comes.

    Raises NtkfeynError if it cannot be written.
    """
    whole = [content] if isinstance(content, str | bytes) else content
    data = (piece.encode() if isinstance(piece, str) else piece for piece in whole)
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as device:
                device.writelines(data)
            return path
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data)
    except (OSError, RuntimeError) as error:
        raise _unwritable(path, error) from error
    return path


def check_writable(path: Path, *, directory: bool = False) -> None:
    """Raises NtkfeynError if a file, or files in a directory, cannot be written there: asked before long work."""
    reason = ""
    try:
        target = path.resolve()
        place = target if directory else target.parent
        while not place.exists():
            place = place.parent
        if target.is_dir() and not directory:
            reason = "it is a directory"
        elif not place.is_dir():
            reason = f"'{place}' is no directory"
        elif not target.exists() and not os.access(place, os.W_OK | os.X_OK):
            reason = f"'{place}' is not writable"
    except (OSError, RuntimeError) as error:
        raise _unwritable(path, error) from error
    if reason:
        raise _unwritable(path, NtkfeynError(reason))


def _replace(target: Path, data: Iterable[bytes]) -> None:
    """Write beside, under a name that nobody else has, and rename."""
    # named before it is made: whenever an interrupt comes, what is there is removed
    temporary = target.with_name(f".{target.name[:60]}.{os.urandom(6).hex()}")
    try:
        with temporary.open("xb") as stream:
            stream.writelines(data)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: BaseException) -> NtkfeynError:
    reason = getattr(error, "strerror", None) or str(error)
    return NtkfeynError(f"cannot write '{path}': {reason}; try another file or directory")
