"""Small made-up sets of pictures: every identity has a colour of its own, every picture noise of its own."""

import os
import sys

import numpy as np
import PIL.Image


def write_people(folder, identities=6, pictures=4, size=(32, 16), seed=0):
    """`identities` sub-folders of PNG pictures of (height, width)."""
    random = np.random.default_rng(seed)
    for identity in range(identities):
        inner = folder / f"person{identity}"
        inner.mkdir(parents=True)
        colour = random.integers(0, 256, 3)
        for number in range(pictures):
            noise = random.normal(0, 12, (*size, 3))
            PIL.Image.fromarray(np.clip(colour + noise, 0, 255).astype(np.uint8)).save(inner / f"{number}.png")
    return folder


def recipe_text(folder, **changes):
    """A recipe for such a set that takes a fraction of a second an epoch; every loss and random change is in it."""
    text = f"""
name = "small"
seed = 3
epochs = 4
[input]
height = 32
width = 16
[data]
class = "mien.training.data.pictures.Pictures"
source = {{ class = "mien.training.readers.identity_folders.identity_folders", folder = "{folder.as_posix()}" }}
augmentation = [
    {{ class = "mien.training.data.augmentation.Flip" }},
    {{ class = "mien.training.data.augmentation.RandomErasing" }},
]
[sampler]
class = "mien.training.data.samplers.IdentitySampler"
identities = 4
pictures = 2
[network]
class = "mien.training.networks.osnet.OSNet"
width = 0.125
dimension = 16
[task]
class = "mien.training.tasks.identification.Identification"
[optimizer]
class = "mien.training.loop.optimizers.adamw"
learning_rate = 1e-3
[schedule]
class = "mien.training.loop.schedule.Cosine"
warm_up = 1
[loop]
ema = 0.9
checkpoint_steps = 4
"""
    for old, new in changes.items():
        text += f"{old} = {new}\n"
    return text


def run_elsewhere(recipe, run):
    """Train in a process of its own until it ends or is killed; prints a line a step. For `subprocess`."""
    code = (
        "import sys, torch; torch.set_num_threads(1)\n"
        "from mien.training.loop import trainer; from mien.training.recipe import load_recipe\n"
        "trainer._FLUSH_STEPS = 1\n"
        "trainer.train(load_recipe(sys.argv[1]), sys.argv[2], report=lambda p: print(p.step, flush=True))\n"
    )
    return [sys.executable, "-c", code, os.fspath(recipe), os.fspath(run)]
