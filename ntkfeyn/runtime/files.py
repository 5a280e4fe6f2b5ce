"""Files: read up to a stated size, written beside and renamed, so that nobody sees half a file.

Enters: paths that a user names. Leaves: bytes, or files; what cannot be read or written is refused beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ntkfeyn.errors import NtkfeynError, bad_request, too_large


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file of at most ``most`` bytes: a device or a pipe could go on for ever.

    Raises NtkfeynError if it cannot be read or is no regular file, LimitError if it is larger.
    """
    try:
        if not S_ISREG(path.stat().st_mode):
            raise NtkfeynError(f"cannot read '{path}': it is no regular file; try another file")
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise NtkfeynError(f"cannot read '{path}': {reason}; try another file") from error
    if len(data) > most:
        raise too_large(f"'{path}' has more than {most} bytes", "no more are read", "a smaller file")
    return data


def read_toml(path: Path, most: int, what: str, allowed: str) -> dict[str, Any]:
    """The tables of a TOML file; ``what`` it is and what is ``allowed`` there stand in the messages.

    Raises NtkfeynError if it cannot be read or is no TOML.
    """
    import tomllib

    data = read_file(path, most)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise bad_request(
            f"the {what} '{path}' is not UTF-8", "a TOML file is allowed", "the file saved as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError, as is an integer too long
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise bad_request(f"the {what} '{path}' is not TOML ({reason})", allowed) from error


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


def write_below(directory: Path, files: Mapping[str, str | bytes]) -> tuple[Path, ...]:
    """Write files by name relative to a directory; nothing is written unless all of them can be, below it.

    Raises NtkfeynError for a name, or a link on the way, that leads out of the directory, or if one cannot be written.
    """
    paths = []
    for name in files:
        path = directory / name
        try:
            below = path.resolve().is_relative_to(directory.resolve()) and path.resolve() != directory.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise _unwritable(path, error) from error
        if not below:
            raise NtkfeynError(
                f"'{path}' leads out of '{directory}', where files were to be written; remove the link, or choose"
                " another directory"
            )
        check_writable(path)
        paths.append(path)
    return tuple(write_file(path, text) for path, text in zip(paths, files.values(), strict=True))


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
