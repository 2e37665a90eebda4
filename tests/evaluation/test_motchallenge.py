"""Reading and writing MOTChallenge files."""

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.motchallenge import overlaps, read_results, read_truth, write_results


def test_what_is_written_is_read_back(tmp_path):
    file = tmp_path / "nombre-é.txt"
    boxes = np.array([[1.5, 2, 11.5, 22], [-3, 0, 7, 9.25], [0, 0, 1, 1]], np.float32)
    write_results(file, np.array([2, 1, 1]), np.array([7, 3, -1]), boxes, np.array([0.5, 1, 1]))
    read = read_results(file)
    assert read.frames.tolist() == [1, 2]
    assert read.ids.tolist() == [3, 7]
    assert read.boxes.tolist() == [[-3, 0, 7, 9.25], [1.5, 2, 11.5, 22]]
    assert read.boxes.dtype == np.float64
    assert read.evaluated.all()
    assert not read.ignored.any()


def test_spaces_and_empty_lines_are_read(tmp_path):
    file = tmp_path / "results.txt"
    file.write_text("1 4 0 0 2 2 1\n\n  2, 4, 1, 1, 2, 2, 1\r\n")
    assert read_results(file).frames.tolist() == [1, 2]


def test_truth_of_confidence_zero_is_not_evaluated(tmp_path):
    file = tmp_path / "gt.txt"
    file.write_text("1,1,0,0,2,2,1,-1,-1,-1\n1,2,0,0,2,2,0,2,-1,-1\n")
    truth = read_truth(file)
    assert truth.evaluated.tolist() == [True, False]
    assert not truth.ignored.any()


def test_a_result_on_a_distractor_does_not_count(tmp_path):
    truth, results = tmp_path / "gt.txt", tmp_path / "results.txt"
    truth.write_text("1,1,0,0,10,10,1,1,1\n1,2,50,0,10,10,0,7,1\n1,3,90,0,10,10,1,3,1\n")
    results.write_text("1,1,0,0,10,10,1\n1,2,50,0,10,10,1\n1,3,90,0,10,10,1\n")
    (moment,) = overlaps(read_truth(truth), read_results(results)).moments
    assert moment.overlap.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    "text",
    [
        "1,1,0,0,2\n",
        "1,1,0,0,2,two,1\n",
        "1,1,0,0,2,nan,1\n",
        "1.5,1,0,0,2,2,1\n",
        "1,1,0,0,-2,2,1\n",
        "1,1,0,0,2,2,1\n2,1,0,0,2,2\n",
        "frame,id,x,y,w,h,conf\n",
    ],
)
def test_a_broken_row_is_named(tmp_path, text):
    file = tmp_path / "results.txt"
    file.write_text(text)
    with pytest.raises(BadInputError, match=f"line {text.count(chr(10))}") as caught:
        read_results(file)
    assert caught.value.code == "track_file_invalid"


def test_an_id_twice_in_a_frame_is_refused(tmp_path):
    file = tmp_path / "results.txt"
    file.write_text("3,9,0,0,2,2,1\n3,9,5,0,2,2,1\n")
    with pytest.raises(BadInputError, match="id 9 is more than once in frame 3"):
        read_results(file)


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(BadInputError) as missing:
        read_truth(tmp_path / "nowhere.txt")
    assert missing.value.code == "track_file_missing"
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0")
    for path in (tmp_path, tmp_path / "picture.txt"):
        with pytest.raises(BadInputError) as invalid:
            read_truth(path)
        assert invalid.value.code == "track_file_invalid"
