"""The program `andon`, also as `python -m andon`: takes Ctrl-C from the first moment on, before it imports more."""

import os
import signal
import sys


def main() -> None:
    """Entry point of the program.

    It ends without the interpreter's own clean-up: that would take away what the threads of torch, OpenVINO and reading
    ahead still use, which now and then aborts the process, and its search of all torch for cycles takes longer than
    inspecting a photo.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 - whoever started us closed it
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service that is stopped ends as after Ctrl-C
    try:
        from andon.cli import main as run

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        code = 130
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a full disk or a closed pipe, which has been told
            code = code or 2
    os._exit(code)


if __name__ == "__main__":
    main()
