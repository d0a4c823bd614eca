"""Who may see a page and send its forms."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
from browsing import Person, fits_a_phone
from playwright.sync_api import expect
from serving import PART, Served, Versions, served

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

        for route in LOOK:
            assert ask(route, None).headers["location"] == f"/login?then={quote(route[1], '')}", route
        for route, then in zip(CHANGE, ("%2Fthreshold", "%2Fmodels", "%2Fmodels"), strict=True):
            assert ask(route, None).headers["location"] == f"/login?then={then}", route
        assert ask(("POST", "/logout"), None).headers["location"] == "/login"
        for route in ANSWER:
            assert ask(route, None).status_code == 401, route
        for scope, secret in secrets.items():
            for route in (*LOOK, *ANSWER):
                assert (ask(route, secret).status_code == 403) == (scope == "inspect"), (route, scope)
            for route in CHANGE:
                assert (ask(route, secret).status_code == 403) == (scope != "admin"), (route, scope)


def test_an_error_is_a_page_for_a_person(plain: Served, person: Person) -> None:
    page = person.open(f"{plain.url}/inspections/{NOBODY}")
    expect(page.get_by_role("heading")).to_have_text("That did not work")
    expect(page.locator("#sentence")).to_contain_text(f"no inspection '{NOBODY}'")
    page.goto(f"{plain.url}/<b>nowhere")
    expect(page.locator("#sentence")).to_have_text("There is nothing at /<b>nowhere.")
    assert fits_a_phone(page)
    page.get_by_role("link", name="To the line").click()
    expect(page.locator("#lamp")).to_be_visible()
    as_a_browser = {"Accept": "text/html,*/*"}
    answers = [plain.client.get(path, headers=as_a_browser) for path in (f"/inspections/{NOBODY}", "/v1/inspections/x")]
    assert [answer.status_code for answer in answers] == [404, 422]
    assert [answer.headers["content-type"] for answer in answers] == ["text/html; charset=utf-8", "application/json"]


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
