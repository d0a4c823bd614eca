"""What people look at: Jinja2, plain HTML and CSS, one small script of ours, no build step.

One file is one page with its router; `PAGES` lists them, and `MENU` what the menu shows. A page is rendered by
`rendering.page`, which knows who looks and gives the template what all pages need.
"""

from __future__ import annotations

from fastapi import FastAPI

from andon.server.pages import drift, inspection, line, login, models, review, static, threshold

PAGES = (login, static, line, inspection, review, threshold, models, drift)


def add_to(app: FastAPI) -> None:
    """Add all pages to the app. They are not part of the API's description."""
    login.send_to_login(app)
    for one in PAGES:
        app.include_router(one.router, include_in_schema=False)
