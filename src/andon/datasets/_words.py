"""What people call OK and NG, in the languages of many plants, and names of one's own for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from andon.datasets import _vocabulary as vocabulary
from andon.errors import DatasetError

MAX_RUN = 4  # words that mean something together


@dataclass(frozen=True)
class ClassNames:
    """How a data set calls its classes.

    Attributes:
        ok, ng: names that the user gave; each has to match something.
        also_ng: names of a recipe, for the sets that have them.
    """

    ok: tuple[str, ...] = ()
    ng: tuple[str, ...] = ()
    also_ng: tuple[str, ...] = ()

    def says_ng(self, name: str) -> bool | None:
        """Whether a folder or label of that name holds NG photos (True) or OK ones (False); None if it says neither.

        Names of one's own match from the beginning, word by word: "rust" matches "rust_2024" but not "non-rust". The
        usual words count wherever they stand, and negated ones mean the opposite.

        Raises:
            DatasetError: it matches names that were given for both.
        """
        is_ok, is_ng = _begins_with_any(name, self.ok), _begins_with_any(name, self.ng)
        if is_ok and is_ng:
            raise DatasetError(f"{name!r} matches both --ok-name and --ng-name; give names that tell them apart.")
        if is_ok or is_ng:
            return is_ng
        return True if _begins_with_any(name, self.also_ng) else usual_meaning(name)

    def check_used(self, seen: Iterable[str], what: str) -> None:
        """Refuse a name that matches none of those that were seen.

        Args:
            what: what they are, for the message, such as "label of photos/bolt".

        Raises:
            DatasetError: a name that the user gave matches none.
        """
        seen = list(dict.fromkeys(seen))
        for option, given in (("--ok-name", self.ok), ("--ng-name", self.ng)):
            for name in given:
                if not any(_begins_with(other, name) for other in seen):
                    there = f"there are {some(seen, 12)}" if seen else "there are none"
                    raise DatasetError(f"No {what} begins with {name!r} ({there}); correct {option}.")

    def refuse(self, why: str) -> None:
        """Refuse names that the user gave where a layout has no use for them.

        Raises:
            DatasetError: there are some.
        """
        if self.ok or self.ng:
            option = "--ok-name" if self.ok else "--ng-name"
            raise DatasetError(f"{why}; leave {option} out or choose another --layout.")

    def is_own(self, name: str) -> bool:
        """Whether it matches a name that the user gave, or one of the recipe."""
        return _begins_with_any(name, (*self.ok, *self.ng, *self.also_ng))


def some(names: Iterable[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


EVERYDAY = ClassNames()
"""Nothing but the usual words."""


def is_unknown(label: str) -> bool:
    """Whether a label says that nobody knows."""
    return "".join(words_of(label)) in vocabulary.UNKNOWN or not label.strip(" -?.")


_NEW_WORD = re.compile(
    "(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[\u2e80-\uffff])|(?<=[\u2e80-\uffff])(?=[A-Za-z])"
)
"""Where a word ends without a space or sign: OkFront, OKFront, OK品."""


@lru_cache(4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words and numbers of a name, in lower case, without accents: "Prüf_OK2" -> ("pruf", "ok", "2")."""
    text = unicodedata.normalize("NFKD", name.strip())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?", text):
        return (f"{float(text.replace(',', '.')):g}",)
    text = re.sub(_NEW_WORD, " ", text)
    return tuple(re.findall(r"[^\W\d_]+|\d+", text.casefold())) or (text.casefold(),)


@lru_cache(4096)
def usual_meaning(name: str) -> bool | None:
    """True: NG, False: OK, by the usual words alone; None where they say nothing or both."""
    words = [_known_beginning(word) for word in words_of(name) if not word.isdigit()]
    if "".join(words) in vocabulary.WHOLE:
        return vocabulary.WHOLE["".join(words)]
    meanings = set()
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + MAX_RUN), start, -1):
            meaning = _VOCABULARY.get("".join(words[start:end]))
            if meaning is not None:
                meanings.add(meaning != (start > 0 and words[start - 1] in vocabulary.NEGATIONS))
                start = end - 1
                break
        start += 1
    return meanings.pop() if len(meanings) == 1 else None


def says_by_itself(folder: Path) -> bool | None:
    """What a folder's own name means where it is nothing but such a word: "ng" says NG, "bad homburg" nothing."""
    name = folder.absolute().name
    return usual_meaning(name) if len(words_of(name)) == 1 else None


def _known_beginning(word: str) -> str:
    """良品 of 良品画像: Chinese and Japanese put no spaces between words."""
    if word.isascii() or word[0] < "\u2e80":
        return word
    return next((word[:n] for n in range(len(word), 0, -1) if word[:n] in _VOCABULARY), word)


def _begins_with_any(name: str, beginnings: Sequence[str]) -> bool:
    return any(_begins_with(name, beginning) for beginning in beginnings)


def _begins_with(name: str, beginning: str) -> bool:
    words, first = words_of(name), words_of(beginning)
    return words[: len(first)] == first


_VOCABULARY = {
    "".join(words_of(word)): meaning
    for words, meaning in ((vocabulary.NG, True), (vocabulary.OK, False), (vocabulary.OK_OPPOSITES, False))
    for word in words
}
