"""Age and gender against the size of the crop, on UTKFace pictures (`AGE_GENDER_RACE_DATE.jpg`, gender 1 is female).

python benchmarks/age_gender.py UTK_FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from mien.face import age_gender
from mien.face.detector import FaceDetector
from mien.media.image import find_pictures, read


def measure(folder: Path) -> list[dict[str, float]]:
    """Mean absolute error in years and gender accuracy at 18 to 75 years, for each size of the crop."""
    detector, estimator = FaceDetector(score=0.5), age_gender.AgeGenderEstimator()
    found = []
    for path in find_pictures(folder):
        image = read(path)
        faces = detector(image)
        age, is_female = (int(part) for part in path.name.split("_")[:2])
        if faces and 18 <= age <= 75:
            found.append((image, max(faces, key=lambda face: face.score), age, bool(is_female)))
    rows = []
    for context in (0.9, 1.0, 1.1, 1.2, 1.3, 1.4):
        age_gender._CONTEXT = context
        answers = [(estimator(image, [face])[0], age, is_female) for image, face, age, is_female in found]
        rows.append(
            {
                "crop": context,
                "faces": len(answers),
                "age_mae": round(float(np.mean([abs(years - age) for (years, _), age, _ in answers])), 2),
                "gender_accuracy": round(float(np.mean([(g == "female") == f for (_, g), _, f in answers])), 4),
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=1))
