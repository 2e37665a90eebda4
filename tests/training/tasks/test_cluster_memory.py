"""Learning without names: what is hidden, what a run does, and that it can be taken up in the middle of an epoch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorboardX")

from training_sets import recipe_text, write_people  # noqa: E402

from mien.errors import BadInputError, UsageError  # noqa: E402
from mien.training.data.input_format import InputFormat  # noqa: E402
from mien.training.data.pictures import Pictures  # noqa: E402
from mien.training.loop.metrics_log import read_metrics  # noqa: E402
from mien.training.loop.run_folder import RunFolder  # noqa: E402
from mien.training.loop.trainer import train  # noqa: E402
from mien.training.networks.osnet import OSNet  # noqa: E402
from mien.training.readers.identity_folders import identity_folders  # noqa: E402
from mien.training.recipe import load_recipe  # noqa: E402
from mien.training.tasks.cluster_memory import ClusterMemory  # noqa: E402
from mien.training.tasks.cluster_memory_data import ClusterSampler, UnnamedPictures  # noqa: E402

FORMAT = InputFormat(height=32, width=16)


@pytest.fixture
def folder(tmp_path):
    return write_people(tmp_path / "people", identities=5, pictures=8)


def pictures(folder):
    return UnnamedPictures(identity_folders(str(folder)), FORMAT)


def task_of(data, **options):
    torch.manual_seed(0)
    return ClusterMemory(OSNet(0.125, 16), data, FORMAT, neighbours=5, **options)


def write_recipe(tmp_path, folder, more=""):
    text = recipe_text(folder)
    text = text.replace("data.pictures.Pictures", "tasks.cluster_memory_data.UnnamedPictures")
    text = text.replace("data.samplers.IdentitySampler", "tasks.cluster_memory_data.ClusterSampler")
    text = text.replace("identities = 4", "clusters = 4")
    task = 'cluster_memory.ClusterMemory"\nneighbours = 5\ncolour_epochs = 1\nradius = 0.6'
    text = text.replace('identification.Identification"', task)
    path = tmp_path / "recipe.toml"
    path.write_text(text + more)
    return path


def test_nobody_sees_the_names(folder):
    data = pictures(folder)
    assert "identity" not in data.labels
    assert "identity" not in data.sample(0, np.random.default_rng(0))


def test_colours_find_the_people_and_batches_hold_whole_clusters(folder):
    data = pictures(folder)
    task = task_of(data, colour_epochs=1)
    sampler = ClusterSampler(data, seed=1, clusters=3, pictures=4, batches=2)
    label = task.label(0)
    truth = identity_folders(str(folder)).labels["identity"]
    pairs = label[:, None] == label[None]
    assert (pairs == (truth[:, None] == truth[None])).mean() > 0.95
    batches = sampler.epoch(0)
    assert batches.shape == (2, 12)
    clusters = label[batches].reshape(2, 3, 4)
    assert (clusters == clusters[:, :, :1]).all()
    assert (clusters >= 0).all()
    assert all(len(set(row)) == 4 for row in batches.reshape(-1, 4).tolist())


def test_the_memory_starts_at_the_centroids_of_the_networks_own_features(folder):
    data = pictures(folder)
    task = task_of(data, colour_epochs=1)
    label = task.label(0)
    features = task._described(task._features)
    for cluster in range(int(task.clusters)):
        mean = features[label == cluster].mean(0)
        np.testing.assert_allclose(task.memory[cluster].numpy(), mean / np.linalg.norm(mean), atol=1e-5)
    assert task.network.training  # as it was


def test_a_camera_s_own_mean_is_taken_away(folder):
    data = pictures(folder)
    camera = np.arange(len(data)) % 2
    data.labels["camera"] = camera
    centred = task_of(data, per_camera=True)._centred(np.random.default_rng(0).random((len(data), 4), np.float32))
    np.testing.assert_allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-6)
    assert abs(centred[camera == 0].mean(0)).max() < 0.2


def test_a_run_learns_and_is_the_same_when_it_was_broken_off(tmp_path, folder):
    recipe = load_recipe(write_recipe(tmp_path, folder))
    whole = train(recipe, tmp_path / "whole")
    rows = read_metrics(tmp_path / "whole" / "metrics.jsonl", "train")
    assert {"loss", "accuracy", "clusters", "clustered"} <= rows[0].keys()
    assert rows[-1]["clusters"] >= 2

    class BrokenError(Exception):
        pass

    def stop(progress):
        if progress.step >= 8:
            raise BrokenError

    with pytest.raises(BrokenError):
        train(recipe, tmp_path / "broken", report=stop)
    assert sorted(path.name for path in RunFolder(tmp_path / "broken").checkpoints.iterdir())[-1].endswith(
        "4.safetensors"
    )
    again = train(recipe, tmp_path / "broken", resume=True)
    assert again["last"] == whole["last"]


def test_loader_processes_are_refused(tmp_path, folder):
    recipe = load_recipe(write_recipe(tmp_path, folder), ["loop.workers=1"])
    with pytest.raises(UsageError, match="set loop") as error:
        train(recipe, tmp_path / "run")
    assert error.value.code == "clusters_forked"


def test_no_cluster_is_no_start(folder):
    with pytest.raises(BadInputError, match="epoch 1: 40 pictures fall into 0 clusters; raise") as error:
        task_of(pictures(folder), least=41).label(0)
    assert error.value.code == "no_clusters"


def test_data_and_sampler_must_fit(folder):
    with pytest.raises(BadInputError, match="UnnamedPictures"):
        task_of(Pictures(identity_folders(str(folder)), FORMAT))
    with pytest.raises(UsageError, match="ClusterMemory") as error:
        ClusterSampler(pictures(folder), seed=0).epoch(0)
    assert error.value.code == "clusters_missing"
    with pytest.raises(BadInputError, match="at least 2"):
        ClusterSampler(pictures(folder), seed=0, clusters=1)
