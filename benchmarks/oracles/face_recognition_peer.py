r"""Detect + encode one 640x480 picture: mien beside the `face_recognition` package (dlib), taking turns in one run.

    ORACLE/bin/python benchmarks/oracles/face_recognition_peer.py .venv/bin/python \
        > benchmarks/results/face_recognition.json

ORACLE is a virtual environment with `face_recognition` and `dlib-bin`, see README.md. The package runs in this process
and mien in a second one, which the given interpreter starts and which waits while the other works. The picture is
scikit-image's astronaut; both find its one face and turn it into a feature. mien is asked for the embedding only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

ROUNDS = 21


def serve(path: str) -> None:
    """mien's side: writes the picture, then answers each line on stdin with the milliseconds of one run."""
    import cv2
    from skimage import data

    from mien.evaluation.speed.machine import describe_machine
    from mien.face.analyzer import FaceAnalyzer

    image = cv2.resize(data.astronaut()[:384], (640, 480), interpolation=cv2.INTER_AREA)
    np.save(path, image)
    analyzer = FaceAnalyzer(["embedding"])
    print(json.dumps(describe_machine()), flush=True)
    for _ in sys.stdin:
        start = perf_counter()
        faces = analyzer(image)
        milliseconds = (perf_counter() - start) * 1e3
        print(json.dumps({"milliseconds": milliseconds, "faces": len(faces)}), flush=True)


def main() -> None:
    """The peer's side: drives both and prints one JSON document."""
    import face_recognition

    times: dict[str, list[float]] = {"mien": [], "face_recognition": []}
    faces = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.npy"
        command = [sys.argv[1], __file__, "--serve", str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mien:
            machine = json.loads(mien.stdout.readline())
            image = np.load(path)
            for number in range(-2, ROUNDS):
                mien.stdin.write("go\n")
                mien.stdin.flush()
                answer = json.loads(mien.stdout.readline())
                start = perf_counter()
                encodings = face_recognition.face_encodings(image, face_recognition.face_locations(image))
                theirs = (perf_counter() - start) * 1e3
                faces = {"mien": answer["faces"], "face_recognition": len(encodings)}
                if number >= 0:
                    times["mien"].append(answer["milliseconds"])
                    times["face_recognition"].append(theirs)
            mien.stdin.close()
    medians = {name: median(values) for name, values in times.items()}
    record = {
        "work": "detect + encode one 640x480 picture",
        "rounds": ROUNDS,
        "faces": faces,
        "milliseconds": {name: round(value, 2) for name, value in medians.items()},
        "times_as_fast": round(medians["face_recognition"] / medians["mien"], 2),
        "machine": machine,
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        main()
