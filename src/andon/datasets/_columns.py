"""What the columns of a table mean: which one names the photos, which one says whether they are OK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from andon.datasets._photo_index import PhotoIndex
from andon.datasets._tables import Rows
from andon.datasets._tree import SPLIT_NAMES
from andon.datasets._vocabulary import listed
from andon.datasets._words import ClassNames, is_unknown, some, words_of
from andon.errors import DatasetError

LABEL_HEADERS = listed("""
    label labels class classes classid classname category target targets y verdict result results status state quality
    judgement judgment decision groundtruth gt truth annotation labelname labelindex imagelabel
    klasse urteil ergebnis bewertung befund etikett etiquette classe resultat etiqueta clase resultado etichetta
    risultato
    标签 类别 標籤 結果 判定 ラベル 分類 라벨 판정
""")
SPLIT_HEADERS = listed("split set subset partition usage phase dataset fold datasplit")
MASK_HEADERS = listed("mask masks maskpath maskfile groundtruthpath gtpath segmentation")
OWN_HEADERS = frozenset({"threshold", "p_value", "sigma"})
"""Columns of the rows that Andon writes: verdicts are not labels."""
TICKED = listed("1 true yes y x ja oui si sim wahr vrai ✓ ✔")
UNTICKED = listed("0 false no n nein non nao falsch faux none -")
SAY_FROM = "say from which on a photo is NG with --ng-from, such as --ng-from 0.5"


@dataclass(frozen=True)
class Columns:
    """A table that names photos.

    Attributes:
        header: of each column; empty texts where the table has no header.
        photos: number of the column that names photos.
        rows: without the header, each as long as it.
    """

    header: tuple[str, ...]
    photos: int
    rows: tuple[tuple[str, ...], ...]

    def column(self, number: int) -> list[str]:
        """Its cells."""
        return [row[number] for row in self.rows]

    def find(self, headers: frozenset[str]) -> list[int]:
        """The numbers of the columns with one of these headers."""
        return [number for number, name in enumerate(self.header) if joined(name) in headers and number != self.photos]

    @property
    def others(self) -> list[int]:
        """All columns but that of the photos."""
        return [number for number in range(len(self.header)) if number != self.photos]


@dataclass(frozen=True)
class Understood:
    """The labels of the rows.

    Attributes:
        is_anomalous: of each row; None where it says nothing.
        defects: of each row, the kind of defect where the table names it.
        seen: the names of the classes.
        note: how they were understood, without the table's name.
    """

    is_anomalous: tuple[bool | None, ...]
    defects: tuple[str | None, ...]
    seen: tuple[str, ...]
    note: str


def joined(name: str) -> str:
    """A header without spaces, signs and capitals."""
    return "".join(words_of(name))


def columns_of_classes(rows: Rows) -> Columns | None:
    """The columns of a `_classes.csv`, whose first line says what they are; None if it does not."""
    if not rows or rows[0][0].lower() != "filename":
        return None
    width = len(rows[0])
    return Columns(tuple(rows[0]), 0, tuple((*row, *[""] * width)[:width] for row in rows[1:]))


def columns_of(rows: Rows, index: PhotoIndex) -> Columns | None:
    """The table's columns; None if it names none of the photos, or is written by Andon."""
    width = max(map(len, rows), default=0)
    full = [tuple(row) + ("",) * (width - len(row)) for row in rows if len(row) > 1]  # some begin with a number of rows
    named = [len({row[number] for row in full if row[number] in index}) for number in range(width)]
    if not any(named) or set(full[0]) >= OWN_HEADERS:
        return None
    photos = named.index(max(named))
    if full[0][photos] in index:
        return Columns(("",) * width, photos, tuple(full))
    return Columns(full[0], photos, tuple(full[1:]))


def splits_of(columns: Columns) -> int | None:
    """The number of the column that names the splits; None where there is none."""
    for number in columns.find(SPLIT_HEADERS):
        if all(joined(cell) in SPLIT_NAMES for cell in columns.column(number) if cell):
            return number
    return None


