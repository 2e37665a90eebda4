"""What `import mien` promises: names, signatures, and that it costs nothing until it is used."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

import mien
from mien.errors import BadInputError, UsageError

SNAPSHOT = {
    "Attributes": "(probabilities: 'dict[str, float]', upper_colour: 'str | None' = None, "
    "lower_colour: 'str | None' = None) -> None",
    "BadInputError": "(message: 'str', *, code: 'str') -> 'None'",
    "Face": "(box: 'Float32', score: 'float', landmarks: 'Float32', pose: 'HeadPose | None' = None, "
    "age: 'float | None' = None, gender: \"Literal['male', 'female'] | None\" = None, quality: 'float | None' = None, "
    "eyes: 'Eyes | None' = None, mesh: 'Float32 | None' = None, template: 'Template | None' = None, "
    "track_id: 'int | None' = None) -> None",
    "FaceAnalyzer": "(features: 'Iterable[Feature]' = ('quality', 'embedding'), *, embedder: 'str | None' = None, "
    "long_side: 'int | None' = None, score: 'float' = 0.6) -> 'None'",
    "Frame": "(image: 'Image', index: 'int', time: 'float', utc: 'datetime | None' = None) -> None",
    "Gallery": "(store: 'Store') -> 'None'",
    "Match": "(subject: 'str', similarity: 'float', face_id: 'str') -> None",
    "MienError": "(message: 'str', *, code: 'str') -> 'None'",
    "MissingError": "(message: 'str', *, code: 'str') -> 'None'",
    "Person": "(box: 'Float32', score: 'float', attributes: 'Attributes | None' = None, "
    "skeleton: 'Float32 | None' = None, template: 'Template | None' = None, track_id: 'int | None' = None) -> None",
    "PersonAnalyzer": "(features: 'Iterable[Feature]' = ('attributes', 'embedding'), *, detector: 'str | None' = None, "
    "embedder: 'str | None' = None, score: 'float' = 0.5) -> 'None'",
    "Template": "(vector: 'Float32', fingerprint: 'bytes', quality: 'float' = 0.0) -> None",
    "UsageError": "(message: 'str', *, code: 'str') -> 'None'",
    "Verification": "(same: 'bool', similarity: 'float', threshold: 'float', fmr: 'float', extrapolated: 'bool', "
    "faces: 'tuple[int, int]', model: 'str') -> None",
    "analyze": "(picture: 'Any', *, bgr: 'bool' = False) -> 'list[Face]'",
    "verify": "(first: 'Any', second: 'Any', *, fmr: 'float' = 0.0001, bgr: 'bool' = False) -> 'Verification'",
    "watch": "(source: 'str | os.PathLike[str]', *, collection: 'Collection | None' = None, fpir: 'float' = 0.01, "
    "people: 'bool' = False, zones: 'Zones | str | os.PathLike[str] | None' = None, moving_camera: 'bool' = False, "
    "staff: 'Collection | None' = None, age_gender: 'bool' = False, visitors: 'VisitorBook | None' = None, "
    "start: 'datetime | None' = None) -> 'Iterator[Event]'",
}


def test_public_names_and_signatures_are_those_of_the_snapshot():
    assert {name: str(inspect.signature(getattr(mien, name))) for name in mien.__all__} == SNAPSHOT
    assert set(mien.__all__) <= set(dir(mien))
    with pytest.raises(AttributeError, match="analyse"):
        _ = mien.analyse


def test_import_alone_loads_nothing_heavy():
    heavy = "{'numpy', 'cv2', 'av', 'openvino', 'onnxruntime', 'faiss', 'sqlalchemy', 'pydantic', 'typer', 'PIL'}"
    for module in ("mien", "mien.cli.main"):
        allowed = " - {'typer'}" if module == "mien.cli.main" else ""
        program = f"import sys, {module}; print(sorted(({heavy}{allowed}) & set(sys.modules)))"
        answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert answer.stdout == "[]\n", module


def modules():
    return sorted(info.name for info in pkgutil.walk_packages(mien.__path__, "mien."))


@pytest.mark.parametrize("name", ["mien", *modules()])
def test_examples_in_the_documentation_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "key"))
    from mien.settings import settings

    if name.startswith("mien.training"):
        pytest.importorskip("torch", reason="needs PyTorch: the extra train")
    settings.cache_clear()
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    settings.cache_clear()
    assert results.failed == 0


@pytest.fixture(scope="module")
def picture(models):
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    return np.ascontiguousarray(pictures.astronaut())


def test_analyze_takes_paths_bytes_pictures_and_arrays(picture, tmp_path):
    path = tmp_path / "Ämne.png"
    PIL.Image.fromarray(picture).save(path)
    sources = [path, str(path), path.read_bytes(), PIL.Image.open(path), picture]
    found = [mien.analyze(source)[0].to_dict() for source in sources]
    found.append(mien.analyze(np.ascontiguousarray(picture[:, :, ::-1]), bgr=True)[0].to_dict())
    assert all(face == found[0] for face in found)
    assert {"face_3d", "age", "gender", "quality", "eyes"} <= set(found[0])


def test_verify_is_symmetric_and_of_the_rate_that_was_asked_for(picture):
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    answer, back = mien.verify(picture, mirrored), mien.verify(mirrored, picture)
    assert answer.same
    assert answer.similarity == pytest.approx(back.similarity, abs=1e-4)
    strict = mien.verify(picture, mirrored, fmr=1e-6)
    assert strict.threshold > answer.threshold > mien.verify(picture, mirrored, fmr=1e-2).threshold
    assert (strict.extrapolated, answer.extrapolated) == (True, False)


def test_errors_are_errors_of_mien(picture, tmp_path):
    with pytest.raises(UsageError, match="fmr"):
        mien.verify(picture, picture, fmr=2)
    with pytest.raises(BadInputError, match=r"nobody\.jpg"):
        mien.analyze(tmp_path / "nobody.jpg")
    with pytest.raises(BadInputError) as caught:
        mien.verify(picture, np.zeros((64, 64, 3), np.uint8))
    assert caught.value.code == "face_missing"
    with pytest.raises(BadInputError):
        next(mien.watch(tmp_path / "nobody.mp4"))


def test_watch_can_be_left_early(picture, tmp_path):
    for number in range(30):
        PIL.Image.fromarray(picture[:256, 100:400]).save(tmp_path / f"{number}.bmp")
    events = mien.watch(tmp_path)
    assert next(events).event == "appeared"
    events.close()
    assert [event.event for event in mien.watch(tmp_path)] == ["appeared", "left"]
