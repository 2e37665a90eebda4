"""A run's card and catalogue entry: complete, true to the files, and loaded by the catalogue as they are."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.models.catalogue import Alignment, model, read_entry
from mien.training.loop.run_folder import RunFolder
from mien.training.parts import build
from mien.training.readers.terms import UNKNOWN
from mien.training.recipe import PACKAGED, load_recipe
from mien.training.release.catalogue_entry import catalogue_entry, entry_toml, model_name
from mien.training.release.model_card import card_facts, card_text, yaml
from mien.training.release.provenance import taught_by

NAMES = sorted(path.stem for path in PACKAGED.glob("*.toml"))


def network_of(recipe):
    return build(recipe.network, "network", input_format=recipe.input, seed=0)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    return tmp_path / "model.onnx"


@pytest.mark.parametrize(
    ("name", "task", "data"),
    [
        ("starter_face_detector", "face-detection", "face_detection_yunet_2023mar"),
        ("starter_person_detector", "person-detection", "yolox-nano, person-detection-retail-0013, nanodet-m"),
        ("starter_face_embedder", "face-embedding", "UTKFace; WIDER FACE, our split"),
        ("starter_person_embedder", "person-embedding", "answers of person-reidentification-retail-0277"),
        ("reid_osnet_market_quick", "person-embedding", "Market-1501"),
    ],
)
def test_the_catalogue_loads_the_entry(name, task, data, file):
    recipe = load_recipe(name)
    text = entry_toml(model_name(recipe), catalogue_entry(recipe, network_of(recipe), [file]))
    (file.parent / "model.toml").write_text(text)
    loaded = read_entry(file.parent / "model.toml", "starter")
    assert loaded.name == name.replace("_", "-")
    assert (loaded.task, loaded.pack, loaded.licence) == (task, "starter", "LicenseRef-research-only")
    assert data in loaded.training_data
    assert loaded.training_terms.startswith("research only; ")
    assert loaded.files[0].sha256 == sha256(b"weights").hexdigest()
    assert loaded.bytes == 7
    assert loaded.input.mean == recipe.input.mean
    assert loaded.input.scale == recipe.input.std
    if task.endswith("detection"):
        assert (loaded.input.size, loaded.input.multiple, loaded.outputs) == (None, 32, "yunet")
    else:
        assert loaded.input.size == (recipe.input.height, recipe.input.width)
        assert loaded.dimension
    assert loaded.alignment == (Alignment("retail-0095", False) if task == "face-embedding" else None)


def test_every_packaged_recipe_knows_its_terms():
    for name in NAMES:
        taught = taught_by(load_recipe(name))
        assert taught.research_only, name
        assert UNKNOWN not in taught.sets


def test_pictures_of_one_s_own_are_under_nobody_s_terms(tmp_path, file):
    recipe = load_recipe(
        "reid_osnet_market_quick",
        [
            'data.source = { class = "mien.training.readers.identity_folders.identity_folders", folder = "mine" }',
            "start_from=runs/before/weights.safetensors",
        ],
    )
    taught = taught_by(recipe)
    assert not taught.research_only
    assert taught.terms.endswith("started from runs/before/weights.safetensors, whose terms hold too")
    entry = catalogue_entry(recipe, network_of(recipe), [file])
    assert (entry["licence"], entry["task"]) == ("NOASSERTION", "person-embedding")


def write_run(path):
    recipe = load_recipe("starter_person_embedder")
    path.mkdir()
    (path / "recipe.toml").write_text((PACKAGED / "starter_person_embedder.toml").read_text())
    (path / "environment.json").write_text(json.dumps({"cpu": "x86_64", "cores": 2, "gpus": ["H200"], "ranks": 2}))
    (path / "result.json").write_text(json.dumps({"steps": 9, "seconds": 61.5, "evaluation": {"map": 0.5}}))
    return RunFolder(path), recipe


def test_the_card_says_what_was_done(tmp_path, file):
    folder, recipe = write_run(tmp_path / "run")
    given = [{"what": "mAP on the test split", "figure": 0.7, "command": "mien evaluate reid ..."}]
    (folder.path / "figures.json").write_text(json.dumps(given))
    entry = catalogue_entry(recipe, network_of(recipe), [file])
    facts = card_facts("mine", recipe, folder, entry, {"parity": {"cosine_least": 0.99999}})
    assert facts["figures"] == [{"what": "map", "figure": 0.5, "command": "mien train starter_person_embedder"}, *given]
    assert (facts["seconds"], facts["recipe"]["seed"], facts["hardware"]["gpus"]) == (61.5, recipe.seed, ["H200"])
    text = card_text(facts, folder.recipe.read_text())
    head, facts_as_yaml, body = text.split("---\n", 2)
    assert head == ""
    assert f'sha256: "{sha256(b"weights").hexdigest()}"' in facts_as_yaml
    for words in ("# mine", "**LicenseRef-research-only.**", "| mAP on the test split | 0.7 |", "H200", "64 x 128"):
        assert words in body


def test_figures_of_another_form_are_refused(tmp_path, file):
    folder, recipe = write_run(tmp_path / "run")
    (folder.path / "figures.json").write_text('[{"what": "mAP"}]')
    with pytest.raises(BadInputError, match="'figure'") as error:
        card_facts("mine", recipe, folder, catalogue_entry(recipe, network_of(recipe), [file]), {})
    assert error.value.code == "figures_invalid"


def test_yaml_of_a_real_entry_is_json_at_its_leaves():
    text = yaml({"name": "a: b", "empty": {}, "none": None, "rows": [{"x": 1, "y": {"z": [1, 2]}}, {"x": 2}]})
    assert text.splitlines() == [
        'name: "a: b"',
        "empty: {}",
        "none: null",
        "rows:",
        "  - x: 1",
        "    y:",
        "      z: [1, 2]",
        "  - x: 2",
    ]


def test_the_teachers_are_models_of_the_catalogue():
    (teacher,) = taught_by(load_recipe("starter_face_embedder")).teachers
    assert teacher == model("face-reidentification-retail-0095")
