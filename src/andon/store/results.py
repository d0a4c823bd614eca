"""Inspections for reports: the row of each, with its station and the review that counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from andon.rows import CSV_COLUMNS, Cells, csv_cell, csv_cells
from andon.store.records import Filter, Review, StoredInspection
from andon.store.store import Store

BESIDES = ("station", "reviewed_as", "reviewed_by", "reviewed_at", "review_note")
"""What a result has beside the row; all but the station are None where no review counts."""

RESULT_COLUMNS = (*CSV_COLUMNS, *BESIDES)


@dataclass(frozen=True)
class Result:
    """An inspection, and the review that counts."""

    inspection: StoredInspection
    review: Review | None

    def to_dict(self) -> Cells:
        """The row and the names BESIDES, as plain values that JSON knows."""
        review = self.review
        return self.inspection.row | {
            "station": self.inspection.station,
            "reviewed_as": review and review.verdict,
            "reviewed_by": review and review.by,
            "reviewed_at": review and review.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "review_note": review and review.note,
        }

    def to_csv_cells(self) -> list[object]:
        """The values in the order of RESULT_COLUMNS; see `rows.csv_cells`."""
        cells = self.to_dict()
        return [*csv_cells(self.inspection.row), *(csv_cell(cells[name]) for name in BESIDES)]


def results(store: Store, wanted: Filter) -> Iterator[Result]:
    """Those that are wanted, oldest first, a page at a time, so that memory does not grow with their number."""
    for page in store.inspections.pages(wanted):
        reviews = store.reviews.that_count([one.inspection_id for one in page.inspections])
        for one in page.inspections:
            yield Result(one, reviews.get(one.inspection_id))
