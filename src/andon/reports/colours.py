"""One set of colours for everything that is drawn; the verdicts stay apart for colour-blind eyes.

In grey print they do not: wherever a colour speaks, a word, a place or a line style says the same.
"""

from __future__ import annotations

from andon.types import Verdict

Rgb = tuple[int, int, int]

INK: Rgb = (31, 41, 51)
MUTED: Rgb = (98, 110, 122)
LINE: Rgb = (216, 222, 228)
PAPER: Rgb = (255, 255, 255)
TRUTH: Rgb = (0, 114, 178)
MEASURED: Rgb = (230, 0, 126)

VERDICT: dict[Verdict, Rgb] = {
    "OK": (0, 125, 96),
    "review": (232, 163, 23),
    "NG": (196, 62, 28),
    "invalid": (98, 110, 122),
}
ON_VERDICT: dict[Verdict, Rgb] = {"OK": PAPER, "review": INK, "NG": PAPER, "invalid": PAPER}


def hex_code(colour: Rgb) -> str:
    """As "#rrggbb", for matplotlib and HTML."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
