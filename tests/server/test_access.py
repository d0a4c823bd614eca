"""Who may do what."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from serving import OK_PHOTO, PART, Served, Versions, served

from andon.errors import InputError
from andon.server import access
from andon.store import Scope, Store

SCOPES: tuple[Scope, ...] = ("inspect", "review", "admin")
NOBODY = "00000000-0000-0000-0000-000000000000"
ROUTES = {
    ("POST", "/v1/inspect"): {"inspect", "admin"},
    ("GET", "/v1/inspections"): {"review", "admin"},
    ("GET", f"/v1/inspections/{NOBODY}"): {"review", "admin"},
    ("GET", f"/v1/inspections/{NOBODY}/photo"): {"review", "admin"},
    ("GET", f"/v1/inspections/{NOBODY}/heatmap"): {"review", "admin"},
    ("GET", f"/v1/inspections/{NOBODY}/panel"): {"review", "admin"},
    ("POST", f"/v1/inspections/{NOBODY}/review"): {"review", "admin"},
    ("POST", f"/v1/inspections/{NOBODY}/review/undo"): {"review", "admin"},
    ("GET", "/v1/models"): {"inspect", "review", "admin"},
    ("POST", "/v1/models/part/activate"): {"admin"},
    ("POST", "/v1/models/part/rollback"): {"admin"},
    ("GET", "/metrics"): {"inspect", "review", "admin"},
    ("GET", "/"): {"review", "admin"},
}
"""Which scopes may use a route; what it answers to them does not matter."""


@dataclass(frozen=True)
class Guarded:
    """A server with a token of each scope."""

    running: Served
    secrets: dict[str, str]

    def ask(self, method: str, path: str, secret: str | None) -> httpx.Response:
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        return self.running.client.request(method, path, headers=headers)


@pytest.fixture
def guarded(tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """It listens on all addresses, as this computer's own need no token."""
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    with Store.open(None, tmp_path) as store:
        secrets: dict[str, str] = {scope: store.tokens.create(f"for {scope}", [scope]) for scope in SCOPES}
    with served(tmp_path, [PART], host="0.0.0.0") as running:
        yield Guarded(running, secrets)


def test_each_route_is_for_its_scopes(guarded: Guarded) -> None:
    for (method, path), scopes in ROUTES.items():
        if path != "/":
            nobody = guarded.ask(method, path, None)
            assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer"), path
            assert guarded.ask(method, path, "andon_wrong").status_code == 401
        allowed = {scope for scope in SCOPES if guarded.ask(method, path, guarded.secrets[scope]).status_code != 403}
        assert allowed == scopes, path


def test_every_route_of_the_api_is_in_the_table(guarded: Guarded) -> None:
    described = guarded.running.client.get("/v1/openapi.json").json()["paths"]
    routes = {(method.upper(), path) for path, methods in described.items() for method in methods}
    tried = {(method, path.replace(NOBODY, "{inspection_id}").replace("/part/", "/{name}/")) for method, path in ROUTES}
    assert routes - tried == {("GET", "/v1/events"), ("GET", "/healthz"), ("GET", "/readyz")}
    assert guarded.running.client.get("/v1/events").status_code == 401


def test_a_revoked_token_opens_nothing(guarded: Guarded) -> None:
    secret = guarded.secrets["admin"]
    assert guarded.ask("GET", "/v1/models", secret).status_code == 200
    guarded.running.station.store.tokens.revoke("for admin")
    assert guarded.ask("GET", "/v1/models", secret).status_code == 401


