"""Pictures in safely: every mode has a defined result, everything else an error with its code."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import example, given, settings, strategies
from PIL import ImageOps

from mien.errors import BadInputError, MienError, UsageError
from mien.media.image import decode, find_pictures, load, read, write
from mien.settings import settings as program_settings

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF"]


def noise(height: int = 60, width: int = 80, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(kind: str, picture: PIL.Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or PIL.Image.fromarray(noise())).save(buffer, kind, **options)
    return buffer.getvalue()


def code_of(data: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        decode(data, name="that.jpg")
    assert "that.jpg" in str(caught.value)
    return caught.value.code


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch):
    """`limits(picture_pixels=...)` sets limits for one test."""

    def change(**values: int) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"MIEN_{name.upper()}", str(value))
        program_settings.cache_clear()

    yield change
    monkeypatch.undo()
    program_settings.cache_clear()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    image = decode(encoded(kind))
    np.testing.assert_array_equal(image, noise())
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_keep_colours_in_order(kind: str) -> None:
    image = decode(encoded(kind, PIL.Image.new("RGB", (32, 16), (250, 120, 10)), quality=95))
    assert image.shape == (16, 32, 3)
    assert np.abs(image.astype(int) - (250, 120, 10)).max() <= 6


@pytest.mark.parametrize("kind", FORMATS)
def test_one_pixel(kind: str) -> None:
    assert decode(encoded(kind, PIL.Image.new("RGB", (1, 1), "white"))).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    picture = PIL.Image.new("RGB", (40, 24), "black")
    picture.paste("red", (0, 0, 20, 12))
    picture.paste("blue", (20, 12, 40, 24))
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = encoded(kind, picture, exif=exif)
    tagged = picture.copy()
    tagged.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged)).astype(int)
    image = decode(data).astype(int)
    assert image.shape == expected.shape
    assert np.abs(image - expected).mean() < 12


def test_broken_exif_spoils_no_picture() -> None:
    image = decode(encoded("JPEG", exif=b"Exif\x00\x00" + b"II*\x00\xff\xff\xff\x7f" + bytes(20)))
    assert image.shape == (60, 80, 3)


@pytest.mark.parametrize(
    ("picture", "kind", "expected"),
    [
        (PIL.Image.new("L", (4, 4), 77), "PNG", (77, 77, 77)),
        (PIL.Image.new("1", (4, 4), 1), "PNG", (255, 255, 255)),
        (PIL.Image.new("1", (4, 4), 1), "TIFF", (255, 255, 255)),
        (PIL.Image.new("RGB", (4, 4), (9, 8, 7)).quantize(4), "PNG", (9, 8, 7)),
        (PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG", (255, 255, 255)),
        (PIL.Image.new("RGBA", (4, 4), (100, 0, 0, 255)), "PNG", (100, 0, 0)),
        (PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "TIFF", (255, 255, 255)),
        (PIL.Image.new("LA", (4, 4), (10, 0)), "PNG", (255, 255, 255)),
        (PIL.Image.new("CMYK", (4, 4), (0, 0, 0, 0)), "TIFF", (255, 255, 255)),
        (PIL.Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG", (0, 0, 0)),
        (PIL.Image.fromarray(np.full((4, 4), 32896, np.uint16)), "PNG", (128, 128, 128)),
        (PIL.Image.fromarray(np.full((4, 4), 65535, np.uint16)), "TIFF", (255, 255, 255)),
        (PIL.Image.fromarray(np.full((4, 4), 300, np.uint16)), "TIFF", (1, 1, 1)),
    ],
)
def test_each_mode_has_its_result(picture: PIL.Image.Image, kind: str, expected: tuple[int, ...]) -> None:
    image = decode(encoded(kind, picture))
    assert image.shape == (picture.height, picture.width, 3)
    assert image[0, 0].tolist() == list(expected)


def test_transparent_palette_lies_on_white() -> None:
    picture = PIL.Image.new("P", (4, 4), 0)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    assert decode(encoded("PNG", picture, transparency=0))[0, 0].tolist() == [255, 255, 255]


def test_16_bit_colour_keeps_its_high_byte() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\x00" + struct.pack(">3H", 0x1234, 0xFFFF, 0x8000) * 2
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(row * 2)) + chunk(b"IEND", b"")
    assert decode(data)[1, 1].tolist() == [0x12, 0xFF, 0x80]


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_modes_without_a_meaning_are_refused(mode: str) -> None:
    assert code_of(encoded("TIFF", PIL.Image.new(mode, (4, 4)))) == "picture_mode_unsupported"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_animations_and_pages_are_refused(kind: str) -> None:
    pages = [PIL.Image.fromarray(noise(seed=seed)) for seed in range(3)]
    assert code_of(encoded(kind, pages[0], save_all=True, append_images=pages[1:])) == "picture_animated"


def test_of_a_multi_picture_jpeg_the_first_counts() -> None:
    pages = [PIL.Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    image = decode(encoded("MPO", pages[0], save_all=True, append_images=pages[1:]))
    assert image[8, 8, 0] > 200
    assert image[8, 8, 2] < 50


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_truncated(kind: str, part: float) -> None:
    data = encoded(kind)
    assert code_of(data[: int(len(data) * part)]) == "picture_truncated"


def test_compressed_tiff_truncated() -> None:
    data = encoded("TIFF", compression="tiff_lzw")
    assert code_of(data[: len(data) // 2]) in ("picture_truncated", "picture_damaged")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture_empty"),
        (b"hello, this is text", "picture_format_unknown"),
        (b"GIF89a" + bytes(50), "picture_format_unknown"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "picture_format_unknown"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "picture_truncated"),
        (b"RIFF\xff\x00\x00\x00WEBPVP8 ", "picture_truncated"),
    ],
)
def test_what_is_no_picture(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded("PNG"))
    np.testing.assert_array_equal(read(path), noise())


def test_byte_limit_holds_before_reading(limits, tmp_path: Path) -> None:
    limits(picture_bytes=1000)
    with pytest.raises(BadInputError, match="at most 1000") as caught:
        decode(encoded("BMP"))
    assert caught.value.code == "picture_too_many_bytes"
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(10**12)  # sparse: reading it would not end
    with pytest.raises(BadInputError, match="at most 1000"):
        read(path)


def huge_header(kind: str) -> bytes:
    """A small file that says it has 30,000 x 30,000 pixels."""
    small = encoded(kind, PIL.Image.new("RGB", (8, 8)))
    if kind == "JPEG":
        place = small.index(b"\xff\xc0") + 5
        return small[:place] + struct.pack(">HH", 30000, 30000) + small[place + 4 :]
    if kind == "PNG":
        header = b"IHDR" + struct.pack(">II", 30000, 30000) + small[24:29]
        return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    if kind == "WEBP":  # 14 bits a side are all it can say
        body = small[:26] + struct.pack("<HH", 16383, 16383)
        return body + small[30:]
    if kind == "BMP":
        return small[:18] + struct.pack("<ii", 30000, 30000) + small[26:]
    entries = struct.unpack("<I", small[4:8])[0]
    data = bytearray(small)
    for number in range(struct.unpack_from("<H", small, entries)[0]):
        place = entries + 2 + 12 * number
        if struct.unpack_from("<H", small, place)[0] in (256, 257):
            struct.pack_into("<HII", data, place + 2, 4, 1, 30000)
    return bytes(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_pixel_limit_holds_before_decoding(kind: str) -> None:
    assert code_of(huge_header(kind)) == "picture_too_many_pixels"


def test_pixel_limit_can_be_set(limits) -> None:
    limits(picture_pixels=60 * 80)
    assert decode(encoded("PNG")).shape == (60, 80, 3)
    limits(picture_pixels=60 * 80 - 1)
    assert code_of(encoded("PNG")) == "picture_too_many_pixels"


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = encoded("JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    assert code_of(data[:start] + data[start:-2] * 300 + data[-2:]) == "picture_damaged"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def code(path: object) -> str:
        with pytest.raises(BadInputError) as caught:
            read(path)
        return caught.value.code

    loop, pipe, empty = tmp_path / "loop", tmp_path / "pipe", tmp_path / "empty.png"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    empty.touch()
    assert code(tmp_path / "none.png") == "file_missing"
    assert code(empty / "below") == "file_missing"
    assert code(tmp_path) == "file_is_directory"
    assert code(loop) == "file_unreadable"
    assert code(pipe) == "file_unreadable"
    assert code("a\0b") == "file_unreadable"
    assert code(empty) == "picture_empty"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    write(path, noise())
    path.chmod(0)
    with pytest.raises(BadInputError, match="Permission denied"):
        read(path)


@pytest.mark.parametrize("name", ["Größe 写真 🙂.png", "a'b\"c.png", os.fsdecode(b"caf\xe9.png")])
def test_any_file_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, noise())
    np.testing.assert_array_equal(read(path), noise())
    path.write_bytes(b"text")
    with pytest.raises(BadInputError) as caught:
        read(path)
    str(caught.value).encode()


def test_load_takes_what_holds_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write(path, noise())
    for source in (path, str(path), path.read_bytes(), PIL.Image.open(path), PIL.Image.fromarray(noise()), noise()):
        np.testing.assert_array_equal(load(source), noise())
    np.testing.assert_array_equal(load(noise()[:, :, ::-1].copy(), bgr=True), noise())
    np.testing.assert_array_equal(load(noise()[:, :, 0]), np.stack([noise()[:, :, 0]] * 3, axis=2))
    assert load(noise()[::2, ::2]).flags.c_contiguous
    same = noise()
    assert load(same) is same


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [
        (np.zeros((4, 4, 3), np.float32), {}, "picture_array"),
        (np.zeros((4, 4, 4), np.uint8), {}, "picture_array"),
        (np.zeros((4,), np.uint8), {}, "picture_array"),
        (np.zeros((0, 4, 3), np.uint8), {}, "picture_empty"),
        (b"", {}, "picture_empty"),
        ("https://example.org/a.jpg", {}, "url_refused"),
        (7, {}, "picture_source"),
        ("a.jpg", {"bgr": True}, "bgr_without_array"),
    ],
)
def test_load_refuses_with_a_code(source: object, options: dict[str, bool], code: str) -> None:
    with pytest.raises(MienError) as caught:
        load(source, **options)
    assert caught.value.code == code


def test_load_of_a_lazily_opened_broken_picture() -> None:
    picture = PIL.Image.open(io.BytesIO(encoded("PNG")[:300]))
    with pytest.raises(BadInputError) as caught:
        load(picture)
    assert caught.value.code == "picture_damaged"


def test_find_pictures(tmp_path: Path) -> None:
    for name in ("f10.png", "f2.png", "f1.dat", ".hidden.png", "sub/f3.png", ".cache/f4.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded("PNG"))
    (tmp_path / "notes.jpg").write_text("no picture")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "missing")
    assert [path.name for path in find_pictures(tmp_path)] == ["f1.dat", "f2.png", "f10.png"]
    assert [path.name for path in find_pictures(tmp_path, recursive=True)] == ["f1.dat", "f2.png", "f10.png", "f3.png"]


def test_find_pictures_needs_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, code in ((tmp_path / "none", "file_missing"), (tmp_path / "file", "folder_expected")):
        with pytest.raises(BadInputError) as caught:
            find_pictures(path)
        assert caught.value.code == code


def test_write(tmp_path: Path) -> None:
    write(tmp_path / "a.PNG", noise())
    np.testing.assert_array_equal(read(tmp_path / "a.PNG"), noise())
    flat = np.full((16, 16, 3), (200, 50, 90), np.uint8)
    write(tmp_path / "b.jpg", flat)
    assert np.abs(read(tmp_path / "b.jpg").astype(int) - flat).max() <= 4
    with pytest.raises(UsageError, match=r"not \.tiff"):
        write(tmp_path / "c.tiff", noise())
    with pytest.raises(UsageError) as caught:
        write(tmp_path / "none" / "d.png", noise())
    assert caught.value.code == "file_unwritable"
    with pytest.raises(TypeError):
        write(tmp_path / "a.PNG", np.zeros((4, 4, 3), np.complex128))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "b.jpg"]
    np.testing.assert_array_equal(read(tmp_path / "a.PNG"), noise())


VALID = [encoded(kind, PIL.Image.fromarray(noise(24, 20))) for kind in FORMATS] + [
    encoded("TIFF", PIL.Image.fromarray(noise(24, 20)), compression="tiff_lzw"),
    encoded("TIFF", PIL.Image.fromarray(noise(24, 20)), compression="jpeg"),
    encoded("WEBP", PIL.Image.new("RGBA", (20, 24)), lossless=True),
    encoded("JPEG", PIL.Image.new("CMYK", (20, 24)), progressive=True),
    encoded("PNG", PIL.Image.new("P", (20, 24)), transparency=0),
]


def only_a_picture_or_bad_input(data: bytes) -> None:
    try:
        image = decode(data)
    except BadInputError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.size


@settings(max_examples=150, deadline=None)
@given(strategies.binary(max_size=200))
@example(b"BM")
@example(b"II*\x00")
@example(b"\xff\xd8\xff")
@example(b"RIFF\x00\x00\x00\x00WEBP")
@example(b"\x89PNG\r\n\x1a\n")
def test_fuzz_any_bytes(data: bytes) -> None:
    only_a_picture_or_bad_input(data)


@settings(max_examples=100, deadline=None)
@given(strategies.sampled_from(VALID), strategies.binary(max_size=200))
def test_fuzz_right_start(valid: bytes, rest: bytes) -> None:
    only_a_picture_or_bad_input(valid[:32] + rest)


@settings(max_examples=500, deadline=None)
@given(
    strategies.sampled_from(VALID),
    strategies.lists(
        strategies.tuples(strategies.floats(0, 1, exclude_max=True), strategies.integers(0, 255)), max_size=8
    ),
    strategies.lists(
        strategies.tuples(strategies.floats(0, 0.2), strategies.sampled_from([0, 0x7FFFFFFF, 0xFFFFFFFF])), max_size=2
    ),
    strategies.floats(0.5, 1),
)
def test_fuzz_mutated_files(
    valid: bytes, bytes_changed: list[tuple[float, int]], words_changed: list[tuple[float, int]], kept: float
) -> None:
    data = bytearray(valid)
    for place, value in bytes_changed:
        data[int(place * len(data))] = value
    for place, value in words_changed:
        start = int(place * len(data))
        data[start : start + 4] = value.to_bytes(4, "little")
    only_a_picture_or_bad_input(bytes(data[: int(kept * len(data)) + 1]))
