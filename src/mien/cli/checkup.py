"""The checks behind `mien doctor`; none of them changes anything."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report; `failed` means that the main job cannot run."""

    name: str
    state: Literal["ok", "absent", "failed"]
    found: str
    remedy: str = ""


def check_all() -> list[Check]:
    """Every check, in the order of the report."""
    return [
        _python(),
        _openvino(),
        _onnxruntime(),
        _gpu(),
        *_models(),
        _calibration(),
        _store(),
        _key(),
        _encoder(),
        _torch(),
    ]


def _python() -> Check:
    cores = os.cpu_count() or 1
    return Check(
        "Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {cores} cores"
    )


def _openvino() -> Check:
    if not importlib.util.find_spec("openvino"):
        return Check("OpenVINO", "failed", "not installed", "pip install openvino")
    from mien.models.openvino_import import import_openvino

    core = import_openvino().Core()
    formats = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return Check(
        "OpenVINO", "ok", f"{_version('openvino')}; {', '.join(core.available_devices)}; CPU: {', '.join(formats)}"
    )


def _onnxruntime() -> Check:
    if not importlib.util.find_spec("onnxruntime"):
        return Check("ONNX Runtime", "absent", "not installed", "pip install onnxruntime, or mien[gpu] for GPUs")
    import onnxruntime

    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    return Check("ONNX Runtime", "ok", f"{onnxruntime.__version__}; {', '.join(providers)}")


def _gpu() -> Check:
    from mien.models.runtime import has_gpu

    if has_gpu():
        return Check("GPU", "ok", "ONNX Runtime has CUDA; models in ONNX run there with MIEN_DEVICE=gpu")
    return Check("GPU", "absent", "ONNX Runtime has no CUDA", "pip install mien[gpu] on a machine with an NVIDIA GPU")


def _models() -> list[Check]:
    from mien.models.catalogue import catalogue
    from mien.models.store import verify

    checks = []
    for name, entry in catalogue().items():
        if entry.pack != "standard":
            continue
        states = verify(entry)
        bad = [f"{file}: {state}" for file, state in states.items() if state != "ok"]
        if bad:
            checks.append(Check(f"model {name}", "failed", "; ".join(bad), f"mien models pull {name}"))
        else:
            checks.append(Check(f"model {name}", "ok", f"{entry.task}, {entry.licence}"))
    return checks


def _calibration() -> Check:
    from mien.errors import MienError
    from mien.face.embedder import embedder_identity
    from mien.identity.search import calibration

    name, fingerprint = embedder_identity(None)
    try:
        smallest = calibration(name, fingerprint).smallest_measurable_fmr
    except MienError as error:
        return Check("calibration", "failed", str(error))
    return Check("calibration", "ok", f"{name}, measured down to FMR {smallest:.1e}")


def _store() -> Check:
    from mien.settings import settings

    path = settings().data / "gallery.db"
    if not path.exists():
        return Check("gallery", "absent", f"none yet at {path}", "it is made by the first `mien enroll`")
    try:
        from mien.identity.gallery import Gallery

        with Gallery.open() as gallery:
            return Check("gallery", "ok", f"{path}, {len(gallery.collections())} collections")
    except Exception as error:
        return Check("gallery", "failed", f"{path}: {error}")


def _key() -> Check:
    from mien.settings import settings

    path: Path = settings().key_file
    if not path.exists():
        return Check(
            "master key", "absent", f"none yet at {path}", "it is made with the gallery; back it up apart from it"
        )
    mode = path.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        return Check("master key", "failed", f"{path} has mode {mode:o}", f"chmod 600 {path}")
    return Check("master key", "ok", f"{path}; back it up apart from the gallery")


def _encoder() -> Check:
    import av

    for name in ("libx264", "libopenh264", "mpeg4"):
        if name in av.codecs_available:
            return Check("video", "ok", f"PyAV {av.__version__}, writes with {name}")
    return Check("video", "absent", "PyAV has no encoder for MP4", "pip install --force-reinstall av")


def _torch() -> Check:
    if importlib.util.find_spec("torch"):
        return Check("training", "ok", f"PyTorch {_version('torch')}")
    return Check("training", "absent", "PyTorch is not installed", "pip install mien[train]")


def _version(package: str) -> str:
    return importlib.metadata.version(package)