def test_secrets_are_nowhere_on_the_disk(guarded: Guarded) -> None:
    guarded.ask("GET", "/v1/models", guarded.secrets["admin"])
    data = guarded.running.station.data
    with closing(sqlite3.connect(data / "andon.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(FULL)")
    found = [path for path in data.rglob("*") if path.is_file()]
    assert data / "andon.db" in found
    for secret in guarded.secrets.values():
        assert not any(secret.encode() in path.read_bytes() for path in found)


def log_in(guarded: Guarded, scope: str) -> httpx.Client:
    browser = httpx.Client(base_url=guarded.running.url)
    answer = browser.post("/login", data={"token": guarded.secrets[scope]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    return browser


def csrf_of(browser: httpx.Client) -> str:
    found = re.search(r'<meta name="csrf" content="(\w+)">', browser.get("/").text)
    assert found is not None
    return found[1]


def test_a_session_needs_the_token_of_its_page_for_what_changes_something(guarded: Guarded) -> None:
    inspected = guarded.running.client.post(
        "/v1/inspect", content=OK_PHOTO, headers={"Authorization": f"Bearer {guarded.secrets['inspect']}"}
    )
    review = f"/v1/inspections/{inspected.json()['inspection_id']}/review"
    with closing(log_in(guarded, "review")) as browser:
        csrf = csrf_of(browser)
        assert browser.get("/v1/inspections").status_code == 200
        assert browser.post(review, json={"verdict": "NG"}).status_code == 403
        wrong = {"X-CSRF-Token": csrf[::-1]}
        assert browser.post(review, json={"verdict": "NG"}, headers=wrong).status_code == 403
        answer = browser.post(review, json={"verdict": "NG"}, headers={"X-CSRF-Token": csrf})
        assert (answer.status_code, answer.json()["by"]) == (200, "for review")
        activate = browser.post("/v1/models/part/rollback", headers={"X-CSRF-Token": csrf})
        assert activate.status_code == 403
        assert browser.post("/logout").status_code == 403
        assert browser.post("/logout", data={"csrf": csrf}).status_code == 303
        assert browser.get("/").headers["location"] == "/login"


def test_a_session_ends_with_its_token_and_cannot_be_forged(guarded: Guarded) -> None:
    with closing(log_in(guarded, "review")) as browser:
        cookie = browser.cookies[access.COOKIE]
        name, until, signature = cookie.split(".")
        for forged in (f"{name}.{int(until) + 1}.{signature}", f"{name}.{until}", "x", "", f"..{signature}"):
            answer = httpx.get(f"{guarded.running.url}/v1/inspections", headers={"Cookie": f"andon_session={forged}"})
            assert answer.status_code == 401
        assert browser.get("/").status_code == 200
        guarded.running.station.store.tokens.revoke("for review")
        assert browser.get("/").headers["location"] == "/login"


def test_a_key_that_is_not_whole_signs_no_session(tmp_path: Path, versions: Versions) -> None:
    """A server that was killed while it made the key leaves an empty file, with which anybody could sign."""
    (tmp_path / access.KEY_FILE).touch()
    with pytest.raises(InputError, match=r"session.key holds no key of 32 bytes"), served(tmp_path, [PART]):
        pass
    (tmp_path / access.KEY_FILE).unlink()
    with served(tmp_path, [PART]):
        assert (tmp_path / access.KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_wrong_token_does_not_log_in_and_only_some_are_tried(guarded: Guarded) -> None:
    answers = [guarded.running.client.post("/login", data={"token": "andon_x"}) for _ in range(12)]
    assert answers[0].status_code == 401
    assert "no valid token" in answers[0].text
    assert answers[-1].status_code == 429


def test_pages_send_whoever_is_not_known_to_the_login(guarded: Guarded) -> None:
    answer = guarded.running.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize(
    ("wanted", "comes"),
    [
        ("/threshold?model=part", "/threshold?model=part"),
        ("https://elsewhere", "/"),
        ("//elsewhere", "/"),
        ("/\\elsewhere", "/"),
        ("/\t/elsewhere", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_after_the_login_comes_what_was_wanted_here_and_nothing_elsewhere(
    guarded: Guarded, wanted: str, comes: str
) -> None:
    answer = guarded.running.client.post("/login", data={"token": guarded.secrets["review"], "then": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, comes)


def test_without_a_token_others_are_not_let_in(tmp_path: Path, versions: Versions) -> None:
    with pytest.raises(InputError, match="no token yet"), served(tmp_path, [PART], host="0.0.0.0"):
        pass


def test_without_a_token_only_this_computers_names_are_answered_to(plain: Served) -> None:
    """A page of the web that calls itself by a name that leads here gets nothing."""
    assert plain.client.get("/v1/inspections", headers={"Host": "evil.example"}).status_code == 403
    assert plain.client.get("/v1/inspections", headers={"Host": "localhost:1"}).status_code == 200


def test_a_cookie_of_another_server_closes_no_open_one(plain: Served) -> None:
    """Browsers send it to all ports of a computer."""
    assert plain.client.get("/v1/models", headers={"Cookie": "andon_session=a.9.b"}).status_code == 200


def test_pages_of_other_sites_change_nothing(plain: Served) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        assert plain.client.post("/v1/inspect", content=OK_PHOTO, headers=headers).status_code == 403
    own = {"Origin": plain.url, "Sec-Fetch-Site": "same-origin"}
    assert plain.client.post("/v1/inspect", content=OK_PHOTO, headers=own).status_code == 200


def test_the_first_token_closes_a_server_that_was_open(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    with served(tmp_path, [PART]) as running:
        assert running.client.get("/v1/models").status_code == 200
        running.station.store.tokens.create("first", ["review"])
        assert running.client.get("/v1/models").status_code == 401
        running.station.store.tokens.revoke("first")
        assert running.client.get("/v1/models").status_code == 401


def test_every_answer_keeps_browsers_strict(plain: Served) -> None:
    for path in ("/", "/login", "/static/andon.js", "/v1/models", "/nothing", "/static/..%2fapp.py"):
        answer = plain.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert plain.client.get("/static/..%2fapp.py").status_code == 404
    for page in ("/", "/login"):
        html = plain.client.get(page).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", html)
