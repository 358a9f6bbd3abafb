"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` in UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file as a whole or not at all; see `being_written`."""
    with being_written(path) as file:
        file.write(content)


@contextmanager
def being_written(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which is there as a whole or not at all.

    The content goes to a new file in the same folder, which takes the place of `path` once all of it is on the disk.
    Whatever happens before (a full disk, Ctrl-C), a file that was there stays as it was. A link stays a link, and a
    file that was there keeps its permissions. Pipes and devices, such as ``/dev/stdout``, are written to as they are.

    Raises
    ------
    OSError
        With the `path` as its file name.
    """
    status = check_writable(path)
    if status is not None and _is_stream(path, status):
        with open(path, "ab") as stream:  # "ab" keeps what is in the file that /dev/stdout may stand for
            yield stream
        return
    place = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(place), f".normball-{secrets.token_hex(8)}")
    try:
        # the kernel applies the umask to 0o666; to ask for the umask is to change it for all threads
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        if status is not None:
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
        os.replace(temporary, place)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from None
        raise


def check_writable(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Raise the OSError that writing there would raise, where that can be told beforehand.

    Returns
    -------
    os.stat_result or None
        That of the file that is there.
    """
    folder = os.path.dirname(os.path.realpath(path))
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    if status is not None and stat.S_ISDIR(status.st_mode):
        problem = errno.EISDIR
    elif status is not None and not os.access(path, os.W_OK):
        problem = errno.EACCES
    elif status is not None and _is_stream(path, status):
        return status
    elif os.path.exists(folder) and not os.path.isdir(folder):
        problem = errno.ENOTDIR
    elif not os.path.isdir(folder):
        named = folder if os.path.islink(path) else os.path.dirname(path)
        raise OSError(errno.ENOENT, f'there is no folder "{named}"', os.fspath(path))
    elif not os.access(folder, os.W_OK):  # where the new file is made before it takes the place
        problem = errno.EACCES
    else:
        return status
    raise OSError(problem, os.strerror(problem), os.fspath(path))


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise the OSError that making this folder, and others above it, would raise."""
    place = os.path.realpath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        problem = errno.ENOTDIR
    elif not os.access(place, os.W_OK | os.X_OK):
        problem = errno.EACCES
    else:
        return
    raise OSError(problem, os.strerror(problem), os.fspath(path))


def _is_stream(path: str | os.PathLike[str], status: os.stat_result) -> bool:
    """Whether there is nothing to replace: a pipe or a device, or the open file that /dev/stdout stands for."""
    return not stat.S_ISREG(status.st_mode) or os.path.abspath(path).startswith(("/dev/std", "/dev/fd/", "/proc/"))
