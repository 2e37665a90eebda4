import json

import numpy as np
import pytest

from mien.media.writer import VideoWriter


@pytest.fixture(scope="module")
def clip(models, tmp_path_factory):
    data = pytest.importorskip("skimage.data", reason="needs scikit-image")
    path = tmp_path_factory.mktemp("benchmark") / "porträt.mp4"
    with VideoWriter(path, frame_rate=25, width=400, height=300) as writer:
        writer.write(np.ascontiguousarray(data.astronaut()[:300, 50:450]))
    return path


def test_json_is_what_the_file_holds(mien, clip, tmp_path):
    output = tmp_path / "results" / "detect.json"
    code, out, err = mien("benchmark", "detect", "--video", clip, "--output", output, "--json")
    record = json.loads(out)
    assert code == 0
    assert json.loads(output.read_text()) == record
    assert record["video"] == "porträt.mp4"
    assert record["machine"]["versions"]["openvino"]
    (result,) = record["results"]
    assert result["benchmark"] == "detect"
    assert result["ratios"]["mien"] == 1
    assert "measuring: detect" in err


def test_table_has_a_row_for_each_contender(mien, clip):
    code, out, _ = mien("benchmark", "decode", "--video", clip)
    assert code == 0
    for words in ("mien", "PyAV", "OpenCV", "milliseconds"):
        assert words in out


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (["swim"], 2, "benchmark_unknown"),
        (["decode", "--video", "no-such-clip.mp4"], 3, "file_missing"),
    ],
)
def test_mistakes_are_named(mien, words, code, name):
    got, out, err = mien("benchmark", *words)
    assert got == code
    assert out == ""
    assert f"error [{name}]" in err


def test_output_that_cannot_be_written(mien, clip, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = mien("benchmark", "decode", "--video", clip, "--output", tmp_path / "file" / "x.json")
    assert code == 2
    assert "file_unwritable" in err
