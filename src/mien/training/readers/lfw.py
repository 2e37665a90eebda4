"""Labeled Faces in the Wild (Huang et al. 2007): `NAME/NAME_0001.jpg`. A benchmark: read to measure, never to train."""

from __future__ import annotations

from mien.training.data.pictures import PictureFiles
from mien.training.readers.identity_folders import identity_folders
from mien.training.readers.terms import Terms

TERMS = Terms("LFW", "research benchmark", research_only=True, shows="face")


def lfw(folder: str) -> PictureFiles:
    """Every picture with the label `identity`; the trainer refuses them (`split_forbidden`).

    Raises:
        BadInputError: `data_missing`, `data_empty`.
    """
    pictures = identity_folders(folder)
    pictures.forbidden = "LFW is a benchmark and nothing is ever trained on it"
    return pictures
