"""The program around the commands: exit codes, messages, and what `--help` costs."""

import json
import os
import subprocess
import sys

import pytest

from mien.cli import main as program

COMMANDS = (
    "analyze verify cluster enroll search subjects erase watch operating-point benchmark demo doctor models evaluate"
)


def test_help_names_every_command(mien):
    code, out, err = mien("--help")
    assert (code, err) == (0, "")
    assert set(COMMANDS.split()) <= set(out.split())


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_command_explains_itself(mien, command):
    code, out, _ = mien(command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: mien {command} ")


@pytest.mark.parametrize("words", [["frobnicate"], ["analyze", "--frobnicate"], ["analyze"], ["verify", "one.jpg"]])
def test_what_makes_no_sense_is_wrong_usage(mien, words):
    code, out, err = mien(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_a_defect_is_told_without_a_traceback(mien, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("mien.media.image.decode", broken)
    monkeypatch.delenv("MIEN_DEBUG", raising=False)
    (tmp_path / "x.png").write_bytes(b"x")
    monkeypatch.setattr("mien.face.analyzer.FaceAnalyzer.__init__", lambda *_: None)
    code, out, err = mien("analyze", tmp_path / "x.png")
    assert (code, out) == (5, "")
    assert "RuntimeError: the moon is full" in err
    assert "MIEN_DEBUG=1" in err
    assert "Traceback" not in err
    monkeypatch.setenv("MIEN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        program.main(["analyze", str(tmp_path / "x.png")])


def test_a_wrong_setting_names_itself(mien, monkeypatch, tmp_path):
    monkeypatch.setenv("MIEN_THREADS", "many")
    code, _, err = mien("analyze", tmp_path / "x.png")
    assert code == 2
    assert "MIEN_THREADS" in err


@pytest.mark.parametrize(
    "words", [["analyze", "X"], ["verify", "X", "X"], ["enroll", "crew", "E", "X"], ["watch", "X"]]
)
def test_missing_models_exit_with_4_and_the_remedy(mien, monkeypatch, tmp_path, clips, astronaut, words):
    from mien.identity.pictures import _analyzer

    _analyzer.cache_clear()
    monkeypatch.setenv("MIEN_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIEN_MODEL_MIRROR", str(tmp_path / "mirror"))
    source = clips[1] if words[0] == "watch" else astronaut
    code, out, err = mien(*(source if word == "X" else word for word in words))
    assert (code, out) == (4, "")
    assert "mien models pull" in err
    _analyzer.cache_clear()


def test_names_that_are_no_text_are_printed_as_json_escapes(tmp_path, models):
    path = os.fsencode(tmp_path) + b"/\xff.bmp"
    try:
        with open(path, "wb") as file:
            file.write(b"BM" + bytes(60))
    except OSError:
        pytest.skip("this file system takes no such names")
    import PIL.Image

    PIL.Image.new("RGB", (40, 40)).save(os.fsdecode(path), "PNG")
    command = [sys.executable, "-c", "from mien.cli.main import run; run()", "analyze", "--json", "--with", "", path]
    answer = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(answer.stdout)["source"] == os.fsdecode(path)


def test_a_reader_that_goes_away_is_no_error(models, tmp_path):
    import PIL.Image

    for number in range(30):
        PIL.Image.new("RGB", (40, 40)).save(tmp_path / f"{number}.png")
    command = [
        sys.executable,
        "-c",
        "from mien.cli.main import run; run()",
        "analyze",
        "--json",
        "--with",
        "",
        tmp_path,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0
