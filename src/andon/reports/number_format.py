"""Numbers as people read them, the same on pictures, plots and pages."""

from __future__ import annotations


def number(value: float) -> str:
    """A score or a map value with four digits."""
    return f"{value:#.4g}".rstrip(".") if abs(value) < 10000 else f"{value:,.0f}"


def signed(value: float) -> str:
    """A number of standard deviations with its sign."""
    return f"{value:+z.1f}".replace("-", "−")


def percent(share: float) -> str:
    """A share of 1 in percent, with a space that does not break."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"
