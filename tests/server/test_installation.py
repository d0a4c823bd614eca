"""How docs/line.md installs a station: its unit and compose file give commands that there are."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from andon.cli import COMMANDS, build_app

PAGE = (Path(__file__).parents[2] / "docs" / "line.md").read_text(encoding="utf-8")


def block(beginning: str) -> str:
    """The block of code that begins so."""
    found = re.search(rf"^```\n({re.escape(beginning)}.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, beginning
    return found[1]


def parsed(words: list[str]) -> dict[str, Any]:
    """What a command of Andon is given. A word that it does not know is an error here, as on the command line."""
    command: Any = typer.main.get_command(build_app(COMMANDS.names()))
    context: Any = None
    while hasattr(command, "commands"):  # a group
        context = command.context_class(command, parent=context)
        command, words = command.commands[words[0]], words[1:]
    given: dict[str, Any] = command.make_context(command.name, list(words), parent=context).params
    return given


def test_the_unit_serves_and_may_write_where_it_does() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read_string(block("[Unit]"))
    service = unit["Service"]
    program, *words = shlex.split(service["ExecStart"])
    given = parsed(words)
    assert program == "/opt/andon/bin/andon"
    written = [given["data"], given["token_file"], Path(service["Environment"].partition("=")[2])]
    assert all(path.is_relative_to(service["ReadWritePaths"]) for path in written)
    assert (service["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("always", "0")  # it never gives up


def test_the_compose_file_serves_from_the_database_that_it_upgrades() -> None:
    services = yaml.safe_load(block("x-db:"))["services"]
    upgrade, serve = (services[name]["command"] for name in ("upgrade", "andon"))
    assert [words[0] for words in (upgrade, serve)] == ["andon", "andon"]
    user = services["database"]["environment"]
    url = f"postgresql://{user['POSTGRES_USER']}:{user['POSTGRES_PASSWORD']}@database/{user['POSTGRES_DB']}"
    assert parsed(upgrade[1:])["db"] == parsed(serve[1:])["db"] == url
    kept = [volume.split(":")[1] for volume in services["andon"]["volumes"]]
    assert parsed(serve[1:])["data"] == Path(kept[-1])


def test_the_compose_file_builds_one_image_for_both() -> None:
    """Of two that are built apart, one could be newer, and its database too new for the other."""
    services = yaml.safe_load(block("x-db:"))["services"]
    upgrade, serve = services["upgrade"], services["andon"]
    assert upgrade["image"] == serve["image"]
    assert "build" in upgrade and "build" not in serve and serve["pull_policy"] == "never"


COMMAND = re.compile(r"^(?:sudo -u \w+ |docker compose exec andon )?(?:/opt/andon/bin/)?andon (\w+ .*)$", re.MULTILINE)


@pytest.mark.parametrize("words", COMMAND.findall(PAGE))
def test_each_command_of_the_page_is_one(words: str) -> None:
    assert parsed(shlex.split(words))
