"""Whatever is given as a picture: an exit code, a message that names it, and never a traceback."""

import os

import numpy as np
import PIL.Image
import pytest


@pytest.fixture
def bad(request, tmp_path, huge_header):
    """A path that is no usable picture, by what is wrong with it."""
    path = tmp_path / "schlechtes Bild 图.jpg"
    kind = request.param
    if kind == "directory":
        path.mkdir()
    elif kind == "unreadable":
        if os.name != "posix" or os.geteuid() == 0:
            pytest.skip("nothing is unreadable for this user")
        path.write_bytes(b"")
        path.chmod(0)
    elif kind == "truncated":
        noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        PIL.Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:900])
    elif kind == "one pixel":
        PIL.Image.new("RGB", (1, 1)).save(path)
    elif kind == "no face":
        PIL.Image.new("RGB", (200, 200), "grey").save(path)
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"not a picture\n", "30,000 x 30,000": huge_header}[kind])
    return path


CODES = {
    "missing": "file_missing",
    "directory": "file_is_directory",
    "unreadable": "file_unreadable",
    "empty": "picture_empty",
    "text": "picture_format_unknown",
    "truncated": "picture_truncated",
    "30,000 x 30,000": "picture_too_many_pixels",
}
FACELESS = {"one pixel": "face_missing", "no face": "face_missing"}


def refused(answer, path, code):
    exit_code, out, err = answer
    assert exit_code == 3, err
    assert f"error [{code}]" in err
    assert path.name in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("bad", [kind for kind in CODES if kind != "directory"], indirect=True)
def test_analyze_refuses(mien, models, bad, request):
    refused(mien("analyze", "--json", bad), bad, CODES[request.node.callspec.params["bad"]])


@pytest.mark.parametrize("bad", FACELESS, indirect=True)
def test_analyze_says_that_there_is_no_face(mien, models, bad):
    code, out, _ = mien("analyze", bad)
    assert (code, out) == (0, f"{bad}: no face\n")


@pytest.mark.parametrize("bad", [*CODES, *FACELESS], indirect=True)
def test_verify_refuses(mien, astronaut, bad, request):
    kind = request.node.callspec.params["bad"]
    refused(mien("verify", astronaut, bad, "--json"), bad, {**CODES, **FACELESS}[kind])


@pytest.mark.parametrize("bad", [*CODES, *FACELESS], indirect=True)
def test_enroll_refuses_and_search_finds_nobody_there(mien, astronaut, bad, request):
    code = {**CODES, **FACELESS}[request.node.callspec.params["bad"]]
    exit_code, out, err = mien("enroll", "staff", "Zoë", bad, astronaut)
    assert exit_code == 3
    assert f"error [{code}]: {bad}: " in err
    assert "1 of 2 pictures enrolled" in out
    refused(mien("search", "staff", bad, "--json"), bad, code)


@pytest.mark.parametrize("command", ["analyze", "cluster", "watch"])
def test_an_empty_folder_is_bad_input(mien, models, tmp_path, command):
    folder = tmp_path / "leer"
    folder.mkdir()
    refused(mien(command, folder), folder, "folder_without_pictures")


@pytest.mark.parametrize(("given", "code"), [("missing", "file_missing"), ("file", "folder_expected")])
def test_what_takes_a_folder_refuses_another_thing(mien, models, tmp_path, given, code):
    path = tmp_path / "Ordner"
    if given == "file":
        path.write_text("no folder")
    refused(mien("cluster", path), path, code)
    refused(mien("enroll", "staff", "--folder", path), path, code)
