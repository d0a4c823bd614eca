"""The command line: one file is one command, or one group of commands, found by its file name.

A command's file defines `command` (a function) or `app` (a group), imports only typer at its top, and the heavy parts
inside its functions, so that `andon --help` answers at once.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated, TextIO, cast

import typer

from andon import resources
from andon.cli._habits import hint
from andon.errors import AndonError
from andon.extras import missing
from andon.plugins import Parts
from andon.rows import printable

UsageError = cast(type[typer.BadParameter], typer.BadParameter.__mro__[1])
"""What typer raises for a command line that it does not understand; it has no public name."""

TRACEBACK = "ANDON_TRACEBACK"
"""The environment variable that shows where an unexpected error came from."""

EXIT_INPUT = 2
EXIT_INTERRUPTED = 130
COMMANDS = Parts("command", __name__)


def main() -> int:
    """The program: whatever goes wrong is one sentence and the exit code that is returned, never a traceback."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("andon").setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Printable("%(message)s"))
    logging.captureWarnings(True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    warnings.simplefilter("ignore")
    for noisy in ("httpx", "huggingface_hub", "matplotlib", "PIL"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return _run()


class _Printable(logging.Formatter):
    """Log messages in which control characters of file names are shown, not sent."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


def _run() -> int:
    """The exit code of what the command line asks for."""
    if "" in sys.argv[1:]:
        return _failed("A word of the command line is empty, as when a shell variable is not set; give it a value.")
    try:
        resources.limit_libraries()
        code = int(build_app(_wanted())(standalone_mode=False) or 0)
        return _interrupted() if code == EXIT_INTERRUPTED else code  # what typer makes of Ctrl-C
    except UsageError as error:
        message = error.format_message()
        if message.startswith("Usage:"):  # of a command line without words
            typer.echo(message, err=True)
            return EXIT_INPUT
        return _failed(in_one_sentence(message))
    except AndonError as error:
        return _failed(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except SystemExit:  # what typer makes of a pipe that was closed at its other end
        return EXIT_INPUT
    except OSError as error:
        _discard(sys.stdout)
        where = f" of {error.filename}" if error.filename else ""
        reason = error.strerror or str(error)
        return _failed(f"Reading or writing{where} failed ({reason}); check that the disk has room and is writable.")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (needs := missing(error)):
            return _failed(str(needs))
        if os.environ.get(TRACEBACK):
            raise
        return _failed(
            f"Andon stopped with {type(error).__name__} ({error}), which is a bug; run it again with {TRACEBACK}=1 to "
            "see where, and please report it."
        )


def _interrupted() -> int:
    typer.echo("Interrupted; what was finished is kept.", err=True)
    return EXIT_INTERRUPTED


def _failed(sentence: str) -> int:
    typer.echo(f"Error: {printable(sentence)}", err=True)
    return EXIT_INPUT


def _discard(stream: TextIO) -> None:
    """Discard what is still in the stream's buffer: writing it at the end would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def in_one_sentence(message: str) -> str:
    """What was wrong with the command line, and what may help."""
    words = sys.argv[1:]
    if found := hint(words, message):
        return f"{message.rstrip('.')}; {found}"
    if message.endswith("?"):  # typer itself had an idea
        return message
    known = words and words[0] in COMMANDS.names()
    return f"{message.rstrip('.')}; see: andon {f'{words[0]} ' if known else ''}--help"


def _wanted() -> list[str]:
    """The command that the command line begins with, as building all of them takes longer; all where it is none."""
    names = COMMANDS.names()
    return [name for name in names if name in sys.argv[1:2]] or names


def build_app(names: Iterable[str]) -> typer.Typer:
    """The program with these commands of this folder."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Learn what a good part looks like from photos of good parts alone, then say of a new photo: OK or NG, "
        "where it deviates, and how sure it is.\n\nBegin with: andon demo, or: andon train PHOTOS -o part.safetensors",
    )
    app.callback()(_about)
    for name in names:
        module = COMMANDS.load(name)
        if hasattr(module, "app"):
            _list_in_full(module.app)
            app.add_typer(module.app, name=name, short_help=str(module.app.info.help))
        else:
            app.command(name)(module.command)
    _list_in_full(app)
    return app


def _list_in_full(app: typer.Typer) -> None:
    """Have the list of commands show the first sentence of each in full: by itself it is cut off at the line's end."""
    for info in app.registered_commands:
        first = (info.callback.__doc__ or "").partition("\n\n")[0]
        info.short_help = " ".join(first.split())


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"andon {version('andon')}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of the program itself."""
