"""The description of the API is complete: every answer is one that it declares."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from serving import NG_PHOTO, OK_PHOTO, PART, Served, Versions, served

from andon.rows import schema
from andon.store import Store

UNKNOWN = "/v1/inspections/00000000-0000-0000-0000-000000000000"


@pytest.fixture
def described(plain: Served) -> Any:
    return plain.client.get("/v1/openapi.json").json()


def test_it_holds_the_schema_of_a_row(described: Any) -> None:
    expected = {key: value for key, value in schema().items() if key != "$schema"}
    assert described["components"]["schemas"]["Row"] == expected
    assert "AndonRow" not in str(described)
    content = described["paths"]["/v1/inspect"]["post"]["responses"]["200"]["content"]
    assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/Row"}}}


def test_pages_are_no_part_of_it(described: Any) -> None:
    assert all(path.startswith("/v1/") or path in ("/healthz", "/readyz", "/metrics") for path in described["paths"])


def answers(running: Served) -> Iterator[tuple[str, httpx.Response]]:
    """The path as it is declared, and an answer."""
    client = running.client
    ng = client.post("/v1/inspect", content=NG_PHOTO)
    one = f"/v1/inspections/{ng.json()['inspection_id']}"
    yield "/v1/inspect", ng
    for body, params in ((b"", {}), (OK_PHOTO, {"model": "x"}), (OK_PHOTO, {"station": "#"})):
        yield "/v1/inspect", client.post("/v1/inspect", content=body, params=params)
    yield "/v1/inspect", client.post("/v1/inspect", files={"photo": OK_PHOTO})
    yield "/v1/inspect", client.post("/v1/inspect", headers={"Origin": "https://evil.example"})
    for params in ({}, {"limit": "1"}, {"limit": "x"}):
        yield "/v1/inspections", client.get("/v1/inspections", params=params)
    for known in (one, UNKNOWN, "/v1/inspections/x"):
        declared = "/v1/inspections/{inspection_id}"
        yield declared, client.get(known)
        for part in ("photo", "heatmap", "panel"):
            yield f"{declared}/{part}", client.get(f"{known}/{part}")
        for said in ({"verdict": "OK"}, {"verdict": "?"}):
            yield f"{declared}/review", client.post(f"{known}/review", json=said)
        for _ in range(2):
            yield f"{declared}/review/undo", client.post(f"{known}/review/undo", json={})
    yield "/v1/models", client.get("/v1/models")
    sha256 = ng.json()["model"]["sha256"]
    for name, wanted in (("part", sha256), ("part", "0" * 64), ("part", "x"), ("nobody", sha256)):
        declared = "/v1/models/{name}/activate"
        yield declared, client.post(f"/v1/models/{name}/activate", json={"sha256": wanted})
        yield "/v1/models/{name}/rollback", client.post(f"/v1/models/{name}/rollback")
    for path in ("/healthz", "/readyz", "/metrics"):
        yield path, client.get(path)
        yield path, client.get(path, headers={"Host": "evil.example"})


def test_every_answer_is_declared_and_keeps_to_its_schema(plain: Served, described: Any) -> None:
    seen = set()
    for path, answer in answers(plain):
        operation = described["paths"][path][answer.request.method.lower()]
        declared = operation["responses"].get(str(answer.status_code))
        assert declared is not None, (path, answer.status_code)
        seen.add((path, answer.status_code))
        kind = answer.headers["content-type"].partition(";")[0]
        content = declared["content"]
        assert kind in content or f"{kind.partition('/')[0]}/*" in content, (path, kind)
        if kind == "application/json":
            whole = {"components": described["components"], **content[kind]["schema"]}
            jsonschema.validate(answer.json(), whole)
    assert {status for _, status in seen} == {200, 403, 404, 409, 415, 422}


@pytest.mark.endurance
@pytest.mark.timeout(600)
def test_schemathesis_finds_nothing_undeclared(tmp_path: Path, versions: Versions) -> None:
    """Events are left out, as they do not end."""
    with Store.open(None, tmp_path) as store:
        secret = store.tokens.create("schemathesis", ["admin"])
    header = {"Authorization": f"Bearer {secret}"}
    with served(tmp_path, [PART], headers=header) as running:
        running.inspect(NG_PHOTO)
        try_out(running.url, secret, tmp_path)


def try_out(url: str, secret: str, folder: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/v1/openapi.json"]
    command += ["--header", f"Authorization: Bearer {secret}"]
    command += ["--exclude-path", "/v1/events", "--max-examples", "20", "--phases", "examples,coverage,fuzzing"]
    command += ["--exclude-checks", "positive_data_acceptance"]  # no schema can say what is a photo
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert ran.returncode == 0, ran.stdout
