"""`mien find` and `mien archive` as a user has them, on a short clip of real people."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest

from mien.archive.archive import Archive
from mien.archive.indexing import index_videos
from mien.errors import BadInputError


@pytest.fixture
def body(pets, tmp_path):
    """A crop of the largest person who is wholly in the clip's middle frame, and the box."""
    _, picture, people = pets
    inside = [one for one in people if one.box[0] > 10 and one.box[2] < 470]
    person = max(inside, key=lambda one: float(np.prod(one.box[2:] - one.box[:2])))
    path = tmp_path / "body.png"
    PIL.Image.open(picture).crop([int(value) for value in person.box]).save(path)
    return path, person.box


def test_a_person_is_found_where_they_are_and_the_video_is_indexed_once(mien, pets, body, tmp_path):
    clip, picture, _ = pets
    crop, box = body
    sheet = tmp_path / "sheet.png"
    code, out, err = mien("find", crop, "--in", clip, "--json", "--sheet", sheet)
    assert code == 0, err
    answer = json.loads(out)
    best = answer["moments"][0]
    assert set(best) == {
        "video", "start", "end", "time", "rect", "similarity", "track_id", "attributes"
    }  # fmt: skip
    assert best["similarity"] > 0.7 > 0.5 > answer["moments"][1]["similarity"]
    assert abs(best["time"] - 1.6) < 1  # the crop is of 1.6 s
    assert abs(best["rect"]["left"] - box[0]) < 40
    assert answer["stretches"] == len(answer["moments"]) >= 4
    assert PIL.Image.open(sheet).width > 300

    code, out, _ = mien("archive", "list", "--json")
    (video,) = json.loads(out)["videos"]
    assert (video["video"], video["frames"]) == (str(clip), 16)
    # again, everywhere, from a picture with several people, re-ranked: not indexed again
    code, out, err = mien("find", picture, "--rerank", "--json", "--top", 3)
    assert code == 0
    assert "the largest was taken" in err
    again = json.loads(out)["moments"]
    assert len(again) == 3
    assert again[0]["rect"]["left"] > 380  # the largest person of the picture comes in from the right
    copied = shutil.copy(clip, tmp_path / "copy.mp4")
    assert mien("find", "--attributes", "dark trousers, man", "--in", copied)[0] == 2  # 'dark' is no colour
    code, out, _ = mien("find", "--attributes", "black trousers, man", "--in", copied)
    assert code == 0
    assert "copy.mp4" in out
    (same,) = json.loads(mien("archive", "list", "--json")[1])["videos"]
    assert (same["indexed_at"], same["video"]) == (video["indexed_at"], str(copied))

    assert json.loads(mien("archive", "retain", "--keep-days", 3, "--json")[1]) == {"erased": 0}
    assert "3 days" in mien("archive", "list")[1]
    assert "erased: 1" in mien("archive", "forget", copied)[1]
    code, _, err = mien("find", crop)
    assert (code, "error [archive_empty]" in err) == (3, True)


def test_a_killed_indexing_leaves_nothing(home, pets, tmp_path):
    clip, picture, _ = pets
    program = "import sys; from mien.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", program, "find", str(picture), "--in", str(clip)]
    process = subprocess.Popen(words, env=os.environ.copy(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    database = home / "data" / "archive.db"
    while process.poll() is None and not database.exists():  # it is made just before the indexing
        time.sleep(0.02)
    time.sleep(0.3)
    process.kill()
    process.wait()
    with Archive.open() as archive:
        assert archive.videos() == []


def test_an_interruption_within_a_video_keeps_the_videos_before_it(home, pets, tmp_path):
    clip, _, _ = pets
    second = tmp_path / "second.mp4"
    second.write_bytes(clip.read_bytes() + b"\0")

    def interrupt(path, done, total):
        if path == second and done == 10:
            raise KeyboardInterrupt

    with Archive.open() as archive:
        with pytest.raises(KeyboardInterrupt):
            index_videos(archive, [clip, second], interrupt)
        assert [video.path for video in archive.videos()] == [str(clip)]


def test_a_video_that_changes_meanwhile_is_not_kept(home, pets, tmp_path):
    growing = tmp_path / "growing.mp4"
    shutil.copy(pets[0], growing)

    def grow(path, done, total):
        if done == 10:
            with growing.open("ab") as file:
                file.write(b"more")

    with Archive.open() as archive:
        with pytest.raises(BadInputError) as caught:
            index_videos(archive, [growing], grow)
        assert caught.value.code == "video_changed"
        assert archive.videos() == []


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("missing.png", "--in", "clip"), "file_missing", 3),
        (("picture", "--in", "missing.mp4"), "file_missing", 3),
        (("picture", "--in", "rtsp://camera/1"), "archive_live", 2),
        (("picture", "--in", "picture"), "", 3),
        (("nobody", "--in", "clip"), "person_missing", 3),
        (("picture",), "archive_empty", 3),
        ((), "find_arguments", 2),
        (("picture", "picture"), "find_arguments", 2),
        (("picture", "--attributes", "hat"), "find_arguments", 2),
        (("--attributes", "hat", "--rerank"), "options_contradict", 2),
        (("--attributes", "bakpack"), "attribute_unknown", 2),
    ],
)
def test_what_cannot_be_found_is_said(mien, pets, tmp_path, words, code, exit_code):
    PIL.Image.new("RGB", (120, 90), (90, 90, 90)).save(tmp_path / "nobody.png")
    names = {"clip": pets[0], "picture": pets[1], "nobody": tmp_path / "nobody.png"}
    got, _, err = mien("find", *(names.get(word, word) for word in words))
    assert got == exit_code, err
    assert f"error [{code}" in err


def test_forget_and_retain_say_what_is_wrong(mien):
    assert "error [archive_video_missing]" in mien("archive", "forget", "nothing.mp4")[2]
    assert "error [retain_arguments]" in mien("archive", "retain")[2]
    assert "error [retain_arguments]" in mien("archive", "retain", "--keep-days", 3, "--forever")[2]
