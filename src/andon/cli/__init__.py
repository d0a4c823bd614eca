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
from typing import Annotated

import typer

from andon import plugins
from andon.errors import AndonError

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
        build_app()()
    except AndonError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_INPUT)
    except SystemExit as stopped:
        if stopped.code == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            typer.echo("Interrupted; what was finished is kept.", err=True)
        raise
    finally:
        gc.freeze()  # on its way out the interpreter would search all of torch for cycles, for a quarter of a second


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
