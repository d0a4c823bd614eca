"""What a station remembers: inspections, reviews, models, deliveries, watched files and tokens in a database, and the
photos beside it. The only place that knows SQL; see docs/database.md.

Needs the extra `serve`, and the extra `postgres` for PostgreSQL.
"""

from andon.store.photos import NotKept, PhotoStore
from andon.store.records import (
    Activation,
    Added,
    DaySummary,
    Delivery,
    Event,
    Filter,
    GoldenPhoto,
    Judged,
    KeptPhoto,
    NewDelivery,
    NewInspection,
    Page,
    Review,
    Scope,
    StoredInspection,
    StoredModel,
    Token,
    WatchedFile,
)
from andon.store.store import Store

__all__ = [
    "Activation",
    "Added",
    "DaySummary",
    "Delivery",
    "Event",
    "Filter",
    "GoldenPhoto",
    "Judged",
    "KeptPhoto",
    "NewDelivery",
    "NewInspection",
    "NotKept",
    "Page",
    "PhotoStore",
    "Review",
    "Scope",
    "Store",
    "StoredInspection",
    "StoredModel",
    "Token",
    "WatchedFile",
]
