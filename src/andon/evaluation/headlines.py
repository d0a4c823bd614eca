"""The few metrics that are asked for by name: by tables and cards with room for a few, and by plots that show one.

Elsewhere a metric is named only in its own file. Figures of separation, which know no threshold, are never shown
without the false rejects and escapes at the threshold.
"""

IMAGE_AUROC = "image_auroc"
AVERAGE_PRECISION = "image_ap"
PIXELS = ("pixel_auroc", "aupro")
SEPARATION = (IMAGE_AUROC, *PIXELS)

FALSE_REJECTS = "false_reject_rate"
ESCAPES = "escape_rate"
REVIEWS = "review_rate"
INVALID = "invalid_rate"
AT_THRESHOLD = (FALSE_REJECTS, ESCAPES)

HEADLINES = (*SEPARATION, *AT_THRESHOLD)
OF_ONE_DEFECT = (ESCAPES, *SEPARATION)
"""What can be said of the photos with one kind of defect."""
