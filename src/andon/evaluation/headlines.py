"""The few metrics that are asked for by name: by tables and cards with room for a few, and by plots that show one.

Elsewhere a metric is named only in its own file. Figures of separation, which know no threshold, are never shown
without what the verdicts do: rejects, reviews and escapes.
"""

IMAGE_AUROC = "image_auroc"
AVERAGE_PRECISION = "image_ap"
PIXELS = ("pixel_auroc", "aupro")
SEPARATION = (IMAGE_AUROC, *PIXELS)

FALSE_REJECTS = "false_reject_rate"
ESCAPES = "escape_rate"
OK_REVIEWS = "ok_review_rate"
NG_REVIEWS = "ng_review_rate"
INVALID = "invalid_rate"
REVIEWS = (OK_REVIEWS, NG_REVIEWS)
AT_THRESHOLD = (ESCAPES, FALSE_REJECTS, *REVIEWS)

HEADLINES = (*AT_THRESHOLD, *SEPARATION)
OF_ONE_DEFECT = (ESCAPES, NG_REVIEWS, *SEPARATION)
"""What can be said of the photos with one kind of defect."""
