"""The program `andon`, also as `python -m andon`: takes Ctrl-C from the first moment on, before it imports more."""

import os
import signal
import sys


def main() -> None:
    """Entry point of the program."""
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service that is stopped ends as after Ctrl-C
    try:
        from andon.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.stderr.flush()
        os._exit(130)


if __name__ == "__main__":
    main()
