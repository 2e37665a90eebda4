import json


def test_demo_runs_the_main_job_on_ones_own_clip(mien, astronaut, clips, home, tmp_path):
    faces = tmp_path / "faces" / "Eileen Çollins"
    faces.mkdir(parents=True)
    (faces / "portrait.png").write_bytes(astronaut.read_bytes())
    (faces / "leer.jpg").write_bytes(b"")
    output = tmp_path / "results"
    for _ in range(2):
        code, out, err = mien("demo", "--source", clips[0], "--faces", faces.parent, "--output", output)
        assert code == 0, err
        assert "saw Eileen Çollins" in out
        assert "leer.jpg" in err
        for name in ("with_annotated.mp4", "with_sheet.png", "with_events.jsonl"):
            assert str(output / name) in out
            assert (output / name).stat().st_size > 0
    events = [json.loads(line)["event"] for line in (output / "with_events.jsonl").read_text("utf-8").splitlines()]
    assert events == ["appeared", "recognized", "left"]
    assert not (home / "data").exists()  # the demo's people are not in the user's gallery


def test_demo_needs_both_or_none(mien, clips, tmp_path):
    code, _, err = mien("demo", "--source", clips[0], "--output", tmp_path)
    assert code == 2
    assert "FACES" in err


def test_demo_stops_where_nobody_could_be_enrolled(mien, clips, tmp_path):
    (tmp_path / "faces" / "Ada").mkdir(parents=True)
    (tmp_path / "faces" / "Ada" / "leer.jpg").write_bytes(b"")
    words = ("--source", clips[0], "--faces", tmp_path / "faces", "--output", tmp_path / "results")
    code, _, err = mien("demo", *words)
    assert code == 3
    assert "leer.jpg" in err
