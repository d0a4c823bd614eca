"""Which photo a table means: names are written in many ways."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from andon.datasets._words import some
from andon.errors import DatasetError
from andon.images import is_image


class PhotoIndex:
    """Finds photos by what a table calls them: a path from anywhere, a name, or a name without its ending.

    Upper and lower case, either slash and the two ways to write an umlaut are the same.
    """

    def __init__(self, root: Path, photos: Sequence[Path]) -> None:
        self._root = root
        self._folders = {photo.parent for photo in photos}
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for photo in photos:
            self._by_name[_plain(photo.name)].append(photo)
            self._by_stem[_plain(photo.stem)].append(photo)

    def __contains__(self, text: str) -> bool:
        """Whether any photo has that name, in whichever folder."""
        return bool(self._named(_parts(text)))

    def find(self, text: str, table: Path, *, whole: bool) -> Path | None:
        """The photo that `text` means in the file `table`; None where it is not here.

        A table that lies beside photos speaks of those and of what lies below them.

        Args:
            whole: folders in `text` must be the photo's, too. Otherwise they may be those of another computer.

        Raises:
            DatasetError: it may mean several.
        """
        parts = _parts(text)
        shared = {photo: _n_shared(parts, photo) for photo in self._named(parts)}
        n_folders = max(len(parts) - 1, 0)
        found = [photo for photo, n in shared.items() if n == max(shared.values()) and (n >= n_folders or not whole)]
        beside = [photo for photo in found if photo.parent == table.parent]
        below = [photo for photo in found if table.parent in photo.parents]
        above = [photo for photo in found if photo.parent == table.parent.parent]
        places: list[list[Path]] = [beside, below]
        if table.parent not in self._folders:
            places += [above, found]
        for candidates in places:
            if len(candidates) > 1:
                names = some((photo.relative_to(self._root).as_posix() for photo in candidates), 2)
                raise DatasetError(
                    f"{table} names {text}, which may be {names}; write the folder before the name, or pass "
                    "--ignore-labels."
                )
            if candidates:
                return candidates[0]
        return None

    def _named(self, parts: Sequence[str]) -> list[Path]:
        if not parts:
            return []
        name = parts[-1]
        stem = name.rpartition(".")[0] if is_image(Path(name)) else name
        return self._by_name.get(name) or self._by_stem.get(stem, [])


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _parts(text: str) -> tuple[str, ...]:
    names = _plain(text.strip().strip("\"'")).replace("\\", "/").split("/")
    return tuple(name for name in names if name not in ("", "."))


def _n_shared(parts: Sequence[str], photo: Path) -> int:
    """How many folders at the end of a written path are the photo's own."""
    n = 0
    for written, own in zip(reversed(parts[:-1]), reversed(photo.absolute().parts[:-1]), strict=False):
        if written != _plain(own):
            break
        n += 1
    return n
