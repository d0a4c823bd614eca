"""Words that users of other tools type out of habit, and what Andon calls them."""

from __future__ import annotations

from collections.abc import Sequence

COMMANDS = {
    "predict": "did you mean 'inspect'?",
    "infer": "did you mean 'inspect'?",
    "detect": "did you mean 'inspect'?",
    "fit": "did you mean 'train'?",
    "learn": "did you mean 'train'?",
    "teach": "did you mean 'train'?",
    "test": "did you mean 'evaluate'?",
    "eval": "did you mean 'evaluate'?",
    "val": "did you mean 'evaluate'?",
    "validate": "did you mean 'evaluate', or 'data verify' for the photos?",
    "benchmark": "did you mean 'compare'?",
    "threshold": "did you mean 'calibrate'?",
    "convert": "did you mean 'export'?",
}
OPTIONS = {
    "--device": "leave it out: Andon uses the GPU if there is one, otherwise the CPU.",
    "--gpu": "leave it out: Andon uses the GPU if there is one.",
    "--accelerator": "leave it out: Andon uses the GPU if there is one, otherwise the CPU.",
    "--model": "give the file as a word of its own, such as: andon inspect MODEL PHOTOS, or the method with --recipe.",
    "--ckpt_path": "give the model file as a word of its own, such as: andon inspect MODEL PHOTOS.",
    "--data": "give the folder as a word of its own, such as: andon train PHOTOS -o part.safetensors.",
    "--input": "give the photos as words of their own, such as: andon inspect MODEL PHOTOS.",
    "--source": "give the photos as words of their own, such as: andon inspect MODEL PHOTOS.",
    "--epochs": "did you mean '--set detector.epochs=N'? Only detectors that learn by gradient have epochs.",
    "--threshold": "did you mean 'andon calibrate', which sets thresholds?",
    "--imgsz": "did you mean '--image-size'?",
    "--save": "did you mean '--out DIR --visualize'?",
}
MISSING = {
    "train": "give the folder that holds photos of good parts: andon train PHOTOS -o part.safetensors",
    "inspect": "give a model and photos: andon inspect part.safetensors PHOTOS",
    "evaluate": "give a model and a data set: andon evaluate part.safetensors PHOTOS",
    "calibrate": "give a model and a folder of OK photos: andon calibrate part.safetensors OK_PHOTOS",
}


def hint(words: Sequence[str], message: str) -> str:
    """What may help after a command line that could not be understood; "" where nothing comes to mind.

    Args:
        words: of the command line, without the program's name.
        message: what was wrong with it.
    """
    command = words[0] if words else ""
    if "No such command" in message:
        return COMMANDS.get(command, "")
    if "No such option" in message:
        return next((OPTIONS[name] for word in words if (name := word.partition("=")[0]) in OPTIONS), "")
    if "Missing argument" in message:
        return MISSING.get(command, "")
    return ""
