"""Tables as people export them: with commas, semicolons, tabs or spaces, in UTF-8 or the code page of a Windows."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from andon.errors import DatasetError

SEPARATORS = ",;\t|"
CODE_PAGES = ("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "cp949", "big5")
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MAX_BYTES = 256 * 2**20
SNIFFED = 50  # lines

Rows = list[list[str]]


def readings(path: Path) -> Iterator[Rows]:
    """The rows of a table, as each encoding that the file may be in gives them, the likeliest first.

    Raises:
        DatasetError: it is not text, or not a table.
    """
    for text in texts(path):
        try:
            yield _rows(text)
        except csv.Error as error:
            raise DatasetError(f"{path} cannot be read as a table ({error}); {HOW_TO_GO_ON}") from None


HOW_TO_GO_ON = "save it as CSV in UTF-8, or pass --ignore-labels to go by the folders alone."


def texts(path: Path) -> Iterator[str]:
    """A file's text in each encoding that it may be in, the likeliest first; at least one.

    Raises:
        DatasetError: it is not text, cannot be opened or is too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatasetError(f"{path} has more than {MAX_BYTES >> 20} MB, too many for labels; {HOW_TO_GO_ON}")
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened ({error.strerror or error}); {HOW_TO_GO_ON}") from None
    marked = [encoding for mark, encoding in MARKS.items() if data.startswith(mark)]
    n_found = 0
    for encoding in marked or ("utf-8", *CODE_PAGES):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            n_found += 1
            yield text
        if encoding == "utf-8":
            break  # what is valid UTF-8 is hardly ever anything else
    if not n_found:
        raise DatasetError(f"{path} is not text that Andon can read; {HOW_TO_GO_ON}")


def _rows(text: str) -> Rows:
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:  # Excel's own
        return _split(lines[1:], lines[0].strip()[-1])
    return _split(lines, _separator(lines))


def _split(lines: list[str], separator: str | None) -> Rows:
    if separator is None:
        return [line.split() for line in lines]
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _separator(lines: list[str]) -> str | None:
    """The one that cuts most lines into the same number of cells, more than one; None for white space."""
    best, agreement = None, 0
    for separator in SEPARATORS:
        n_cells = [len(row) for row in csv.reader(lines[:SNIFFED], delimiter=separator)]
        most = max(set(n_cells), key=n_cells.count, default=1)
        if most > 1 and n_cells.count(most) > agreement:
            best, agreement = separator, n_cells.count(most)
    return best
