import logging
import sqlite3
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mien.errors import BadInputError, UsageError
from mien.identity.gallery import Gallery
from mien.records import Template


@pytest.fixture
def gallery(home):
    with Gallery.open() as opened:
        yield opened


def near(template, degrees, seed=0):
    """A template at an angle of another."""
    other = np.random.default_rng(5000 + seed).standard_normal(len(template.vector))
    other -= (other @ template.vector) * template.vector
    angle = np.radians(degrees)
    vector = np.cos(angle) * template.vector + np.sin(angle) * other / np.linalg.norm(other)
    return Template(vector.astype(np.float32), template.fingerprint)


def code_of(error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return caught.value.code


def test_enrolled_subjects_are_found_best_first_and_once(gallery, person):
    staff = gallery["staff"]
    probe = person(0)
    (far,) = staff.enroll_templates("far", [near(probe, 60)])
    ids = staff.enroll_templates("close", [near(probe, 20, seed=1), near(probe, 10, seed=2)])
    staff.enroll_templates("opposite", [near(probe, 170)])
    matches = staff.search_template(probe, threshold=0.4)
    assert [(match.subject, match.face_id) for match in matches] == [("close", ids[1]), ("far", far)]
    assert [match.similarity for match in matches] == pytest.approx(np.cos(np.radians([10, 60])), abs=1e-6)
    assert [match.subject for match in staff.search_template(probe, threshold=0.4, top=1)] == ["close"]
    assert staff.search_template(probe, threshold=0.99) == []
    both_ways = staff.search_vectors(np.stack([probe.vector, -probe.vector]) * 7, threshold=0.9)
    assert [[match.subject for match in found] for found in both_ways] == [["close"], ["opposite"]]
    assert staff.verify_template("far", probe) == pytest.approx(0.5, abs=1e-6)
    assert staff.verify_template("close", near(probe, 10, seed=2)) <= 1.0


def test_a_gallery_keeps_everything_when_it_is_opened_again(home, person):
    before = datetime.now(UTC) - timedelta(seconds=1)
    with Gallery.open(home / "own.db") as gallery:
        ids = gallery["staff"].enroll_templates("Ada", [person(1), person(2)], model="some-embedder")
        gallery.create("guests", model="other", fingerprint=bytes(16), watch_list=True)
    with Gallery.open(str(home / "own.db")) as gallery:
        assert gallery.collections() == ["guests", "staff"]
        staff, guests = gallery["staff"], gallery["guests"]
        (record,) = staff.subjects()
        assert (record.name, record.faces) == ("Ada", 2)
        assert before < record.enrolled_at < datetime.now(UTC) + timedelta(seconds=1)
        assert [face.face_id for face in staff.faces("Ada")] == ids
        assert (len(staff), staff.subject_count, staff.model, staff.watch_list) == (2, 1, "some-embedder", False)
        assert staff.fingerprint == person(1).fingerprint
        assert (len(guests), guests.subject_count, guests.watch_list, guests.subjects()) == (0, 0, True, [])
        assert guests.search_template(Template(person(1).vector, bytes(16)), threshold=0) == []
        assert staff.search_template(person(2), threshold=0.9)[0].face_id == ids[1]


def test_the_same_picture_is_enrolled_once_for_a_subject(gallery, person):
    staff = gallery["staff"]
    first = staff.enroll_templates("ada", [person(1), person(2)], sources=[b"one", b"two"])
    again = staff.enroll_templates("ada", [person(2), person(3), person(3)], sources=[b"two", b"three", b"three"])
    assert again[0] == first[1]
    assert again[1] == again[2]
    assert len(staff) == 3
    assert staff.enroll_templates("bob", [person(1)], sources=[b"one"])[0] not in first
    assert len({*staff.enroll_templates("eve", [person(1), person(1)])}) == 2


def test_a_template_of_another_model_is_refused_naming_both(gallery, person):
    staff = gallery["staff"]
    staff.enroll_templates("ada", [person(1)], model="right-embedder")
    other = Template(person(2).vector, b"x" * 16)
    for call in (
        lambda: staff.enroll_templates("bob", [person(2), other]),
        lambda: staff.search_template(other, threshold=0.5),
        lambda: staff.verify_template("ada", other),
    ):
        with pytest.raises(BadInputError, match="right-embedder") as caught:
            call()
        assert caught.value.code == "template_other_model"
        assert other.fingerprint.hex() in str(caught.value)
        assert person(1).fingerprint.hex() in str(caught.value)
    assert [record.name for record in staff.subjects()] == ["ada"]
    short = Template(person(2).vector[:8], person(2).fingerprint)
    assert code_of(BadInputError, staff.enroll_templates, "bob", [short]) == "template_dimension"
    assert code_of(BadInputError, staff.search_vectors, short.vector[None], threshold=0) == "template_dimension"
    gallery.create("vips", model="m", fingerprint=b"y" * 16)
    assert code_of(BadInputError, gallery["vips"].enroll_templates, "bob", [other]) == "template_other_model"


def test_a_missing_collection_lists_the_likely_ones(gallery, person):
    with pytest.raises(BadInputError, match="gallery is empty") as caught:
        gallery["staff"].subjects()
    assert caught.value.code == "collection_missing"
    gallery["staff"].enroll_templates("ada", [person(1)])
    with pytest.raises(BadInputError, match="did you mean 'staff'"):
        gallery["staf"].search_template(person(1), threshold=0.5)
    for read in (len, lambda some: some.model, lambda some: some.erase("x"), lambda some: some.faces("x")):
        assert code_of(BadInputError, read, gallery["other"]) == "collection_missing"
    assert code_of(BadInputError, gallery.delete, "other") == "collection_missing"
    assert gallery.collections() == ["staff"]


def test_wrong_calls_are_refused(gallery, person):
    staff = gallery["staff"]
    assert code_of(UsageError, staff.enroll_templates, "ada", []) == "templates_missing"
    assert code_of(UsageError, staff.enroll_templates, "ada", [person(1)], sources=[b"", b""]) == "sources_mismatch"
    assert gallery.collections() == []
    staff.enroll_templates("ada", [person(1)])
    assert code_of(UsageError, staff.search_template, person(1), threshold=0.5, top=0) == "top_invalid"
    assert code_of(UsageError, staff.search_template, person(1), threshold=float("nan")) == "threshold_invalid"
    assert code_of(UsageError, staff.search_vectors, person(1).vector, threshold=0) == "probes_shape"
    bad = np.full((1, 32), np.nan, np.float32)
    assert code_of(BadInputError, staff.search_vectors, bad, threshold=0) == "template_not_finite"
    assert staff.search_vectors(np.empty((0, 32), np.float32), threshold=0) == []
    for call in (staff.faces, staff.erase, lambda name: staff.verify_template(name, person(1))):
        assert code_of(BadInputError, call, "nobody") == "subject_missing"
    assert code_of(BadInputError, staff.erase_face, "0" * 32) == "face_missing"
    assert code_of(BadInputError, gallery.create, "staff", model="", fingerprint=bytes(16)) == "collection_exists"
    assert code_of(BadInputError, gallery.create, "new", model="", fingerprint=b"") == "template_fingerprint"
    assert code_of(UsageError, Gallery.open, "postgresql://secret@host/db") == "database_url"


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "name_empty"), (" \t", "name_empty"), ("x" * 201, "name_too_long"), ("a\0b", "name_invalid"),
     ("b\udcff", "name_invalid"), ("a\nb", "name_invalid")],
)  # fmt: skip
def test_names_that_are_no_names_are_refused(gallery, person, name, code):
    assert code_of(BadInputError, gallery["staff"].enroll_templates, name, [person(1)]) == code
    assert code_of(BadInputError, lambda: gallery[name]) == code


