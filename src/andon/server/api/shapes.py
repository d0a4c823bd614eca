"""What the API takes and gives, beside rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, WithJsonSchema

from andon.rows import Cells

LARGEST = 2**63 - 1
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
NO_TOPIC_SIGNS = r"^[^\x00-\x1f\x7f/+#]*$"
"""A station's name becomes part of an MQTT topic."""
DIGEST = r"^[0-9a-f]{64}$"
EXPECTED = {
    NO_CONTROLS: "expected no control characters",
    NO_TOPIC_SIGNS: "expected no control characters, and none of /, + and #",
    DIGEST: "expected 64 digits from 0 to 9 and a to f",
}
"""The patterns in words."""

ROW = "AndonRow"
"""The title by which `openapi.py` finds where the schema of a row belongs."""
RowOut = Annotated[Cells, WithJsonSchema({"type": "object", "title": ROW})]

Verdict = Literal["OK", "review", "NG", "invalid", "error"]
Judgement = Literal["OK", "NG"]
ModelName = Annotated[str, Query(max_length=200, pattern=NO_CONTROLS)]
PartId = Annotated[str, Query(max_length=200, pattern=NO_CONTROLS)]
StationName = Annotated[str, Query(max_length=64, pattern=NO_TOPIC_SIGNS)]
Person = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_CONTROLS)]
Sha256 = Annotated[str, Field(pattern=DIGEST)]


def _in_our_times(time: datetime) -> datetime:
    if not 1970 <= time.year < 9999:
        raise ValueError("the year must be 1970 to 9998")
    return time.astimezone(UTC)


def _as_text(time: object) -> datetime:
    """Only ISO 8601, and no number of seconds."""
    try:
        return datetime.fromisoformat(str(time))
    except ValueError:
        raise ValueError("expected a time such as 2026-11-26T08:00:00Z; a + must be sent as %2B") from None


Time = Annotated[AwareDatetime, BeforeValidator(_as_text), AfterValidator(_in_our_times)]


class Out(BaseModel):
    """Made of a record of the store: what is declared here is taken of it, and nothing else."""

    model_config = {"from_attributes": True}

    @classmethod
    def of(cls, record: object) -> Self:
        """Of a record."""
        return cls.model_validate(record)


class ReviewOut(Out):
    """What a person said of an inspection."""

    verdict: Judgement
    note: str
    by: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


class InspectionOut(Out):
    """A row and what belongs to it."""

    row: RowOut
    station: str
    photo_kept: bool
    reviewed_as: Judgement | None


class WholeInspectionOut(InspectionOut):
    """The same with all that people said of it, newest first."""

    reviews: list[ReviewOut]


class PageOut(BaseModel):
    """Some inspections, and what to give as `after` for the next ones; null on the last page."""

    inspections: list[InspectionOut]
    next: str | None


class ReviewIn(BaseModel):
    """What a person says of an inspection; `by` is the token's name unless given."""

    model_config = {"extra": "forbid"}
    verdict: Judgement
    note: Annotated[str, Field(max_length=2000)] = ""
    by: Person | None = None


class UndoIn(BaseModel):
    """Who takes a review back; the token's name unless given."""

    model_config = {"extra": "forbid"}
    by: Person | None = None


class VersionOut(Out):
    """A version of a model."""  # without its path, which is nobody's business

    sha256: str
    added_by: str
    added_at: datetime
    parent_sha256: str | None
    origin: str
    promise: str
    figures: dict[str, Any]


class ActivationOut(Out):
    """Which version judges from when on."""

    sha256: str
    by: str
    at: datetime
    what: Literal["activate", "roll back"]


class ModelOut(BaseModel):
    """A model: the version that judges, all versions, and who activated what when; newest first."""

    name: str
    judges: str
    waiting: int
    versions: list[VersionOut]
    activations: list[ActivationOut]


class ModelsOut(BaseModel):
    """All models that are served."""

    models: list[ModelOut]


class ActivateIn(BaseModel):
    """Which version is to judge."""

    model_config = {"extra": "forbid"}
    sha256: Sha256


class HealthOut(BaseModel):
    """How the server is, with remarks for whoever looks."""

    status: Literal["ok", "draining"]
    remarks: list[str]
