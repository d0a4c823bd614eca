"""The training loop, on a network of one layer that learns to give its photos back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from andon.detectors import Batch, Checkpoint, History, _checkpoint, _photos, _training
from andon.detectors._training import seeded, train
from andon.errors import ConfigError, DatasetError, TrainingError

STEPS_PER_EPOCH = 5


class Photos:
    """Photos of 6 x 10 pixels, in batches of 4; photo i is of brightness i / n."""

    def __init__(self, n: int = 20) -> None:
        brightness = torch.arange(n).view(n, 1, 1, 1) / n
        self.x = brightness.expand(n, 3, 6, 10).clone()
        self.roi = torch.ones(n, 6, 10, dtype=torch.bool)

    def __iter__(self) -> Iterator[Batch]:
        yield from zip(self.x.split(4), self.roi.split(4), strict=True)


class Pupil:
    """A network, its optimiser and what the loop made it see."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        with seeded(self.generator):
            self.network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.1))
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.taught_with: list[float] = []
        self.measured_with: list[float] = []
        self.rates: list[float] = []
        self.steps = 0
        self.stop_at: int | None = None
        self.not_a_number_at: int | None = None
        self.held_out_losses: list[float] | None = None  # to be given back in place of the real ones

    def step(self, x: Tensor, roi: Tensor) -> Mapping[str, float]:
        self.steps += 1
        self.rates.append(self.optimiser.param_groups[0]["lr"])
        self.taught_with += x[:, 0, 0, 0].tolist()
        if self.steps == self.stop_at:
            raise KeyboardInterrupt
        loss = (self.network(x) - x).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"error": float("nan") if self.steps == self.not_a_number_at else loss.item()}

    def validate(self, x: Tensor, roi: Tensor) -> float:
        self.measured_with += x[:, 0, 0, 0].tolist()
        loss = (self.network(x) - x).square().mean().item()
        return loss if self.held_out_losses is None else self.held_out_losses[self.steps // STEPS_PER_EPOCH - 1]

    def train(self, photos: Photos | None = None, *, epochs: int = 6, patience: int = 6, **options: Any) -> History:
        return train(
            photos or Photos(),
            modules={"network": self.network},
            optimisers={"adam": self.optimiser},
            step=self.step,
            validate=self.validate,
            epochs=epochs,
            patience=patience,
            generator=self.generator,
            **options,
        )

    def weights(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns_and_leaves_the_network_in_evaluation_mode() -> None:
    pupil = Pupil()
    history = pupil.train(epochs=40, patience=40)
    assert history.losses["error"][-1] < 0.3 * history.losses["error"][0]
    assert len(history.losses["error"]) == len(history.losses["held-out"]) == 40
    assert not pupil.network.training
    assert not history.interrupted


def test_each_photo_teaches_once_an_epoch_and_held_out_ones_never_do() -> None:
    pupil = Pupil()
    pupil.train(epochs=3)
    per_epoch = [sorted(pupil.taught_with[18 * epoch : 18 * (epoch + 1)]) for epoch in range(3)]
    assert per_epoch[0] == per_epoch[1] == per_epoch[2]
    assert len(set(per_epoch[0])) == 18
    assert pupil.taught_with[:18] != pupil.taught_with[18:36]  # in another order
    assert len(set(pupil.measured_with)) == 2
    assert set(pupil.measured_with).isdisjoint(pupil.taught_with)


def test_what_lies_outside_the_roi_is_blank() -> None:
    pupil, photos = Pupil(), Photos()
    photos.roi[:, 0, 0] = False
    pupil.train(photos, epochs=1)
    assert set(pupil.taught_with) | set(pupil.measured_with) == {0.0}


def test_the_best_epoch_is_kept_and_waiting_for_a_better_one_ends() -> None:
    pupil, until_then = Pupil(), Pupil()
    pupil.held_out_losses = [5, 3, 2, 4, 2, 6, 7, 8, 9]
    history = pupil.train(epochs=9, patience=3)
    assert history.best_epoch == 3
    assert history.losses["held-out"] == [5, 3, 2, 4, 2, 6]
    assert history.note == "6 of at most 9 epochs were run; epoch 3, the best on 2 held-out OK photos, is kept."
    until_then.held_out_losses = [5, 3, 2]
    until_then.train(epochs=3)
    assert same(pupil.weights(), until_then.weights())


def test_the_seed_settles_everything_and_the_global_generator_nothing() -> None:
    torch.manual_seed(1)
    one, other, third = Pupil(), Pupil(), Pupil(seed=1)
    first = one.train()
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    assert other.train() == first
    assert torch.equal(torch.random.get_rng_state(), before)
    assert same(one.weights(), other.weights())
    third.train()
    assert third.taught_with != one.taught_with


def test_it_learns_while_its_caller_only_infers() -> None:
    with torch.inference_mode():
        photos = Photos()  # inference tensors
    inside, outside = Pupil(), Pupil()
    with torch.inference_mode():
        assert inside.train(photos) == outside.train()


def test_ctrl_c_keeps_the_best_so_far() -> None:
    pupil, until_then = Pupil(), Pupil()
    pupil.stop_at = 3 * STEPS_PER_EPOCH + 2
    history = pupil.train()
    assert history.interrupted
    assert len(history.losses["error"]) == 3
    assert history.note.startswith("Ctrl-C ended the training; 3 of at most 6 epochs were run; epoch ")
    until_then.train(epochs=3)
    assert same(pupil.weights(), until_then.weights())


def test_ctrl_c_before_anything_was_learned_is_left_to_the_caller() -> None:
    pupil = Pupil()
    pupil.stop_at = 2
    with pytest.raises(KeyboardInterrupt):
        pupil.train()


def test_a_loss_that_is_no_number_keeps_the_best_so_far() -> None:
    pupil, until_then = Pupil(), Pupil()
    pupil.not_a_number_at = 2 * STEPS_PER_EPOCH + 1
    history = pupil.train()
    assert history.note.startswith("The loss 'error' is not finite in epoch 3, which ended the training; ")
    assert not history.interrupted
    until_then.train(epochs=2)
    assert same(pupil.weights(), until_then.weights())


def test_a_loss_that_is_no_number_from_the_beginning_is_an_error() -> None:
    pupil = Pupil()
    pupil.not_a_number_at = 1
    with pytest.raises(TrainingError, match=r"^The loss 'error' is not finite in epoch 1.*learning_rate\.$"):
        pupil.train()


def test_a_training_that_was_cut_off_goes_on_to_the_same_end(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "abc")
    whole, cut, rest = Pupil(), Pupil(), Pupil()
    expected = whole.train()
    cut.stop_at = 4 * STEPS_PER_EPOCH + 3
    assert "the same command resumes it" in cut.train(checkpoint=checkpoint).note
    assert rest.train(checkpoint=checkpoint) == expected
    assert rest.steps == 2 * STEPS_PER_EPOCH
    assert same(rest.weights(), whole.weights())
    finished = Pupil()
    assert finished.train(checkpoint=checkpoint) == expected
    assert finished.steps == 0
    assert same(finished.weights(), whole.weights())


def test_learning_rates_fall_to_zero_where_they_are_to_and_as_if_never_cut_off(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "abc")
    whole, cut, rest, steady = Pupil(), Pupil(), Pupil(), Pupil()
    whole.train(decays=True)
    steady.train()
    assert whole.rates == pytest.approx([0.05 * (6 - epoch) / 6 for epoch in range(6) for _ in range(STEPS_PER_EPOCH)])
    assert set(steady.rates) == {0.05}
    cut.stop_at = 4 * STEPS_PER_EPOCH + 3
    cut.train(decays=True, checkpoint=checkpoint)
    rest.train(decays=True, checkpoint=checkpoint)
    assert rest.rates == whole.rates[4 * STEPS_PER_EPOCH :]
    assert same(rest.weights(), whole.weights())


@pytest.mark.parametrize("content", ["another training", "rubbish", "cut short"])
def test_a_checkpoint_of_no_use_is_not_gone_on_with(tmp_path: Path, content: str) -> None:
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "abc")
    Pupil().train(checkpoint=Checkpoint(checkpoint.path, "xyz" if content == "another training" else "abc"))
    if content == "rubbish":
        checkpoint.path.write_text(content)
    if content == "cut short":
        checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-10])
    pupil = Pupil()
    pupil.train(checkpoint=checkpoint)
    assert pupil.steps == 6 * STEPS_PER_EPOCH


