import json
import shutil

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no mirror but what a test puts there."""
    monkeypatch.setenv("MIEN_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIEN_MODEL_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "cache"


def test_list_gives_the_rows_of_the_contract(mien, models):
    code, out, _ = mien("models", "list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert all(list(row) == ["name", "task", "pack", "licence", "training_terms", "bytes", "present"] for row in rows)
    assert {"face-detection", "face-embedding"} <= {row["task"] for row in rows}
    assert all(row["present"] for row in rows if row["pack"] == "standard")
    lines = mien("models", "list")[1].splitlines()
    assert all(any(row["name"] in line and row["licence"] in line for line in lines) for row in rows)


def test_pull_copies_from_the_mirror_and_verify_finds_what_is_wrong(mien, models, cache, tmp_path):
    name = "open-closed-eye-0001"
    shutil.copytree(models / name, tmp_path / "mirror" / name)
    code, out, _ = mien("models", "pull", name)
    assert code == 0
    assert name in out
    shutil.rmtree(tmp_path / "mirror")
    code, out, _ = mien("models", "verify", "--json")
    states = json.loads(out)
    assert code == 0
    assert set(states[name].values()) == {"ok"}
    file = next((cache / name).iterdir())
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    code, out, err = mien("models", "verify", "--json")
    assert code == 3
    assert json.loads(out)[name][file.name].startswith("wrong")
    assert "mien models pull" in err


def test_pull_without_any_source_exits_with_4(mien, cache):
    code, _, err = mien("models", "pull", "open-closed-eye-0001")
    assert code == 4
    assert "MIEN_MODEL_MIRROR" in err


@pytest.mark.parametrize("command", ["card", "pull"])
def test_an_unknown_model_is_wrong_usage(mien, command):
    code, out, err = mien("models", command, "yunnet")
    assert (code, out) == (2, "")
    assert "yunnet" in err


def test_card_tells_licence_and_training_data(mien):
    code, out, _ = mien("models", "card", "face-reidentification-retail-0095", "--json")
    assert (code, json.loads(out)["licence"]) == (0, "Apache-2.0")
    shown = mien("models", "card", "face-reidentification-retail-0095")[1]
    assert "terms of that data" in shown


def test_operating_point_prints_the_json_of_the_contract(mien):
    words = ("--enrolled", 100, "--passers-by", 5000, "--fmr", "1e-5", "--prevalence", "0.001")
    code, out, _ = mien("operating-point", *words, "--json")
    answer = json.loads(out)
    assert code == 0
    wanted = {"fpir", "false_alarms_per_day", "expected_true_alarms_per_day", "precision", "smallest_measurable_fmr"}
    assert set(answer) >= wanted
    assert answer["false_alarms_per_day"] == pytest.approx(5000 * 0.999 * answer["fpir"])
    assert mien("operating-point", "--enrolled", -1, "--passers-by", 1, "--fmr", 0.1)[0] == 2


def test_doctor_says_what_is_missing_and_how_to_get_it(mien, models, cache):
    code, out, _ = mien("doctor", "--json")
    checks = {check["check"]: check for check in json.loads(out)}
    assert code == 4
    assert checks["model face_detection_yunet_2023mar"]["state"] == "failed"
    assert "mien models pull face_detection_yunet_2023mar" in checks["model face_detection_yunet_2023mar"]["remedy"]
    assert checks["gallery"]["state"] == "absent"


def test_doctor_is_content_where_everything_is_there(mien, models, astronaut, home):
    mien("enroll", "crew", "Eileen", astronaut)
    code, out, _ = mien("doctor", "--json")
    assert code == 0
    assert {check["check"]: check["state"] for check in json.loads(out)}["gallery"] == "ok"
    (home / "keys" / "master.key").unlink()
    assert mien("doctor")[0] == 4
