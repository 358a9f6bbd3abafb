"""Files are written as a whole or not at all, whatever goes wrong meanwhile."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import normball as nb
from normball.files import write_bytes, write_text


def failing(monkeypatch, name, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(f"normball.files.os.{name}", fail)


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()],
    ids=lambda e: type(e).__name__,
)
def test_what_was_there_stays_whatever_happens(step, error, tmp_path, monkeypatch):
    place = tmp_path / "page.html"
    place.write_text("before")
    with monkeypatch.context() as patch:
        failing(patch, step, error)
        with pytest.raises(type(error)) as caught:
            write_text(place, "after")
    if isinstance(error, OSError):
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(place))
    assert place.read_text() == "before"
    assert os.listdir(tmp_path) == ["page.html"]
    write_text(place, "after")
    assert place.read_text() == "after"
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_full_disk(tmp_path):
    """The limit on the size of files stands in for a full disk: the write ends half way."""
    code = """
import resource, signal, sys
from normball.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
try:
    write_bytes(sys.argv[1], bytes(5000))
finally:  # what measures coverage writes afterwards
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""
    place = tmp_path / "model.json"
    place.write_text("before")
    done = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{place}'"
    assert place.read_text() == "before"
    assert os.listdir(tmp_path) == ["model.json"]


def test_permissions(tmp_path):
    plain, place, private = tmp_path / "plain", tmp_path / "new", tmp_path / "private"
    plain.touch()
    private.touch(mode=0o600)
    for one in (place, private):
        write_text(one, "text")
    assert place.stat().st_mode == plain.stat().st_mode
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_the_umask_of_other_threads_is_left_alone(tmp_path, monkeypatch):
    """Asking for the umask means setting it, for all threads of the process."""
    failing(monkeypatch, "umask", AssertionError("the umask was touched"))
    write_text(tmp_path / "file", "text")
    nb.fit_path(np.eye(4), np.arange(4.0), n_lambdas=2).save(tmp_path / "model.json")


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link", tmp_path / "folder" / "target"
    link.symlink_to(target)
    for text in ("one", "two"):  # a link to nothing yet, then to a file
        write_text(link, text)
        assert link.is_symlink()
        assert target.read_text() == text


def test_a_long_name(tmp_path):
    place = tmp_path / ("n" * 250 + ".json")
    write_text(place, "text")
    assert place.read_text() == "text"


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_bytes(pipe, b"content")
    reader.join()
    assert read == [b"content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_bytes("/dev/null", b"content")


def test_stdout_that_is_a_file_keeps_what_was_printed(tmp_path):
    code = (
        "import sys; from normball.files import write_text; print('one', flush=True); write_text('/dev/stdout', 'two')"
    )
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "one\ntwo"


def places(tmp_path: Path) -> dict[str, type[OSError]]:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("before")
    return {
        "folder": IsADirectoryError,
        "nowhere/file": FileNotFoundError,
        "file/below": NotADirectoryError,
    }


def test_places_where_no_file_can_be(tmp_path):
    for name, error in places(tmp_path).items():
        with pytest.raises(error) as caught:
            write_text(tmp_path / name, "text")
        assert caught.value.filename == str(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_places_that_are_write_protected(protected, tmp_path, monkeypatch):
    """The answer of `os.access` is planted, since root may write everywhere."""
    place = tmp_path / "file"
    place.write_text("before")
    closed = place if protected == "file" else tmp_path
    monkeypatch.setattr("normball.files.os.access", lambda path, _: Path(path) != closed)
    with pytest.raises(PermissionError) as caught:
        write_text(place, "after")
    assert caught.value.filename == str(place)
    assert place.read_text() == "before"