def understand(columns: Columns, names: ClassNames, ng_from: float | None, *, is_classes: bool) -> Understood | None:
    """The labels of a table's rows; None if it has no column that may hold labels.

    Args:
        ng_from: where the table holds probabilities, those from here on are NG.
        is_classes: the table has a column of 0 and 1 for each class, as `_classes.csv` has.

    Raises:
        DatasetError: there are labels, but not what they mean; the message lacks a subject, which the caller adds.
    """
    if is_classes:
        return _classes(columns, columns.others, names)
    taken = {*columns.find(SPLIT_HEADERS), *columns.find(MASK_HEADERS)}
    free = [number for number in columns.others if number not in taken]
    if labels := [number for number in free if joined(columns.header[number]) in LABEL_HEADERS]:
        return _first(columns, labels, names, ng_from)
    flags = [number for number in free if columns.header[number] and names.says_ng(columns.header[number]) is not None]
    ticked = [number for number in flags if _are_ticks(columns.column(number))]
    if len(ticked) > 1:
        return _classes(columns, [number for number in free if _are_ticks(columns.column(number))], names)
    if flags:
        return _flag(columns, (*ticked, *flags)[0], names, ng_from)
    numbers = [number for number in free if ng_from is not None and _are_numbers(columns.column(number), ng_from)]
    if len(numbers) == 1:
        return _values(columns.column(numbers[0]), names, ng_from)
    return _without_header(columns, free, names, ng_from)


def _first(columns: Columns, numbers: Sequence[int], names: ClassNames, ng_from: float | None) -> Understood:
    """The labels of the one column that is understood, or the first fault."""
    faults: list[DatasetError] = []
    found: list[Understood] = []
    for number in numbers:
        try:
            found.append(_values(columns.column(number), names, ng_from))
        except DatasetError as error:
            faults.append(error)
    if not found:
        raise faults[0]
    if any(other.is_anomalous != found[0].is_anomalous for other in found):
        headers = " and ".join(columns.header[number] for number in numbers)
        raise DatasetError(f"has several columns of labels ({headers}) that contradict each other; leave one")
    return found[0]


def _without_header(
    columns: Columns, numbers: Sequence[int], names: ClassNames, ng_from: float | None
) -> Understood | None:
    """The labels of the one column whose values speak for themselves; 0 and 1 do only where there is no header."""
    found = []
    for number in numbers:
        cells = [cell for cell in columns.column(number) if not is_unknown(cell)]
        says_words = bool(cells) and all(names.says_ng(cell) is not None for cell in cells)
        says_numbers = not any(columns.header) and _are_numbers(cells, ng_from)
        if says_words or says_numbers:
            found.append(number)
    varied = [number for number in found if len(set(columns.column(number))) > 1]
    return _first(columns, varied or found, names, ng_from) if found else None


def _values(cells: Sequence[str], names: ClassNames, ng_from: float | None, *, swap: bool = False) -> Understood:
    """The meaning of a column of labels.

    Args:
        swap: 1 means OK.
    """
    known = list(dict.fromkeys(cell for cell in cells if not is_unknown(cell)))
    if _are_numbers(known, ng_from) and not any(names.is_own(cell) for cell in known):
        meaning, note = _numbers(known, ng_from, swap)
    else:
        meaning, note = class_meanings(known, names)
    is_kind = not all(_number(cell) is not None or names.says_ng(cell) is not None for cell in known)
    return Understood(
        tuple(meaning.get(cell) for cell in cells),
        tuple(cell if meaning.get(cell) and is_kind else None for cell in cells),
        tuple(known),
        note,
    )


def _are_numbers(cells: Sequence[str], ng_from: float | None) -> bool:
    """Whether they are 0 and 1, probabilities, or any numbers where a limit was given."""
    values = [_number(cell) for cell in cells]
    return bool(values) and all(value is not None and (ng_from is not None or 0 <= value <= 1) for value in values)


def _numbers(cells: Sequence[str], ng_from: float | None, swap: bool) -> tuple[dict[str, bool | None], str]:
    values = {cell: _number(cell) or 0.0 for cell in cells}
    if set(values.values()) <= {0.0, 1.0}:
        zero, one = ("NG", "OK") if swap else ("OK", "NG")
        return {cell: bool(value) != swap for cell, value in values.items()}, f"0 is read as {zero}, 1 as {one}"
    if ng_from is None:
        between = next(cell for cell, value in values.items() if 0 < value < 1)
        raise DatasetError(f"holds probabilities such as {between}; {SAY_FROM}")
    return {cell: (value < ng_from) == swap for cell, value in values.items()}, (
        f"what is below {ng_from:g} is read as {'NG' if swap else 'OK'}, the rest as {'OK' if swap else 'NG'}"
    )


