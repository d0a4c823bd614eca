"""The first form of the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "events",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "inspections",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("inspection_id", sa.Text(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("part_id", sa.Text(), nullable=True),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("model_sha256", sa.Text(), nullable=False),
        sa.Column("inspected_at", TIME, nullable=False),
        sa.Column("photo_sha256", sa.Text(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("review_rank", sa.Double(), nullable=True),
        sa.Column("reviewed_as", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("inspection_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inspections_model", "inspections", ["model_sha256", "number"])
    op.create_index("ix_inspections_part_id", "inspections", ["part_id"])
    op.create_index("ix_inspections_photo_sha256", "inspections", ["photo_sha256"])
    op.create_index("ix_inspections_station", "inspections", ["station", "inspected_at", "verdict"])
    op.create_index("ix_inspections_time", "inspections", ["inspected_at", "verdict"])
    op.create_index("ix_inspections_to_review", "inspections", ["reviewed_as", "verdict", "review_rank"])
    op.create_table(
        "models",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("parent_sha256", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_models_name", "models", ["name"])
    op.create_table(
        "outbox",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("delivery_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "next_attempt_at"])
    op.create_table(
        "photos",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("kept_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_photos_kept_at", "photos", ["kept_at"])
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "activations",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["models.sha256"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_activations_model_name", "activations", ["model_name"])
    op.create_table(
        "golden",
        sa.Column("inspection", NUMBER, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["inspection"], ["inspections.number"]),
        sa.PrimaryKeyConstraint("inspection"),
    )
    op.create_table(
        "review_claims",
        sa.Column("inspection", NUMBER, autoincrement=False, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["inspection"], ["inspections.number"]),
        sa.PrimaryKeyConstraint("inspection"),
    )
    op.create_index("ix_review_claims_by", "review_claims", ["by"])
    op.create_table(
        "reviews",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("inspection", NUMBER, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("undone_at", TIME, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["inspection"], ["inspections.number"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_by", "reviews", ["by"])
    op.create_index("ix_reviews_inspection", "reviews", ["inspection"])
    op.create_table(
        "watched_files",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("modified_ns", NUMBER, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("inspection", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["inspection"], ["inspections.number"]),
        sa.PrimaryKeyConstraint("folder", "sha256"),
    )
