"""Imports OpenVINO without its telemetry: its package reports each import to its publisher's analytics service."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from types import ModuleType

import numpy as np

_ONE_AT_A_TIME = threading.Lock()


def import_openvino() -> ModuleType:
    """The module `openvino`.

    None in `sys.modules` makes an import fail, which OpenVINO takes for "not installed". The reporter stays away for
    good; the model converter, which does the reporting and takes most of the import's time, only while this import
    runs, so that a program which needs it can import it afterwards.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    with _ONE_AT_A_TIME:
        if "openvino" not in sys.modules:
            sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
            sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
            try:
                import_module("openvino")
            finally:
                del sys.modules["openvino.tools.ovc"]
        openvino = sys.modules["openvino"]
        # Its binding sets NumPy up with the first array of the process, and deadlocks where two threads bring it one.
        openvino.Tensor(np.zeros(1, np.uint8))
    return openvino