def test_a_name_is_the_same_however_it_was_typed(gallery, person):
    for number, name in enumerate(["Amélie", "Zoë Müller", "李小龍", "🦊", "O'Neil; DROP TABLE subjects"]):
        gallery["équipe"].enroll_templates(unicodedata.normalize("NFD", name), [person(number)])
        assert gallery[unicodedata.normalize("NFD", "équipe")].verify_template(name, person(number)) > 0.99
        assert gallery["équipe"].search_template(person(number), threshold=0.99)[0].subject == name
    assert gallery.collections() == ["équipe"]
    assert gallery["équipe"].subject_count == 5


def test_erased_subjects_and_faces_are_no_longer_found(gallery, person):
    staff = gallery["staff"]
    ids = staff.enroll_templates("ada", [person(1), person(2)])
    staff.enroll_templates("bob", [person(3)])
    staff.search_template(person(1), threshold=0.9)
    staff.erase_face(ids[0])
    assert staff.search_template(person(1), threshold=0.9) == []
    assert staff.search_template(person(2), threshold=0.9)[0].face_id == ids[1]
    assert code_of(BadInputError, staff.erase, "bob", "nobody") == "subject_missing"
    assert staff.search_template(person(3), threshold=0.9)
    assert staff.erase("ada", "bob") == 2
    assert staff.search_vectors(np.stack([person(n).vector for n in (1, 2, 3)]), threshold=0.9) == [[], [], []]
    staff.enroll_templates("ada", [person(4)])
    assert staff.search_template(person(4), threshold=0.9)[0].subject == "ada"
    gallery.delete("staff")
    assert code_of(BadInputError, staff.search_template, person(4), threshold=0.9) == "collection_missing"
    assert gallery.collections() == []


