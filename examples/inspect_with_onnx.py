"""Inspects photos with a model that `andon export --to onnx` wrote: python inspect_with_onnx.py part.onnx photo.png ...

It needs no Andon, and reads part.npz beside part.onnx. It is for detectors with a memory bank, and for photos of 8 bits
that are prepared by the step resize alone. It has no guard: a photo of something else gets a verdict, too.
"""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def prepared(path, canvas):  # the photo in the middle of the canvas, (1, H, W, 3), and where it lies, (1, H, W)
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode not in ("L", "RGB") or image.has_transparency_data:
        sys.exit(f"{path} is neither grey nor RGB of 8 bits; save it as such.")
    photo = np.array(image.convert("RGB"))
    size = [max(1, round(side * np.divide(canvas, photo.shape[:2]).min())) for side in photo.shape[:2]]
    size = canvas if max(np.subtract(canvas, size)) <= 8 else size  # of the canvas's shape, but for rounding
    how = cv2.INTER_AREA if np.less(size, photo.shape[:2]).any() else cv2.INTER_LINEAR
    around = [(space // 2, space - space // 2) for space in np.subtract(canvas, size)]
    photo = np.pad(cv2.resize(photo, size[::-1], interpolation=how), [*around, (0, 0)])
    return photo[None], np.pad(np.ones(size, np.float32), around)[None]


def image_score(queries, bank, how):  # from the distance of each patch to the nearest row of the memory bank
    half = (bank**2).sum(axis=1) / 2
    rows = np.concatenate([(half - q @ bank.T).argmin(1) for q in np.array_split(queries, 1 + len(queries) // 256)])
    distances = np.linalg.norm(queries - bank[rows], axis=1)
    if how["image_score"] == "percentile":
        return np.percentile(distances, how["percentile"])
    k = {"maximum": 1, "top_k_mean": how["top_k"], "top_share_mean": round(how["top_share"] * len(distances))}
    score = np.sort(distances)[-max(1, k[how["image_score"]]) :].mean()
    if how["num_neighbors"]:  # the re-weighting of PatchCore: is the nearest row itself far from others?
        worst = distances.argmax()
        neighbours = np.linalg.norm(bank - bank[rows[worst]], axis=1).argsort()[: how["num_neighbors"]]
        score *= 1 - 1 / np.exp(np.linalg.norm(bank[neighbours] - queries[worst], axis=1) - distances[worst]).sum()
    return score


network, *photos = map(Path, sys.argv[1:])
with np.load(network.with_suffix(".npz")) as npz:
    about, bank = json.loads(str(npz["about"])), npz.get("bank")
if hashlib.sha256(network.read_bytes()).hexdigest() != about["network_sha256"]:
    sys.exit(f"{network} and the .npz beside it are not of one export; export the model again.")
if bank is None or about["tiling"] or list(about["steps"]) != ["resize"] or about["size"] is None:
    sys.exit("This reader knows only models with a memory bank, without tiles, and with the step resize alone.")
session = onnxruntime.InferenceSession(network)
for path in photos:
    photo, roi = prepared(path, about["size"])
    queries, inside = session.run(["queries", "inside"], {"photo": photo, "roi": roi})
    score = image_score(queries[inside], bank, about["image_score"])
    review = about["review_threshold"] is not None and score >= about["review_threshold"]
    print("NG" if not score < about["threshold"] else "review" if review else "OK", f"{score:.6g}", path)
