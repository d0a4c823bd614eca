"""What a metric raises where it has no meaning."""


class Undefined(Exception):  # noqa: N818 - no error, a finding
    """A figure has no meaning for these results; the message is the reason, without a full stop.

    `summarise` turns it into a null with the reason beside it.
    """
