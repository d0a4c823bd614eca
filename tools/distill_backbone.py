"""Teach the embedded backbone: a small network learns to predict the feature maps of frozen teachers.

    python tools/distill_backbone.py --teacher resnet18=FILE --images DIR --out embedded.safetensors

The student predicts each teacher's maps at strides 4, 8 and 16 through 1 x 1 convolutions, one "head" per map. The
heads of the first teacher are shipped; those of further teachers only shape what lies below them. The student has no
batch norm: the second convolution of each residual block starts at zero instead (Zhang, Dauphin & Ma, "Fixup
Initialization", ICLR 2019), so there is nothing to fold at export.

Every crop is drawn from (seed, step, place in the batch) alone. So the same command gives the same log, in any number
of threads, and a run goes on from its checkpoint, beside --out, as if it had never stopped. The learning rate stays
constant until the last third and then falls linearly to zero, so a run may be resumed with another --steps, longer or
shorter, as long as it had not begun to fall.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import procedural_images
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from andon import backbones, images
from andon.backbones import Backbone, BackboneConfig
from andon.backbones.embedded import Block, EmbeddedBackbone
from andon.ordered_map import ordered_map
from andon.types import RgbImage

CROP = 192
STRIDE_WEIGHTS = {4: 0.3, 8: 1.0, 16: 1.0}
WARM_UP = 200  # steps
FALLING = 1 / 3  # share of the steps in which the learning rate falls
WEIGHT_DECAY = 0.02

M = TypeVar("M", bound=nn.Module)


def main() -> None:
    options = _options()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teachers = [_channels_last(_teacher(*item.split("=", 1)), device) for item in options.teacher]
    student = _channels_last(Student(teachers, options.start_from), device)
    taught, held_out = _pictures(options.images, options.drawn, options.held_out, options.seed)
    print(f"{len(taught)} pictures teach, {len(held_out)} are held out; {device}; {options.steps} steps", flush=True)
    Run(student, teachers, options).go(taught, held_out, device)
    _export(student, options, len(taught))


class Student(nn.Module):
    """The backbone that is shipped, and heads for the maps of further teachers."""

    def __init__(self, teachers: list[Backbone], start_from: Path | None) -> None:
        super().__init__()
        self.backbone = EmbeddedBackbone(tuple(STRIDE_WEIGHTS))
        _initialise(self.backbone)
        if start_from is not None:
            known = backbones._base.read_weights(start_from)
            new = self.backbone.load_state_dict(known, strict=False).missing_keys
            print(f"started from {start_from.name}; new: {[key for key in new if key.endswith('weight')]}")
        self.further = nn.ModuleList()
        for teacher in teachers[1:]:
            widths = {4: 48, 8: 96, 16: 192}
            self.further.append(
                nn.ModuleList(
                    nn.Conv2d(widths[stride], channels, 1)
                    for stride, channels in zip(teacher.strides, teacher.channels, strict=True)
                )
            )

    def forward(self, x: Tensor, teachers: list[Backbone]) -> list[list[Tensor]]:
        """One prediction per teacher and stride."""
        trunk = self.backbone.trunk((x - self.backbone.mean) / self.backbone.std)
        predicted = [[self.backbone.head(trunk, stride) for stride in teachers[0].strides]]
        for teacher, heads in zip(teachers[1:], self.further, strict=True):
            predicted.append(
                [head(trunk[stride]) for head, stride in zip(heads.children(), teacher.strides, strict=True)]
            )
        return predicted


@dataclass
class Run:
    """The way from the first step, or the checkpoint, to the last."""

    student: Student
    teachers: list[Backbone]
    options: argparse.Namespace

    def go(self, taught: list[RgbImage], held_out: list[RgbImage], device: torch.device) -> None:
        options = self.options
        optimizer = torch.optim.AdamW(self.student.parameters(), lr=options.rate, weight_decay=WEIGHT_DECAY)
        checkpoint = options.out.with_suffix(".checkpoint.pt")
        first = self._resume(checkpoint, optimizer)
        spread = self._spread(held_out, device)
        started, running = time.monotonic(), 0.0
        batches = _batches(taught, range(first, options.steps), options.seed, options.batch)
        for step, x in zip(range(first, options.steps), batches, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, options.steps, options.rate)
            loss = self._errors(x.to(device), spread).mean()
            if not torch.isfinite(loss):
                raise SystemExit(f"The loss of step {step} is not finite; resume with a smaller --rate.")
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
            optimizer.step()
            running += loss.item()
            done = step + 1
            if done % options.save_every == 0 or done == options.steps:
                part = (done - 1) % options.save_every + 1
                left = (time.monotonic() - started) / (done - first) * (options.steps - done)
                line = f"step {done} loss {running / part:.5f}"
                if done % (10 * options.save_every) == 0 or done == options.steps:
                    line += f" unexplained, held out {self._unexplained(held_out, spread, device)}"
                print(f"{line}   [{left / 60:.0f} min left]", flush=True)
                running = 0.0
                self._save(checkpoint, optimizer, done)

    def _errors(self, x: Tensor, spread: list[list[Tensor]]) -> Tensor:
        """For each map the squared error over the map's variance, plus the same after 3 x 3 averaging.

        Averaged maps are what a patch embedding is made of (Roth et al. 2022, equation 2).
        """
        with torch.no_grad():
            truth = [teacher(x) for teacher in self.teachers]
        errors = []
        for predicted, wanted, variances in zip(self.student(x, self.teachers), truth, spread, strict=True):
            for p, w, variance in zip(predicted, wanted, variances, strict=True):
                difference = p - w
                pooled = F.avg_pool2d(difference, 3, stride=1, padding=1)
                weight = STRIDE_WEIGHTS[x.shape[-1] // p.shape[-1]]
                errors.append(weight * (difference.square().mean() + pooled.square().mean()) / variance)
        return torch.stack(errors)

    @torch.no_grad()
    def _spread(self, held_out: list[RgbImage], device: torch.device) -> list[list[Tensor]]:
        """The variance of each teacher's maps around their channels' means, (1,) each."""
        x = _whole(held_out).to(device)
        maps = [
            [torch.cat(parts) for parts in zip(*map(teacher, torch.split(x, 16)), strict=True)]
            for teacher in self.teachers
        ]
        return [[m.var(dim=(0, 2, 3)).mean() for m in of_teacher] for of_teacher in maps]

    @torch.no_grad()
    def _unexplained(self, held_out: list[RgbImage], spread: list[list[Tensor]], device: torch.device) -> str:
        """The share of each map's variance that the student does not predict, photographs / drawn pictures."""
        figures = []
        for half in (held_out[: len(held_out) // 2], held_out[len(held_out) // 2 :]):
            x = _whole(half).to(device)
            (predicted, *_), truth = self.student(x, self.teachers), self.teachers[0](x)
            figures.append(
                [
                    f"{((p - t).square().mean() / v).item():.3f}"
                    for p, t, v in zip(predicted, truth, spread[0], strict=True)
                ]
            )
        return " / ".join(" ".join(half) for half in figures)

    def _save(self, path: Path, optimizer: torch.optim.Optimizer, done: int) -> None:
        state = {"student": self.student.state_dict(), "optimizer": optimizer.state_dict(), "done": done}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def _resume(self, path: Path, optimizer: torch.optim.Optimizer) -> int:
        if not path.exists():
            return 0
        state = torch.load(path, weights_only=True)
        self.student.load_state_dict(state["student"])
        optimizer.load_state_dict(state["optimizer"])
        print(f"resumed after step {state['done']}")
        return int(state["done"])


def _rate(step: int, steps: int, highest: float) -> float:
    falling = max(1.0, FALLING * steps)
    return highest * min(1.0, (step + 1) / WARM_UP, (steps - step) / falling)


def _initialise(backbone: EmbeddedBackbone) -> None:
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for module in backbone.modules():
        if isinstance(module, Block):
            nn.init.zeros_(module.conv2.weight)


def _channels_last(network: M, device: torch.device) -> M:
    """The same network on the device, its filters laid out as convolutions like them best."""
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _teacher(name: str, weights: str) -> Backbone:
    strides = (16,) if "patch16" in name else tuple(STRIDE_WEIGHTS)
    return backbones.create(BackboneConfig(name=name, weights=weights, strides=strides))


def _pictures(folder: Path, drawn: int, half: int, seed: int) -> tuple[list[RgbImage], list[RgbImage]]:
    """Those that teach, and those that are held out: `half` photographs, then `half` drawn ones."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    photographs = list(ordered_map(images.read, files))
    if len(photographs) <= half or drawn <= half:
        raise SystemExit(
            f"{len(photographs)} photographs and {drawn} drawn pictures; expected more than {half} of each."
        )
    drawings = list(ordered_map(procedural_images.draw, [(seed, number) for number in range(drawn)]))
    return photographs[half:] + drawings[half:], photographs[:half] + drawings[:half]


def _whole(pictures: list[RgbImage]) -> Tensor:
    """The middle square of each, (B, 3, CROP, CROP)."""
    squares = []
    for picture in pictures:
        h, w = picture.shape[:2]
        side = min(h, w)
        top, left = (h - side) // 2, (w - side) // 2
        square = picture[top : top + side, left : left + side]
        squares.append(cv2.resize(square, (CROP, CROP), interpolation=cv2.INTER_AREA))
    return _tensor(np.stack(squares))


def _batches(pictures: list[RgbImage], steps: range, seed: int, size: int) -> Iterator[Tensor]:
    def batch(step: int) -> Tensor:
        return _tensor(np.stack([_crop(pictures, np.random.default_rng((seed, step, place))) for place in range(size)]))

    return ordered_map(batch, steps, ahead=8)


def _crop(pictures: list[RgbImage], rng: np.random.Generator) -> RgbImage:
    """A random square of a random picture: turned, mirrored, in other light, some of it grey, scratched or noisy."""
    picture = pictures[int(rng.integers(len(pictures)))]
    h, w = picture.shape[:2]
    side = int(min(h, w) * rng.uniform(0.3, 1))
    top, left = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
    crop = picture[top : top + side, left : left + side]
    method = cv2.INTER_AREA if side > CROP else cv2.INTER_CUBIC
    crop = np.rot90(cv2.resize(crop, (CROP, CROP), interpolation=method), int(rng.integers(4)))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.3:
        crop = procedural_images.scratched(np.ascontiguousarray(crop), rng)
    values = crop.astype(np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.3 else rng.uniform(0.3, 1.2)
    values = grey[:, :, None] + saturation * (values - grey[:, :, None])
    values = (values - 128) * rng.uniform(0.6, 1.3) + 128 + rng.uniform(-30, 30)
    if rng.random() < 0.3:
        values += rng.uniform(1, 8) * rng.standard_normal(values.shape, dtype=np.float32)
    return np.clip(values, 0, 255).astype(np.uint8)


def _tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [0, 1], channels last in memory."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(255)


def _export(student: Student, options: argparse.Namespace, n_pictures: int) -> None:
    """The backbone in half precision; where it comes from stands in the file's header."""
    weights = {
        name: tensor.half().cpu().contiguous()
        for name, tensor in student.backbone.state_dict().items()
        if name not in ("mean", "std")
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, options.out, metadata={"origin": json.dumps(_origin(options, n_pictures))})
    print(
        f"{options.out}: {sum(t.numel() for t in weights.values()):,} parameters, {options.out.stat().st_size:,} bytes"
    )


def _origin(options: argparse.Namespace, n_pictures: int) -> dict[str, object]:
    files = {item.split("=", 1)[0]: Path(item.split("=", 1)[1]) for item in options.teacher}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "commit": commit,
        "command": " ".join(["python", *sys.argv]),
        "teachers_sha256": {name: _sha256(path) for name, path in files.items()},
        "started_from_sha256": _sha256(options.start_from) if options.start_from else None,
        "pictures": n_pictures,
        **{name: getattr(options, name) for name in ("drawn", "held_out", "steps", "batch", "rate", "seed")},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", action="append", required=True, metavar="NAME=FILE", help="repeatable")
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--out", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--start-from", type=Path, help="weights of an earlier embedded backbone")
    parser.add_argument("--drawn", type=int, default=1500, help="pictures drawn by program")
    parser.add_argument("--held-out", type=int, default=48, help="so many photographs and drawn pictures never teach")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not options.images.is_dir():
        parser.error(f"there is no folder {options.images}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
