from __future__ import annotations

import pytest

from mien.errors import UsageError
from mien.models.catalogue import catalogue, default, model


def test_every_entry_says_where_it_comes_from_and_on_what_terms():
    for name, entry in catalogue().items():
        assert entry.licence, name
        assert entry.training_data, name
        assert entry.training_terms, name
        assert entry.files, name
        for file in entry.files:
            assert len(file.sha256) == 64, name
            assert file.bytes > 0, name
        if entry.place is None:
            assert entry.card.startswith("https://"), name
            assert all(file.url.startswith("https://") for file in entry.files), name
        else:
            assert (entry.place / "model.md").is_file(), name


def test_no_entry_is_a_pickle():
    names = [file.name for entry in catalogue().values() for file in entry.files]
    assert {name.rsplit(".", 1)[1] for name in names} <= {"onnx", "xml", "bin", "tflite"}


def test_research_only_training_data_keeps_a_model_out_of_the_standard_pack_or_is_said():
    assert model("mobilefacenet-foamliu").pack == "optional"
    assert "research" in model("face_detection_yunet_2023mar").training_terms


def test_unknown_model_names_the_closest():
    with pytest.raises(UsageError, match="face-reidentification-retail-0095"):
        model("face-reidentification-retail-0096")


def test_default_is_of_the_task_and_the_pack():
    assert default("face-embedding").name == "face-reidentification-retail-0095"
    with pytest.raises(UsageError, match="starter pack"):
        default("head-pose", "starter")
