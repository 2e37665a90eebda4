import numpy as np
import PIL.Image
import pytest

from mien.errors import BadInputError, UsageError
from mien.identity.gallery import Gallery
from mien.identity.pictures import (
    enroll_pictures,
    enrollment_template,
    folder_pictures,
    folder_subjects,
    probe,
    source_digest,
)


@pytest.fixture(scope="module")
def astronaut(models, tmp_path_factory):
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    path = tmp_path_factory.mktemp("pictures") / "eileen.png"
    PIL.Image.fromarray(pictures.astronaut()).save(path)
    return path


def test_the_largest_face_is_the_probe_and_all_are_counted(astronaut):
    picture = np.asarray(PIL.Image.open(astronaut))
    small = np.zeros_like(picture)
    small[:256, :256] = picture[::2, ::2]
    both = probe(np.hstack([small, picture]), None)
    alone = probe(astronaut, None)
    assert (both.faces, alone.faces) == (2, 1)
    assert both.template.vector @ alone.template.vector > 0.98
    with pytest.raises(BadInputError, match="shows 2 faces") as caught:
        enrollment_template(np.hstack([small, picture]), None)
    assert caught.value.code == "faces_several"
    assert enrollment_template(np.hstack([small, picture]), None, largest=True).quality > 0.5


def test_a_digest_tells_pictures_apart_and_files_by_content(astronaut, tmp_path):
    (tmp_path / "copy.bin").write_bytes(astronaut.read_bytes())
    assert source_digest(astronaut) == source_digest(tmp_path / "copy.bin") == source_digest(astronaut.read_bytes())
    wide, high = np.zeros((2, 8, 3), np.uint8), np.zeros((8, 2, 3), np.uint8)
    assert len({source_digest(wide), source_digest(high), source_digest(wide + 1)}) == 3


def test_folders_give_pictures_by_content_or_name_but_nothing_hidden(tmp_path):
    names = [
        "b10.png",
        "b2.png",
        "real",
        "empty.JPG",
        "phone.heic",
        "notes.txt",
        ".hidden.jpg",
        ".cache/x.jpg",
        "sub/y.jpg",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\xff\xd8\xff" if name == "real" else b"")
    found = [str(path.relative_to(tmp_path)) for path in folder_pictures(tmp_path)]
    assert found == ["b2.png", "b10.png", "empty.JPG", "phone.heic", "real"]
    assert tmp_path / "sub" / "y.jpg" in folder_pictures(tmp_path, recursive=True)
    assert not any(".cache" in str(path) for path in folder_pictures(tmp_path, recursive=True))


def test_each_sub_folder_with_pictures_is_a_subject(tmp_path, caplog):
    for name in ("Ada/1.jpg", "Ada/more/2.jpg", "Zoë/1.jpg", ".git/1.jpg", "empty/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "loose.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    people = folder_subjects(tmp_path)
    assert {name: len(pictures) for name, pictures in people.items()} == {"Ada": 2, "Zoë": 1}
    assert "1 pictures beside the sub-folders" in caplog.text
    with pytest.raises(BadInputError) as caught:
        folder_subjects(tmp_path / "empty")
    assert caught.value.code == "folder_without_subjects"


def test_one_bad_picture_or_name_stops_no_other(home, astronaut, tmp_path):
    bad = tmp_path / "leer.jpg"
    bad.write_bytes(b"")
    steps = []
    with Gallery.open() as gallery:
        people = {"Ada": [bad, astronaut, tmp_path / "gone.png"], "\x07": [astronaut], "Zoë": [astronaut]}
        result = enroll_pictures(gallery["staff"], people, progress=lambda done, total: steps.append((done, total)))
        assert [row.name for row in gallery["staff"].subjects()] == ["Ada", "Zoë"]
        assert gallery["staff"].model == "face-reidentification-retail-0095"
    assert (result.enrolled, result.known, result.pictures) == (2, 0, 5)
    assert [error.code for _, error in result.failed] == ["picture_empty", "file_missing", "name_invalid"]
    assert all(str(path) in str(error) for path, error in result.failed)
    assert steps == [(done, 5) for done in range(6)]


def test_a_copy_of_a_picture_is_known(home, astronaut, tmp_path):
    (tmp_path / "copy.png").write_bytes(astronaut.read_bytes())
    with Gallery.open() as gallery:
        result = enroll_pictures(gallery["staff"], {"Ada": [astronaut, tmp_path / "copy.png"]})
        assert (result.enrolled, result.known, len(gallery["staff"])) == (1, 1, 1)


def test_a_known_picture_is_not_analyzed_again(home, astronaut, monkeypatch):
    with Gallery.open() as gallery:
        assert enroll_pictures(gallery["staff"], {"Ada": [astronaut]}).enrolled == 1
        monkeypatch.setattr("mien.identity.pictures.probe", None)
        assert enroll_pictures(gallery["staff"], {"Ada": [astronaut]}).known == 1
        with pytest.raises(TypeError):  # another subject has to be
            enroll_pictures(gallery["staff"], {"Eve": [astronaut]})


def test_the_embedder_is_the_collections(home, astronaut):
    with Gallery.open() as gallery:
        enroll_pictures(gallery["m"], {"Ada": [astronaut]}, model="mobilefacenet-foamliu")
        assert enroll_pictures(gallery["m"], {"Eve": [astronaut]}).enrolled == 1
        assert gallery["m"].model == "mobilefacenet-foamliu"
        with pytest.raises(BadInputError, match="mobilefacenet-foamliu, not of face-reidentification-retail-0095"):
            enroll_pictures(gallery["m"], {"Eve": [astronaut]}, model="face-reidentification-retail-0095")
        with pytest.raises(UsageError):
            enroll_pictures(gallery["n"], {"Eve": [astronaut]}, model="face_detection_yunet_2023mar")
        assert gallery.collections() == ["m"]


def test_a_database_that_fails_stops_everything(home, astronaut):
    gallery = Gallery.open()
    staff = gallery["staff"]
    gallery.close()
    with pytest.raises(UsageError) as caught:
        enroll_pictures(staff, {"Ada": [astronaut]})
    assert caught.value.code == "gallery_closed"
