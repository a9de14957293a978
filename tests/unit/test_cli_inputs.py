"""Which pictures a command line means, and where their annotated pictures go."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from inference_sdk.cli.failures import CommandError
from inference_sdk.cli.inputs import find_sources, label, plan_targets


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(b"")
    return paths


def lines(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")


def names_of(targets: list) -> list[str]:
    return [target.path.name for target in targets]


def test_a_folder_means_its_pictures_by_name(tmp_path: Path) -> None:
    b, a, _ = touch(tmp_path, "b.JPG", "a.png", "notes.txt")
    (tmp_path / "folder.jpg").mkdir()
    assert find_sources([str(tmp_path)]) == [a, b]


def test_pictures_of_a_folder_that_are_not_taken_are_told(tmp_path: Path) -> None:
    taken = touch(tmp_path, "a.jpg", "b.webp")
    touch(tmp_path, "c.tif", "d.TIF", "e.gif", "notes.txt", "README")
    told: list[str] = []
    assert find_sources([str(tmp_path)], told.append) == taken
    assert told == [f"{tmp_path}: passed over 2 .tif, 1 .gif. Files that are named are sent."]
    named = tmp_path / "c.tif"
    assert find_sources([str(named)], told.append) == [named]
    for path in taken:
        path.unlink()
    with pytest.raises(
        CommandError, match=r"no images, beside those passed over: 2 \.tif, 1 \.gif"
    ):
        find_sources([str(tmp_path)])


def test_files_and_urls_keep_their_order(tmp_path: Path) -> None:
    (picture,) = touch(tmp_path, "a.png")
    url = "HTTPS://example.com/a.jpg"
    assert find_sources([url, str(picture)]) == [url, picture]


def test_a_file_that_is_not_there_is_left_to_the_run() -> None:
    assert find_sources(["nothing.jpg"]) == [Path("nothing.jpg")]


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no images"):
        find_sources([str(tmp_path)])


def test_a_dash_reads_names_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", lines(b"a.jpg\n\nmy cat.jpg\r\ncaf\xe9.jpg\n"))
    names = ["first.jpg", "a.jpg", "my cat.jpg", os.fsdecode(b"caf\xe9.jpg")]
    assert find_sources(["first.jpg", "-"]) == [Path(name) for name in names]


def test_standard_input_without_names_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", lines(b""))
    with pytest.raises(CommandError, match="standard input names none"):
        find_sources(["-"])


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_can_be_shown() -> None:
    assert label(Path(os.fsdecode(b"caf\xe9.jpg"))) == "caf�.jpg"


def test_one_image_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    target = plan_targets(tmp_path / "new" / "out.png", [Path("a.jpg")])
    assert [t.path for t in target] == [tmp_path / "new" / "out.png"]
    assert target[0].encoding == "png"
    assert (tmp_path / "new").is_dir()


def test_a_name_without_ending_is_a_folder(tmp_path: Path) -> None:
    (target,) = plan_targets(tmp_path / "out", [Path("a.jpg")])
    assert target.path == tmp_path / "out" / "a.jpg"


def test_a_folder_that_looks_like_a_file_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out.jpg"
    folder.mkdir()
    (target,) = plan_targets(folder, [Path("a.webp")])
    assert target.path == folder / "a.webp"
    assert target.encoding == "webp"


def test_pictures_of_one_name_get_numbers(tmp_path: Path) -> None:
    sources = [Path("x/a.jpg"), Path("y/a.jpg"), Path("z/A.JPG"), Path("b.bmp")]
    assert names_of(plan_targets(tmp_path, sources)) == ["a.jpg", "a-2.jpg", "A-3.JPG", "b.jpg"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/cats/tom.png?size=1", "tom.png"),
        ("https://example.com/", "image.jpg"),
        ("https://example.com/..%2F..%2Fetc%2Fpasswd.jpg", ".._.._etc_passwd.jpg"),
        ("https://example.com/%2e%2e", "...jpg"),
    ],
)
def test_a_url_gives_its_last_part_as_name(tmp_path: Path, url: str, name: str) -> None:
    (target,) = plan_targets(tmp_path, [url])
    assert target.path == tmp_path / name


def test_several_images_do_not_fit_one_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="names one file, but there are 2 images"):
        plan_targets(tmp_path / "out.jpg", [Path("a.jpg"), Path("b.jpg")])


def test_a_format_that_is_not_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"written as \.jpg"):
        plan_targets(tmp_path / "out.tiff", [Path("a.jpg")])


@pytest.mark.parametrize("save", ["", "a.jpg", "../pictures"])
def test_an_original_is_never_overwritten(tmp_path: Path, save: str) -> None:
    folder = tmp_path / "pictures"
    sources = touch(folder, "a.jpg")
    with pytest.raises(CommandError, match="would overwrite the image"):
        plan_targets(folder / save, sources)


def test_a_folder_that_cannot_be_made_is_a_mistake(tmp_path: Path) -> None:
    (blocked,) = touch(tmp_path, "file")
    with pytest.raises(CommandError, match="cannot make the folder"):
        plan_targets(blocked / "out", [Path("a.jpg")])
