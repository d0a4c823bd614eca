"""The command line: one file is one command, or one group of commands, found by its file name.

A command's file defines `command` (a function) or `app` (a group), imports only typer at its top, and the heavy parts
inside its functions, so that `andon --help` answers at once.
"""

from __future__ import annotations

import gc
import io
import logging
import sys
import warnings
from typing import Annotated, cast

import typer

from andon import plugins
from andon.cli._habits import hint
from andon.errors import AndonError

UsageError = cast(type[typer.BadParameter], typer.BadParameter.__mro__[1])
"""What typer raises for a command line that it does not understand; it has no public name."""

EXIT_INPUT = 2
EXIT_INTERRUPTED = 130


def main() -> None:
    """Entry point of the program `andon`: a user's error is one sentence and exit code 2, never a traceback."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    logging.captureWarnings(True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names that are no UTF-8
    warnings.simplefilter("ignore")
    for noisy in ("httpx", "huggingface_hub", "matplotlib", "PIL"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        sys.exit(build_app()(standalone_mode=False))
    except UsageError as error:
        message: str = error.format_message()
        is_help = message.startswith("Usage:")  # of a command line without words
        typer.echo(message if is_help else f"Error: {in_one_sentence(message)}", err=True)
        sys.exit(EXIT_INPUT)
    except AndonError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Interrupted; what was finished is kept.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        gc.freeze()  # on its way out the interpreter would search all of torch for cycles, for a quarter of a second


def in_one_sentence(message: str) -> str:
    """What was wrong with the command line, and what may help."""
    words = sys.argv[1:]
    if found := hint(words, message):
        return f"{message.rstrip('.')}; {found}"
    if message.endswith("?"):  # typer itself had an idea
        return message
    known = words and words[0] in plugins.names(sys.modules[__name__])
    return f"{message.rstrip('.')}; see: andon {f'{words[0]} ' if known else ''}--help"


def build_app() -> typer.Typer:
    """The program with all commands of this folder."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Learn what a good part looks like from photos of good parts alone, then say of a new photo: OK or NG, "
        "where it deviates, and how sure it is.\n\nBegin with: andon demo, or: andon train PHOTOS -o part.safetensors",
    )
    app.callback()(_about)
    for name in plugins.names(sys.modules[__name__]):
        module = plugins.load(sys.modules[__name__], name)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(module.command)
    return app


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
