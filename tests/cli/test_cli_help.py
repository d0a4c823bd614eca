"""Every command explains itself, and at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Command

from andon.cli import COMMANDS

GROUPS = {
    "data": ("verify", "new", "where", "demo"),
    "db": ("upgrade",),
    "models": ("list", "add", "activate", "roll-back"),
    "token": ("add", "list", "revoke"),
}
COMMAND_LINES = [
    words
    for name in COMMANDS.names()
    for words in ([(name, inner) for inner in GROUPS[name]] if name in GROUPS else [(name,)])
]

IMPORTED = """
import json, sys
from andon.cli import main
sys.argv = ["andon", "--help"]
main()
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_every_commands_help_shows_an_example(words: tuple[str, ...], andon_: Command) -> None:
    ran = andon_(*words, "--help")
    assert ran.code == 0
    assert f"Example: andon {' '.join(words)}" in " ".join(ran.out.split())


def test_the_programs_help_names_every_command_and_where_to_begin(andon_: Command) -> None:
    ran = andon_("--help")
    assert all(name in ran.out for name in COMMANDS.names())
    assert "andon demo" in ran.out


@pytest.mark.parametrize("words", [(), *((group,) for group in GROUPS)], ids=" ".join)
def test_a_list_of_commands_cuts_off_nothing(words: tuple[str, ...], andon_: Command) -> None:
    listed = andon_(*words, "--help").out.partition("Commands:")[2]
    assert listed and "..." not in listed


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_a_usage_line_has_brackets_once_and_names_in_capitals(words: tuple[str, ...], andon_: Command) -> None:
    usage = andon_(*words, "--help").out.partition("\n")[0]
    named = re.findall(r"[\[{]([^\]}]*)[\]}]", usage)
    assert named[0] == "OPTIONS" and all(name == name.upper() and "." not in name for name in named), usage
    assert "[[" not in usage and "{{" not in usage


def test_without_any_word_there_is_the_help(andon_: Command) -> None:
    ran = andon_()
    assert "andon [OPTIONS] COMMAND" in ran.out + ran.err


def test_the_version_is_printed(andon_: Command) -> None:
    ran = andon_("--version")
    assert ran.code == 0
    assert ran.out.startswith("andon ")


def test_help_imports_nothing_heavy_and_answers_at_once() -> None:
    before = os.times()
    ran = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    after = os.times()
    modules = set(json.loads(ran.stderr))
    assert modules.isdisjoint({"torch", "cv2", "numpy", "matplotlib", "scipy", "PIL"})
    # of the processor, as other work may share the machine
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "andon", "info", str(tmp_path / "gone.safetensors")], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("Error: There is no model file")
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_a_misspelt_command_is_refused(andon_: Command) -> None:
    ran = andon_("inspekt")
    assert ran.code == 2
    assert "inspekt" in ran.err
