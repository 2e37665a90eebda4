from __future__ import annotations

import numpy as np
import pytest

from mien.errors import BadInputError, UsageError
from mien.media.image import read
from mien.person.analyzer import PersonAnalyzer


@pytest.fixture(scope="module")
def crowd(data):
    """Three pictures of the Market-1501 sample side by side, so that there is somebody to find."""
    paths = sorted(data("market_dev").rglob("*.jpg"))[:400:150]
    scene = np.full((260, 420, 3), 150, np.uint8)
    for number, path in enumerate(paths):
        scene[60:188, 40 + 130 * number : 104 + 130 * number] = read(path)
    return scene


def test_all_that_was_asked_for_is_there(models, crowd):
    people = PersonAnalyzer(("attributes", "skeleton", "embedding"))(crowd)
    assert len(people) == 3
    for person in people:
        assert person.attributes is not None
        assert person.embedding.shape == (256,)
        assert set(person.to_dict()) - {"skeleton"} == {"rect", "score", "attributes"}


def test_only_that_is_there_and_timed(models, crowd):
    analyzer = PersonAnalyzer(())
    people, milliseconds = analyzer.timed(crowd)
    assert set(milliseconds) == {"person_detection"}
    assert {(person.attributes, person.skeleton, person.template) for person in people} == {(None, None, None)}
    areas = [float(np.prod(person.box[2:] - person.box[:2])) for person in people]
    assert areas == sorted(areas, reverse=True)


def test_bgr_arrays_are_turned(models, crowd):
    analyzer = PersonAnalyzer(("attributes",))
    looks = [
        [person.attributes.upper_colour for person in found]
        for found in (analyzer(crowd), analyzer(np.ascontiguousarray(crowd[..., ::-1]), bgr=True))
    ]
    assert looks[0] == looks[1]


def test_an_empty_picture_has_nobody(models):
    assert PersonAnalyzer()(np.zeros((50, 60, 3), np.uint8)) == []


def test_an_unknown_feature_and_a_bad_picture_say_so(models, tmp_path):
    with pytest.raises(UsageError, match="attributes, skeleton, embedding") as caught:
        PersonAnalyzer(("posture",))
    assert caught.value.code == "feature_unknown"
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadInputError):
        PersonAnalyzer(())(tmp_path / "a.png")
