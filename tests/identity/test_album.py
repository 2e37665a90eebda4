import numpy as np
import PIL.Image
import pytest

from mien.errors import BadInputError
from mien.identity.album import cluster_album


def test_an_album_is_grouped_by_person_and_says_what_failed(models, data, tmp_path):
    images = data("lfw_view1/images")
    people = [folder for folder in sorted(images.iterdir()) if len(list(folder.iterdir())) >= 4][:2]
    for person in people:
        for picture in sorted(person.iterdir())[:4]:
            (tmp_path / picture.name).write_bytes(picture.read_bytes())
    (tmp_path / "empty.jpg").write_bytes(b"")
    steps = []
    album = cluster_album(tmp_path, lambda done, total: steps.append((done, total)))
    assert album.pictures == 9
    assert [(path.name, error.code) for path, error in album.failed] == [("empty.jpg", "picture_empty")]
    assert steps[-1] == (9, 9)
    assert [len(person) for person in album.people] == sorted((len(p) for p in album.people), reverse=True)
    for person in album.people[:2]:
        assert len({face.path.name.rsplit("_", 1)[0] for face in person}) == 1
        assert all(face.thumbnail.shape[2] == 3 for face in person)
    record = album.to_dict()
    assert (record["pictures"], record["faces"]) == (9, album.faces)
    assert record["people"][0]["person"] == 1
    assert {"source", "rect", "score"} <= set(record["people"][0]["faces"][0])
    assert record["failed"][0]["code"] == "picture_empty"


def test_an_album_without_faces_has_no_people(models, tmp_path):
    PIL.Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    album = cluster_album(tmp_path)
    assert (album.pictures, album.people, album.faces, album.failed) == (1, [], 0, [])


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none here")
    with pytest.raises(BadInputError) as caught:
        cluster_album(tmp_path)
    assert caught.value.code == "folder_without_pictures"
