"""Who may see a page and send its forms."""

from __future__ import annotations

from pathlib import Path

import httpx
from serving import PART, Versions, served

from andon.store import Scope, Store

NOBODY = "00000000-0000-0000-0000-000000000000"
SCOPES: tuple[Scope, ...] = ("inspect", "review", "admin")
LOOK = tuple(("GET", path) for path in ("/review", "/threshold", "/models", "/drift", f"/inspections/{NOBODY}"))
CHANGE = (("POST", "/threshold"), ("POST", "/models/activate"), ("POST", "/models/rollback"))
ANSWER = (("POST", "/review/next"), ("POST", "/review/say"), ("POST", "/review/undo"), ("POST", "/review/leave"))


def test_each_page_is_for_its_scopes(tmp_path: Path, versions: Versions) -> None:
    with Store.open(None, tmp_path) as store:
        secrets = {scope: store.tokens.create(f"for {scope}", [scope]) for scope in SCOPES}
    with served(tmp_path, [PART]) as running:

        def ask(route: tuple[str, str], secret: str | None) -> httpx.Response:
            return running.client.request(*route, headers={"Authorization": f"Bearer {secret}"} if secret else {})

        for route in (*LOOK, *CHANGE):
            assert ask(route, None).headers["location"] == "/login", route
        for route in ANSWER:
            assert ask(route, None).status_code == 401, route
        for scope, secret in secrets.items():
            for route in (*LOOK, *ANSWER):
                assert (ask(route, secret).status_code == 403) == (scope == "inspect"), (route, scope)
            for route in CHANGE:
                assert (ask(route, secret).status_code == 403) == (scope != "admin"), (route, scope)


def test_a_form_of_another_page_is_refused(tmp_path: Path, versions: Versions) -> None:
    with Store.open(None, tmp_path) as store:
        secret = store.tokens.create("boss", ["admin"])
    with served(tmp_path, [PART]) as running:
        running.client.post("/login", data={"token": secret})
        for path in ("/threshold", "/models/activate", "/models/rollback"):
            refused = running.client.post(path, data={"name": "part", "csrf": "guessed"})
            assert (refused.status_code, "load the page again" in refused.text) == (403, True), path
        said = {"window": "12345678", "by": "boss"}
        assert running.client.post("/review/next", json=said).status_code == 403
