"""One writer at a time: a lock on a folder that the system gives up by itself when its holder dies.

Where the file system has no locks, a file that names its owner stands for one: it is made by one process alone, and is
believed until its owner has ended for certain, which can be seen on the owner's machine only.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn

from ganaug.errors import OutputInUseError, UnwritableError
from ganaug.files.integrity import open_plain, sha256
from ganaug.files.owner import Owner, gone_by

LOCK = ".lock"  # stays in the folder; it is the lock on it that counts, not that it exists
OWNER = "-owner"  # the end of the name of the file that stands for a lock
LOCKS = frozenset({LOCK, LOCK + OWNER})
TRIES = 100  # times that others may get in between, before one gives up
_HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_NONE = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
_ELSEWHERE = "Choose a folder on another file system."

if os.name == "posix":
    import fcntl

    def _lock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def keep(file: IO[Any]) -> None:
        """Tell `unread` that a file is read, as long as it, or a memory map of it, is open in any process."""
        with contextlib.suppress(OSError):  # without locks nothing counts as unread
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
else:
    import msvcrt

    def _lock(file: IO[Any]) -> None:
        file.seek(1 << 20)  # beyond what is written, so that the holder's name can be read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

    def keep(file: IO[Any]) -> None:
        """Nothing to do: this system removes no file that is open."""


class _NoLocks(UnwritableError):
    """The file system has no locks."""


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold `folder` for writing. Raises OutputInUseError, naming the holder, if another process holds it.

    The lock belongs to an open file, so it ends with the process however that ends: nothing has to be cleaned up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _sole(folder / LOCK, folder, remove=False):
        yield


@contextmanager
def sole_maker(path: Path) -> Iterator[Path]:
    """Hold the making of a file or folder that does not exist yet; gives the name under which to write it, beside it.

    What a killed process left under that name is removed; the lock goes when the work is done. Raises OutputInUseError,
    naming the holder, if another process is making it.
    """
    lock, part = (path.parent / f".{path.name}.{end}" for end in ("lock", "part"))
    with _sole(lock, path, remove=True):
        try:
            shutil.rmtree(part, ignore_errors=True)
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def part_file(folder: Path, prefix: str) -> Iterator[tuple[io.BufferedRandom, Path]]:
    """A new file to write into, held as long as it is written, so that others can tell it from one whose writer died.
    It is removed in the end, unless it was put into place."""
    for _ in range(TRIES):
        handle, name = tempfile.mkstemp(dir=folder, prefix=f"{prefix}{Owner.myself().mark}.")
        with os.fdopen(handle, "wb+") as file:
            try:
                with contextlib.suppress(_NoLocks):  # then its name says whose it is
                    if not hold(file, Path(name)):
                        continue
                yield file, Path(name)
                return
            finally:
                Path(name).unlink(missing_ok=True)
    _give_up(folder)


def put_in_place(file: io.BufferedRandom, part: Path, place: Path) -> None:
    """Put what was written to a part file into its place, at once."""
    file.flush()
    part.chmod(0o644)
    if os.name != "posix":
        file.close()  # other systems move no open file
    os.replace(part, place)


def remove_abandoned(file: Path) -> bool:
    """Remove a file that nobody holds: its writer was killed. Gives whether it is gone."""
    with contextlib.suppress(OSError), file.open("rb+") as opened:
        try:
            abandoned = _try(opened, file)
        except _NoLocks:
            abandoned = any(map(gone_by, file.name.split(".")[-2:-1]))
        if not abandoned:
            return False
        file.unlink()
    return not file.exists()


def unread(path: Path) -> bool:
    """Whether nobody holds or reads a file; not known where the file system has no locks, which counts as no."""
    with contextlib.suppress(OSError, UnwritableError), path.open("rb+") as file:
        return _try(file, path)
    return False


def hold(file: IO[Any], path: Path) -> bool:
    """Hold an open file until it is closed; False if another process holds it, or has just removed it. Raises
    UnwritableError where the file system has no locks."""
    return _try(file, path) and not _removed(file, path)


def _removed(file: IO[Any], path: Path) -> bool:
    """Whether an open file no longer lies there: it, or the folder around it, was removed or moved away."""
    if os.name != "posix":
        return False
    try:
        return not os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return True


def _try(file: IO[Any], path: Path) -> bool:
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _HELD:
            return False
        reason = error.strerror or str(error)
        if error.errno in _NONE:
            raise _NoLocks(f"The file system of {path} has no locks: {reason}.", _ELSEWHERE) from error
        raise UnwritableError(f"{path} cannot be locked: {reason}.", _ELSEWHERE) from error
    return True


@contextmanager
def _sole(lock: Path, what: Path, *, remove: bool) -> Iterator[None]:
    """Hold a lock file, or make the file that stands for a lock. Each of the two ways first says that it is there, and
    then looks for the other one, so that processes for which locks do and do not work keep apart too."""
    claim = lock.with_name(lock.name + OWNER)
    for _ in range(TRIES):
        with os.fdopen(open_plain(lock, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+") as file:
            try:
                if not _try(file, what):
                    _refuse(what, _signed(file))
                if _removed(file, lock):
                    continue  # another process has just finished, and removed the lock
                way = _by_lock(file, claim, what)
            except _NoLocks as none:
                way = _by_claim(file, claim, what, none)
            with way:
                try:
                    yield
                finally:
                    if remove:
                        lock.unlink(missing_ok=True)
            return
    _give_up(what)


@contextmanager
def _by_lock(file: BinaryIO, claim: Path, what: Path) -> Iterator[None]:
    file.seek(0)
    file.truncate()
    file.write(Owner.myself().to_bytes())
    file.flush()
    try:
        if os.path.lexists(claim) and not _clear(claim):
            _refuse(what, _claimant(claim), claim)
        yield
    finally:
        file.truncate(0)


@contextmanager
def _by_claim(file: BinaryIO, claim: Path, what: Path, none: _NoLocks) -> Iterator[None]:
    mine = Owner.myself().to_bytes()
    for _ in range(TRIES):
        try:
            handle = os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o644)
            break
        except FileExistsError:
            if not _clear(claim):
                _refuse(what, _claimant(claim), claim, none.cause)
    else:
        _give_up(what)
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(mine)
        other = _signed(file)
        if other is not None and not other.gone:
            _refuse(what, other, claim.with_name(claim.name.removesuffix(OWNER)), none.cause)
        yield
    finally:
        with contextlib.suppress(OSError):
            if claim.read_bytes() == mine:
                claim.unlink()


def _clear(claim: Path) -> bool:
    """Remove a claim whose owner has ended for certain; whether it is gone. Of several processes that see the same one
    only one may remove it, so that none removes what another has made since."""
    try:
        content = claim.read_bytes()
        owner = Owner.of(content)
        if owner is None or not owner.gone:
            return False
        turn = claim.with_name(f"{claim.name}-{sha256(content)[:8]}")
        os.close(os.open(turn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileNotFoundError:
        return True
    except FileExistsError:
        return False
    try:
        if claim.read_bytes() == content:
            claim.unlink()
    except FileNotFoundError:
        pass
    finally:
        turn.unlink()
    return True


def _signed(file: BinaryIO) -> Owner | None:
    with contextlib.suppress(OSError):
        file.seek(0)
        return Owner.of(file.read(1000))
    return None


def _claimant(claim: Path) -> Owner | None:
    with contextlib.suppress(OSError):
        return Owner.of(claim.read_bytes()[:1000])
    return None


def _refuse(what: Path, owner: Owner | None, claim: Path | None = None, none: str = "") -> NoReturn:
    """claim: the file that says so, where no lock does."""
    fix = "Wait for it to end, stop it, or choose another folder."
    if claim is not None and (owner is None or not owner.near):
        fix = f"Wait for it to end, or stop it. If it has ended, which cannot be seen from here, remove {claim}."
    raise OutputInUseError(f"{what} is being written by {owner or 'another process'}. {none}".rstrip(), fix)


def _give_up(what: Path) -> NoReturn:
    raise OutputInUseError(f"{what} is being written by others all the time.", "Wait, or choose another name.")
