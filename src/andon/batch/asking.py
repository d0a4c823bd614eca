"""Stores asked again and again; and what their errors mean, of which each kind of file system has its own."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TypeVar

from andon.errors import InputError

T = TypeVar("T")

FIRST_PAUSE = 0.5  # seconds, before a store that did not answer is asked again; each pause is twice the one before
TRIES = 8  # a minute, in the middle of the work
LONGEST = 60.0  # seconds, after which it is not asked again: some packages wait that long before they say anything

MISSING = {404, 0xC0000034, 0xC000003A, 0xC00000CC, 0xC0000225}
FORBIDDEN = {401, 403, 0xC0000022}
FULL = {0xC000007F, 0xC0000044, 0xC00000A2}
BUSY = {0xC0000043, 0xC0000056}
"""As HTTP and SMB say it: STATUS_OBJECT_NAME_NOT_FOUND, _OBJECT_PATH_NOT_FOUND, _BAD_NETWORK_NAME, _NOT_FOUND; then
_ACCESS_DENIED; _DISK_FULL, _QUOTA_EXCEEDED, _MEDIA_WRITE_PROTECTED; _SHARING_VIOLATION, _DELETE_PENDING."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG}
WRONG_PATH = {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
CREDENTIALS = "give your credentials, as the store's own tools take them"


class PlaceError(InputError):
    """A folder or store that cannot be read or written.

    Attributes:
        is_final: whether it is of no use to try again.
    """

    is_final = False


def ask(act: Callable[[], T], where: str, tries: int) -> T:
    """What `act` gives, which asks a store for something.

    Args:
        where: what it asks for.
        tries: how often a store that does not answer is asked.

    Raises:
        PlaceError: it cannot be had.
        FileNotFoundError: it is not there.
    """
    attempt, started = 0, time.monotonic()
    while True:
        try:
            return act()
        except InputError:
            raise
        except Exception as caught:  # each file system has errors of its own
            error = _cause(caught)
            if is_missing(error):
                raise FileNotFoundError(errno.ENOENT, _reason(error), where) from caught
            attempt += 1
            refused = refusal(error, where)
            most = TRIES if BUSY & _codes(error) else tries
            if refused.is_final or attempt >= most or time.monotonic() - started > LONGEST:
                raise refused from caught
        time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))


def is_missing(error: Exception) -> bool:
    """Whether it says that there is no such file."""
    is_said = isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == errno.ENOENT
    return is_said or bool(MISSING & _codes(error))


def exists_already(error: Exception) -> bool:
    """Whether it says that there is such a file."""
    return isinstance(error, FileExistsError) or getattr(error, "errno", None) == errno.EEXIST


def is_login(error: Exception) -> bool:
    """Whether it says that the credentials are missing or wrong."""
    kinds = ("Credential", "Authentication", "Logon", "Signing")
    return any(kind in type(error).__name__ for kind in kinds)


def is_forbidden(error: Exception) -> bool:
    """Whether it says that one may not do this."""
    is_said = isinstance(error, PermissionError) or str(error).startswith("Forbidden: ")  # of gcsfs
    return is_said or bool(FORBIDDEN & _codes(error))


def refusal(error: Exception, where: str) -> PlaceError:
    """The error in one sentence."""
    advice = _advice(error)
    refused = PlaceError(
        f"{where} cannot be used ({_reason(error)}); "
        f"{advice or 'check the address, and that it can be reached from here'}."
    )
    refused.is_final = bool(advice)
    return refused


def _advice(error: Exception) -> str:
    """What the user can do; "" where it may be enough to try again."""
    if is_login(error):
        return CREDENTIALS
    if is_forbidden(error):
        return "check your credentials, and what you may read and write there"
    if getattr(error, "errno", None) in NO_ROOM or FULL & _codes(error):
        return "make room, or choose another place"
    if is_missing(error) or getattr(error, "errno", None) in WRONG_PATH or exists_already(error):
        return "check the path"
    return ""


def _cause(error: Exception) -> Exception:
    """What lies behind it; the web's file system says of whatever it cannot reach that it is not there."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and isinstance(cause, Exception) and not is_missing(cause):
        return cause if _codes(cause) or isinstance(cause, OSError) else error
    return error


def _codes(error: Exception) -> set[int]:
    """The numbers by which HTTP and SMB tell errors apart."""
    found = [getattr(error, name, None) for name in ("status", "status_code", "code", "ntstatus")]
    return {int(one) for one in found if isinstance(one, int) or (isinstance(one, str) and one.isdecimal())}


def _reason(error: Exception) -> str:
    """In the error's own words, without a full stop."""
    said = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
    if is_missing(error) and (not said or "://" in said):  # an address that it asked
        return os.strerror(errno.ENOENT)
    return (said or type(error).__name__).strip().rstrip(".")
