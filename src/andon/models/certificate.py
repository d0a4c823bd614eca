"""Certificate of verdicts: what the reference said of some photos, so that an exported model can be held against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from andon.line.calibration import Calibration
from andon.line.pipeline import Pipeline
from andon.progress import track
from andon.types import Inspection, RgbImage

BOUND = {"f32": 1e-4, "bf16": 1e-2}
"""By precision: the share by which a score may differ from the reference's."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What the detector in torch, in float32, said of the probe photos, in their order.

    Attributes:
        names: what each shows.
        sha256: of each photo's file, in hex.
    """

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    scores: tuple[float, ...]
    verdicts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len({len(self.names), len(self.sha256), len(self.scores), len(self.verdicts)}) > 1:
            raise ValueError("its certificate is incomplete; export it again.")


@dataclass(frozen=True)
class Finding:
    """How one probe photo was judged, beside what is certified.

    Attributes:
        off: by which share of the certified score the score differs.
        is_kept: whether that is within the bound, and the verdict the same or the score at a threshold.
    """

    name: str
    certified: tuple[str, float]
    found: tuple[str, float]
    off: float
    is_kept: bool

    def in_words(self) -> str:
        """For the reader."""
        (was, score), (verdict, now) = self.certified, self.found
        return f"{self.name}: certified as {was} with score {score:.6g}, found {verdict} with {now:.6g}"


def certify(
    pipeline: Pipeline, names: Iterable[str], digests: Iterable[str], photos: Sequence[RgbImage]
) -> Certificate:
    """What the pipeline, which is the reference, says of the photos."""
    judged = [pipeline.inspect(photo, with_map=False) for photo in track(photos, "Judging by the model", len(photos))]
    return Certificate(
        names=tuple(names),
        sha256=tuple(digests),
        scores=tuple(one.score for one in judged),
        verdicts=tuple(one.verdict for one in judged),
    )


def compare(pipeline: Pipeline, certificate: Certificate, photos: Sequence[RgbImage]) -> list[Finding]:
    """How the pipeline judges the certified photos."""
    assert pipeline.calibration is not None
    bound = BOUND[pipeline.scorer.precision]
    certified = zip(certificate.names, certificate.verdicts, certificate.scores, strict=True)
    shown = track(photos, f"Judging by what was exported, in {pipeline.scorer.precision}", len(photos))
    judged = (pipeline.inspect(photo, with_map=False) for photo in shown)
    return [
        _finding(*expected, one, bound, pipeline.calibration) for expected, one in zip(certified, judged, strict=True)
    ]


def worst(findings: Sequence[Finding]) -> float:
    """The largest share by which a score differs."""
    return max((finding.off for finding in findings), default=0.0)


def _finding(
    name: str, verdict: str, score: float, found: Inspection, bound: float, calibration: Calibration
) -> Finding:
    off = abs(found.score - score) / max(abs(score), 1e-12)
    thresholds = [one for one in (calibration.threshold, calibration.review_threshold) if one is not None]
    at_threshold = any(abs(score - one) <= bound * abs(one) for one in thresholds)
    is_kept = off <= bound and (found.verdict == verdict or at_threshold)
    return Finding(name, (verdict, score), (found.verdict, found.score), off, is_kept)
