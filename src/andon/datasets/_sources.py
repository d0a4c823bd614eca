"""Where the public data sets are obtained; their terms want a person, so no program fetches them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One public data set.

    Attributes:
        unpack: shell lines that lead from what was downloaded to folders that Andon reads.
        data: one folder that `andon train` takes afterwards.
    """

    title: str
    url: str
    licence: str
    unpack: tuple[str, ...]
    data: str


SOURCES = {
    "mvtec": Source(
        title="MVTec AD: 15 kinds of objects and textures, 5,354 photos with masks",
        url="https://www.mvtec.com/company/research/datasets/mvtec-ad",
        licence="CC BY-NC-SA 4.0: not for commercial use, product development included",
        unpack=("mkdir mvtec", "tar -xf mvtec_anomaly_detection.tar.xz -C mvtec"),
        data="mvtec/bottle",
    ),
    "mpdd": Source(
        title="MPDD: 6 kinds of painted metal parts, more than 1,000 photos with masks",
        url="https://github.com/stepanje/MPDD",
        licence="usually given as CC BY-NC-SA 4.0, not for commercial use; its page states none, so ask the authors",
        unpack=("# each kind of part is a folder with train, test and ground_truth: nothing to rearrange",),
        data="MPDD/metal_plate",
    ),
    "visa": Source(
        title="VisA: 12 kinds of objects, 10,821 photos with masks",
        url="https://github.com/amazon-science/spot-diff",
        licence="CC BY 4.0: commercial use is allowed with attribution",
        unpack=("mkdir VisA && tar -xf VisA*.tar -C VisA",),
        data="VisA/candle",
    ),
}
