"""What a figure was measured on: processor, system, versions of what does the work, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("numpy", "opencv-python-headless", "av", "openvino", "onnxruntime", "faiss-cpu", "pillow", "SQLAlchemy")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, load, system, Python, versions, and the commit where the source is a checkout."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("mien", *_PACKAGES)},
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {name.strip(): value.strip() for name, value in fields.items()}
    name = values.get("model name") or platform.machine()
    if "cpu family" in values:
        name += f" (family {values['cpu family']}, model {values.get('model', '?')})"
    return name


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        # Only mien's own checkout: an installed copy may lie in somebody else's.
        if not (here.parents[3] / ".git").exists():
            return None
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