def class_meanings(labels: Iterable[str], names: ClassNames) -> tuple[dict[str, bool | None], str]:
    """What each class means, and that as a sentence.

    What has no meaning of its own is NG where another class is OK: beside "good" stand kinds of defects. Where there is
    none and a name of NG was given, that is all that is NG.

    Raises:
        DatasetError: that leaves it open; the message lacks a subject, which the caller adds.
    """
    meaning: dict[str, bool | None] = {label: names.says_ng(label) for label in labels}
    open_ones = [label for label, says in meaning.items() if says is None]
    has_ok = False in meaning.values()
    has_own_ng = any(says and names.is_own(label) for label, says in meaning.items())
    if open_ones and names.ok and names.ng:
        raise DatasetError(f"holds {some(open_ones)}, which {_is(open_ones)} neither; name {_them(open_ones)}, too")
    if open_ones and not has_ok and not has_own_ng:
        raise DatasetError(
            f"holds {some(open_ones, 6)}, and nothing says which of them mean NG; name those with --ng-name, or those "
            "that mean OK with --ok-name"
        )
    meaning |= dict.fromkeys(open_ones, has_ok)
    ok, ng = ([label for label, says in meaning.items() if says is which] for which in (False, True))
    parts = [f"{some(of, 6)} {_is(of)} read as {what}" for of, what in ((ok, "OK"), (ng, "NG")) if of]
    return meaning, ", ".join(parts)


def _is(things: Sequence[str]) -> str:
    return "is" if len(things) == 1 else "are"


def _them(things: Sequence[str]) -> str:
    return "it" if len(things) == 1 else "them"


def _flag(columns: Columns, number: int, names: ClassNames, ng_from: float | None) -> Understood:
    """The meaning of a column called "defect" or "ok": yes or no, a number, or the kind of defect."""
    cells, header = columns.column(number), columns.header[number]
    says_ng = bool(names.says_ng(header))
    known = list(dict.fromkeys(cell for cell in cells if joined(cell) in UNTICKED or not is_unknown(cell)))
    if _are_ticks(known):
        ticked = {cell: _is_ticked(cell) == says_ng for cell in known}
        note = f"what is ticked in the column {header} is read as {'NG' if says_ng else 'OK'}"
        return Understood(tuple(map(ticked.get, cells)), (None,) * len(cells), (), note)
    if _are_numbers(known, ng_from) or not says_ng:
        return _values(cells, names, ng_from, swap=not says_ng)
    if known and all(_number(cell) is not None for cell in known):
        raise DatasetError(f"holds numbers such as {max(known, key=len)} in the column {header}; {SAY_FROM}")
    meaning = {cell: _is_ticked(cell) is not False and names.says_ng(cell) is not False for cell in known}
    kinds = tuple(cell if meaning.get(cell) else None for cell in cells)
    return Understood(tuple(map(meaning.get, cells)), kinds, tuple(known), f"the column {header} names the defects")


def _classes(columns: Columns, numbers: Sequence[int], names: ClassNames) -> Understood:
    """The labels of a table with a column for each class."""
    meaning, note = class_meanings([columns.header[number] for number in numbers], names)
    is_anomalous: list[bool | None] = []
    defects: list[str | None] = []
    for row in columns.rows:
        borne = [columns.header[number] for number in numbers if _is_ticked(row[number])]
        ng = [name for name in borne if meaning[name]]
        is_anomalous.append(bool(ng) if borne else None)  # without any label, nobody has said that it is OK
        defects.append(" + ".join(ng) or None)
    return Understood(tuple(is_anomalous), tuple(defects), tuple(meaning), note)


def _are_ticks(cells: Sequence[str]) -> bool:
    said = [_is_ticked(cell) for cell in cells if cell]
    return bool(said) and None not in said


def _is_ticked(cell: str) -> bool | None:
    """Whether a cell says yes; None where it says neither yes nor no."""
    if joined(cell) in TICKED:
        return True
    return False if joined(cell) in UNTICKED else None


def _number(cell: str) -> float | None:
    text = cell.replace(",", ".")
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.IGNORECASE) else None
