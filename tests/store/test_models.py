"""Models, the golden set, tokens and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from drawn_rows import drawn_row
from sqlalchemy import text

from andon.errors import InputError, NotFoundError
from andon.store import Filter, NewInspection, Store

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def versions(store: Store) -> Store:
    """Three versions of one model."""
    for sha256, parent in ((A, None), (B, A), (C, B)):
        store.models.add(
            sha256, name="bolt", path=f"/models/{sha256[0]}", by="ann", parent_sha256=parent, origin="words"
        )
    return store


def active(store: Store, name: str = "bolt") -> str | None:
    model = store.models.active(name)
    return None if model is None else model.sha256


def test_a_model_that_is_known_stays_as_it_is_but_for_its_place(versions: Store) -> None:
    again = versions.models.add(B, name="other", path="/elsewhere", by="bob")
    assert (again.name, again.path, again.added_by, again.parent_sha256) == ("bolt", "/elsewhere", "ann", A)
    assert [one.sha256 for one in versions.models.versions("bolt")] == [C, B, A]
    assert versions.models.versions("nut") == [] and len(versions.models.versions()) == 3


def test_figures_of_a_model_can_be_replaced(versions: Store) -> None:
    versions.models.set_figures(A, {"golden": {"caught": 13, "of": 14}})
    assert versions.models.get(A).figures == {"golden": {"caught": 13, "of": 14}}
    with pytest.raises(NotFoundError, match="no model 'x'"):
        versions.models.set_figures("x", {})


def test_rolling_back_goes_through_what_was_active_before(versions: Store) -> None:
    assert active(versions) is None
    for sha256 in (A, B, B, C):  # the same again is nothing new to go back to
        versions.models.activate("bolt", sha256, by="ann")
    assert active(versions) == C
    assert versions.models.roll_back("bolt", by="bob").sha256 == B
    versions.models.activate("bolt", C, by="ann")
    assert [versions.models.roll_back("bolt", by="bob").sha256 for _ in range(2)] == [B, A]
    assert active(versions) == A
    with pytest.raises(InputError, match="none to roll back to"):
        versions.models.roll_back("bolt", by="bob")
    history = [(one.what, one.sha256[0], one.by) for one in versions.models.activations("bolt")]
    assert history[:3] == [("roll back", "a", "bob"), ("roll back", "b", "bob"), ("activate", "c", "ann")]
    assert len(history) == 8 and versions.models.activations("nut") == []


def test_only_a_known_model_can_be_active(versions: Store) -> None:
    with pytest.raises(NotFoundError, match="no model 'x'"):
        versions.models.activate("bolt", "x", by="ann")


def test_a_change_of_the_model_is_an_event(versions: Store) -> None:
    before = versions.events.last()
    versions.models.activate("bolt", A, by="ann")
    assert [(event.kind, event.subject) for event in versions.events.since(before)] == [("model", A)]


def test_the_golden_set(store: Store) -> None:
    names = [f"i{number}" for number in range(3)]
    store.inspections.add_all([NewInspection(row=drawn_row(inspection_id=name), station=name) for name in names])
    store.golden.add(["i2", "i0"], "OK")
    store.golden.add(["i2"], "NG")
    assert [(one.inspection.inspection_id, one.kind) for one in store.golden.photos()] == [("i0", "OK"), ("i2", "NG")]
    assert [one.kind for one in store.golden.photos(Filter(station="i2"))] == ["NG"]
    with pytest.raises(NotFoundError):
        store.golden.add(["i1", "x"], "OK")
    store.golden.remove("i0")
    assert [one.inspection.inspection_id for one in store.golden.photos()] == ["i2"]


def test_a_token_opens_what_its_scopes_say_until_it_is_revoked(store: Store) -> None:
    secret = store.tokens.create("line 3", ["inspect", "review"])
    other = store.tokens.create("boss", ["admin"])
    token = store.tokens.check(secret)
    assert token is not None and (token.name, sorted(token.scopes)) == ("line 3", ["inspect", "review"])
    assert [store.tokens.check(wrong) for wrong in ("", secret[:-1], secret + "x", "ä\udcff")] == [None] * 4
    store.tokens.revoke("line 3")
    assert store.tokens.check(secret) is None and store.tokens.check(other) is not None
    assert [(one.name, one.revoked_at is None) for one in store.tokens.all()] == [("boss", True), ("line 3", False)]


def test_names_of_tokens_are_taken_once(store: Store) -> None:
    store.tokens.create("line 3", ["inspect"])
    with pytest.raises(InputError, match="a token 'line 3' already"):
        store.tokens.create("line 3", ["admin"])
    for name in ("", " ", "a\nadministrator: admin", "\x1b[2J"):
        with pytest.raises(InputError, match="can be shown"):
            store.tokens.create(name, ["review"])
    with pytest.raises(NotFoundError, match="no valid token 'line 4'"):
        store.tokens.revoke("line 4")


def test_the_secret_is_nowhere_in_the_database(store: Store) -> None:
    secret = store.tokens.create("line 3", ["inspect"])
    with store._database.read() as connection:
        (row,) = connection.execute(text("SELECT * FROM tokens")).all()
    assert secret.removeprefix("andon_") not in str(tuple(row))


def test_events_are_forgotten_and_their_numbers_not_given_again(store: Store) -> None:
    for subject in ("a", "b"):
        store.events.add("alarm", subject)
    assert [event.subject for event in store.events.since(1)] == ["b"]
    assert store.events.forget(datetime.now(UTC) + timedelta(seconds=1)) == 2 and store.events.since(0) == []
    store.events.add("alarm", "c")
    assert [(event.number, event.subject) for event in store.events.since(0)] == [(3, "c")]
