"""Runs a script of anomalib's own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

PYTHON = Path(".venv-peer/bin/python")


def ask(python: Path, script: str, *arguments: object) -> dict[str, Any]:
    """The dictionary that `script`, beside this file, prints as its last line.

    It runs with the environment as it was before `import andon` told torch's threads to sleep while they wait.
    """
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [str(python), "-W", "ignore", str(Path(__file__).with_name(script)), *map(str, arguments)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    answer: dict[str, Any] = json.loads(output.splitlines()[-1])
    return answer
