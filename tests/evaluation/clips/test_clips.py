import itertools

import cv2
import numpy as np
import pytest

from mien.errors import UsageError
from mien.evaluation.clips.composition import FACE_BOX, Actor, compose
from mien.evaluation.clips.sprite import Placement, Sprite, paste, placement_matrix
from mien.geometry import iou_matrix
from mien.media.image import write


def plain(colour):
    return np.full((250, 250, 3), colour, np.uint8)


@pytest.fixture(scope="module")
def portrait():
    """The astronaut, framed as the pictures of LFW are."""
    data = pytest.importorskip("skimage.data", reason="needs scikit-image")
    scale = (FACE_BOX[2] - FACE_BOX[0]) / 90
    shift = (126 - 223 * scale, 127.5 - 119.6 * scale)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(data.astronaut(), matrix, (250, 250))


def test_same_seed_same_frames_other_seed_other_frames():
    actors = [Actor("a", [plain(250)], True), Actor("b", [plain(5)], False)]
    clips = [list(compose(actors, width=160, height=90, seconds=1.0, seed=seed)) for seed in (4, 4, 5)]
    assert [frame.image.tobytes() for frame in clips[0]] == [frame.image.tobytes() for frame in clips[1]]
    assert [sorted(frame.boxes) for frame in clips[0]] == [sorted(frame.boxes) for frame in clips[1]]
    assert clips[0][10].image.tobytes() != clips[2][10].image.tobytes()


def test_everybody_comes_once_and_leaves():
    actors = [Actor(str(number), [plain(200)], bool(number % 2)) for number in range(7)]
    frames = list(compose(actors, width=160, height=90, frame_rate=10.0, seconds=2.0, seed=1))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames[13].time == pytest.approx(1.3)
    assert not frames[0].boxes
    assert not frames[-1].boxes
    assert max(len(frame.boxes) for frame in frames) >= 2
    for number in range(7):
        seen = [frame.index for frame in frames if number in frame.boxes]
        assert len(seen) >= 8
        assert seen[0] < seen[-1] < 60 * 10
        first, last = (frames[at].boxes[number] for at in (seen[0], seen[-1]))
        at_border = [min((box[0] + box[2]) / 2, 160 - (box[0] + box[2]) / 2) for box in (first, last)]
        assert max(at_border) < 25


def test_the_truth_moves_smoothly_and_stays_half_inside():
    frames = list(compose([Actor("a", [plain(200)], True)], seconds=2.0, width=640, height=360, seed=3))
    boxes = np.array([frame.boxes[0] for frame in frames if 0 in frame.boxes])
    assert np.abs(np.diff(boxes, axis=0)).max() < 30
    inside = np.clip(boxes[:, 2], 0, 640) - np.clip(boxes[:, 0], 0, 640)
    assert (inside >= 0.49 * (boxes[:, 2] - boxes[:, 0])).all()


def test_pictures_follow_one_another():
    actors = [Actor("a", [plain((250, 0, 0)), plain((0, 250, 0))], True)]
    colours = []
    for frame in compose(actors, width=320, height=180, seconds=2.0, seed=2):
        if 0 in frame.boxes:
            x0, y0, x1, y1 = frame.boxes[0]
            if x0 > 0 and x1 < 320:
                red, green, _ = frame.image[int(y0 + y1) // 2, int(x0 + x1) // 2].tolist()
                colours.append("red" if red > green else "green")
    changes = [first + second for first, second in itertools.pairwise(colours) if first != second]
    assert changes == ["redgreen"]


def test_pictures_come_from_files_too(tmp_path):
    write(tmp_path / "a.png", plain((250, 0, 0)))
    settings = {"width": 160, "height": 90, "seconds": 1.0}
    from_file = list(compose([Actor("a", [tmp_path / "a.png"], True)], **settings))
    from_array = list(compose([Actor("a", [plain((250, 0, 0))], True)], **settings))
    assert from_file[15].image.tobytes() == from_array[15].image.tobytes()


def test_nobody_gives_a_short_empty_clip():
    frames = list(compose([], width=64, height=36))
    assert frames
    assert not any(frame.boxes for frame in frames)


@pytest.mark.parametrize("pictures", [[], [np.zeros((100, 100, 3), np.uint8)]])
def test_wrong_pictures_are_named(pictures):
    with pytest.raises(UsageError, match="actor 'Ada' has pictures of the shapes") as caught:
        list(compose([Actor("Ada", pictures, True)], width=64, height=36, seconds=0.5))
    assert caught.value.code == "clip_picture_size"


def test_a_detector_finds_the_faces_where_the_truth_says(portrait, models):
    from mien.face.detector import FaceDetector

    detector = FaceDetector()
    actors = [Actor(str(number), [portrait], True) for number in range(4)]
    overlaps = []
    for frame in compose(actors, width=960, height=540, seconds=2.0, frame_rate=5.0, seed=6):
        found = [face.box for face in detector(frame.image)]
        overlaps += [iou_matrix(box[None], np.stack(found)).max() if found else 0.0 for box in frame.boxes.values()]
    assert len(overlaps) > 20
    assert np.mean(np.array(overlaps) > 0.3) > 0.9
    assert np.median(overlaps) > 0.6


def test_paste_puts_the_anchor_where_it_was_asked_to():
    image = np.zeros((60, 40, 3), np.uint8)
    image[18:23, 8:13] = 255
    sprite = Sprite(image, np.ones((60, 40), np.float32))
    frame = np.full((200, 300, 3), 77, np.uint8)
    paste(frame, sprite, (10, 20), Placement(150, 100, scale=2, angle=90))
    ys, xs = np.nonzero(frame[..., 0] > 200)
    assert (xs.mean(), ys.mean()) == (pytest.approx(150, abs=1), pytest.approx(100, abs=1))
    # clockwise in the picture: what was right of the anchor is now below
    assert placement_matrix((10, 20), Placement(150, 100, 2, 90)) @ [20, 20, 1] == pytest.approx([150, 120])
    assert (frame[:, :60] == 77).all()


@pytest.mark.parametrize("place", [(-500, 50), (900, 50), (50, -500), (50, 900)])
def test_paste_outside_changes_nothing(place):
    frame = np.full((100, 100, 3), 77, np.uint8)
    paste(frame, Sprite(plain(0), np.ones((250, 250), np.float32)), (125, 125), Placement(*place))
    assert (frame == 77).all()


def test_gain_darkens_blur_softens_and_cover_lets_through():
    pattern = np.kron(np.indices((25, 25)).sum(0) % 2, np.ones((10, 10)))[..., None] * np.array([200, 200, 200])
    pattern = pattern.astype(np.uint8)

    def shown(place, cover=1.0):
        frame = np.full((250, 250, 3), 50, np.uint8)
        paste(frame, Sprite(pattern, np.full((250, 250), cover, np.float32)), (125, 125), place)
        return frame[50:200, 50:200].astype(float)

    sharp = shown(Placement(125, 125))
    assert shown(Placement(125, 125, gain=0.5)).mean() == pytest.approx(sharp.mean() / 2, rel=0.02)
    assert shown(Placement(125, 125, blur=4)).std() < 0.6 * sharp.std()
    assert shown(Placement(125, 125), cover=0.0) == pytest.approx(np.full((150, 150, 3), 50.0))