def test_a_checkpoint_is_written_once_in_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_training, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "abc")
    pupil = Pupil()
    pupil.not_a_number_at = 2 * STEPS_PER_EPOCH + 1
    seen = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, tensors, losses: seen.append(len(losses["error"])))
    pupil.train(checkpoint=checkpoint)
    assert seen == [1, 2, 2]


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_training, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    monkeypatch.setattr(_checkpoint, "write_whole", full)
    history = Pupil().train(checkpoint=Checkpoint(tmp_path / "c.safetensors", "abc"))
    assert len(history.losses["error"]) == 6
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "without a checkpoint" in warnings[0] and "No space left" in warnings[0]


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"Only 3 of the OK photos can train, .* needs 4, better 50"):
        Pupil().train(Photos(3))
    assert len(Pupil().train(Photos(4)).losses["error"]) == 6


def test_photos_of_several_sizes_are_refused() -> None:
    small = Photos(4)
    small.x, small.roi = small.x[:, :, :4], small.roi[:, :4]

    class Mixed(Photos):
        def __iter__(self) -> Iterator[Batch]:
            yield from small
            yield from super().__iter__()

    with pytest.raises(ConfigError, match="of different sizes"):
        Pupil().train(Mixed(4))


def test_many_photos_are_mixed_pool_by_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_photos, "POOL_BYTES", 8 * 3 * 6 * 10 * 4)  # eight photos
    pupil = Pupil()
    pupil.train(epochs=1)
    assert len(set(pupil.taught_with)) == 18
    assert max(pupil.taught_with[:6]) < min(pupil.taught_with[12:])


def test_progress_says_epoch_and_losses(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="andon"):
        Pupil().train()
    last = caplog.records[-2].getMessage()
    assert last.startswith("Epoch 6 of 6: error 0.") and ", held-out 0." in last
