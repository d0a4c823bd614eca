"""The newest inspections of a station are found without looking at all of them."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_inspections_of_station", "inspections", ["station", "number"])
