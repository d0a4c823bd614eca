"""The few metrics that are called by name: by tables and cards that have room for a few, and by plots that show one.

No other metric is named outside its own file. How well scores and maps separate OK from NG is never shown without
what the threshold makes of it.
"""

IMAGE_AUROC = "image_auroc"
AVERAGE_PRECISION = "image_ap"
PIXELS = ("pixel_auroc", "aupro")
SEPARATION = (IMAGE_AUROC, *PIXELS)

FALSE_REJECTS = "false_reject_rate"
ESCAPES = "escape_rate"
REVIEWS = "review_rate"
AT_THRESHOLD = (FALSE_REJECTS, ESCAPES)

HEADLINES = (*SEPARATION, *AT_THRESHOLD)
OF_ONE_DEFECT = (ESCAPES, *SEPARATION)
"""What can be said of the photos with one kind of defect."""