def test_a_face_of_another_collection_is_not_erased(gallery, person):
    (face,) = gallery["one"].enroll_templates("ada", [person(1)])
    gallery["two"].enroll_templates("ada", [person(1)])
    assert code_of(BadInputError, gallery["two"].erase_face, face) == "face_missing"
    assert len(gallery["one"]) == 1


def test_changes_by_another_process_are_seen(home, person):
    """Two galleries over one file share nothing but the file, as two processes do."""
    with Gallery.open() as mine, Gallery.open() as theirs:
        here, there = mine["staff"], theirs["staff"]
        there.enroll_templates("ada", [person(1)])
        assert here.search_template(person(1), threshold=0.9)[0].subject == "ada"
        there.enroll_templates("bob", [person(2)])
        assert here.search_template(person(2), threshold=0.9)[0].subject == "bob"
        assert len(here) == 2
        there.erase("ada")
        assert here.search_template(person(1), threshold=0.9) == []
        assert len(here) == 1
        theirs.delete("staff")
        assert code_of(BadInputError, here.search_template, person(2), threshold=0.9) == "collection_missing"
        there.enroll_templates("eve", [Template(person(3).vector[:8], b"z" * 16)])
        assert here.search_vectors(person(3).vector[None, :8], threshold=0.9)[0][0].subject == "eve"


def test_many_threads_enroll_search_and_erase(gallery, person):
    staff = gallery["staff"]
    staff.enroll_templates("everybody", [person(1000)])

    def work(number):
        (face,) = staff.enroll_templates(f"p{number % 7}", [person(number)])
        assert staff.search_template(person(number), threshold=0.99)[0].face_id == face
        if number % 5 == 0:
            staff.erase_face(face)
            assert staff.search_template(person(number), threshold=0.99) == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert len(staff) == 33
    assert sum(record.faces for record in staff.subjects()) == 33


def test_a_changed_value_is_noticed_and_nothing_secret_is_told(home, person, caplog):
    with Gallery.open() as gallery, caplog.at_level(logging.DEBUG):
        gallery["staff"].enroll_templates("Ada Lovelace", [person(1)])
        gallery["staff"].enroll_templates("Grace Hopper", [person(2)])
        with closing(sqlite3.connect(home / "data" / "gallery.db")) as connection, connection:
            first, second = connection.execute("SELECT template FROM faces ORDER BY id").fetchall()
            connection.execute("UPDATE faces SET template = ? WHERE template = ?", [*first, *second])
        with pytest.raises(BadInputError) as caught:
            gallery["staff"].search_template(person(1), threshold=0.5)
        assert caught.value.code == "database_damaged"
    key = (home / "keys" / "master.key").read_bytes()
    for told in (str(caught.value), caplog.text):
        assert "Lovelace" not in told
        assert key.hex() not in told


def test_a_closed_gallery_says_so(home, person):
    with Gallery.open() as gallery:
        staff = gallery["staff"]
        staff.enroll_templates("ada", [person(1)])
    assert code_of(UsageError, staff.search_template, person(1), threshold=0.5) == "gallery_closed"
    assert code_of(UsageError, gallery.collections) == "gallery_closed"
