"""Parquet files that are not what was written, as pyarrow finds them by their form and their checksums."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from andon.batch.asking import is_forbidden
from andon.errors import InputError


class DamagedError(InputError):
    """A file is not what was written."""


@contextmanager
def finding_damage() -> Iterator[None]:
    """pyarrow says it by errors of two kinds; the second is plain, unlike those of disks and stores.

    Raises:
        DamagedError: in place of either.
    """
    try:
        yield
    except pa.ArrowInvalid as error:
        raise DamagedError(str(error)) from None
    except OSError as error:
        if type(error) is not OSError or error.errno is not None or is_forbidden(error):
            raise
        raise DamagedError(str(error)) from None
