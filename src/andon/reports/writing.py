"""How the files of a report are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from andon.errors import InputError
from andon.files import write_whole


def write_file(path: Path, data: bytes) -> None:
    """Write one file, whole or not at all, making its folder.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path} cannot be written ({reason}); choose a folder that you may write to.") from None


def write_text(path: Path, text: str) -> None:
    r"""As `write_file`, in UTF-8; what file names hold that is not UTF-8 is written like "\udcff".

    Raises:
        InputError: the file cannot be written.
    """
    write_file(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """As `write_text`, indented.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False))
