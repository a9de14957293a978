"""Big jobs: every picture's answer on disk, once, whatever happens."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import textwrap
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference_sdk import batch
from tests.batch.marking import MODEL, client_of, make_pictures, mark_of, serve_marks
from tests.recording_server import Recorded, RecordingServer


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return make_pictures(tmp_path / "photos", 12)


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Any:
    """`run`, or its async twin on a loop of its own."""
    if request.param == "sync":
        return batch.run
    return lambda *args, **options: asyncio.run(batch.run_async(*args, **options))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_each_has_its_own(target: Path, pictures: list[Path]) -> None:
    """All pictures, in order, once, each with the answer to it and no other."""
    lines = lines_of(target)
    assert [line["image"] for line in lines] == [str(path) for path in pictures]
    assert [x["result"]["mark"] for x in lines] == [mark_of(p.read_bytes()) for p in pictures]


def test_a_folder(server: RecordingServer, tmp_path: Path, pictures: list[Path], run: Any) -> None:
    serve_marks(server)
    (tmp_path / "photos" / "notes.md").write_text("no picture")
    deeper = make_pictures(tmp_path / "photos" / "more", 2)
    target = tmp_path / "out" / "results.jsonl"
    summary = run(tmp_path / "photos", target, client=client_of(server), model_id=MODEL)
    assert (summary.answered, summary.failed, summary.complete) == (14, 0, True)
    assert_each_has_its_own(target, [*pictures, *deeper])

    again = run(tmp_path / "photos", target, client=client_of(server), model_id=MODEL)
    assert (again.answered, again.asked) == (14, 0)
    assert len(server.requests) == 14
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) == 3
    assert not any(b"a-secret-key" in path.read_bytes() for path in written)


def test_failures_are_set_aside_and_asked_again(
    server: RecordingServer, tmp_path: Path, pictures: list[Path], run: Any
) -> None:
    bad = {mark_of(pictures[3].read_bytes()), mark_of(pictures[7].read_bytes())}
    healed = threading.Event()

    def refuse(recorded: Recorded, _: int) -> int | None:
        ill = mark_of(base64.b64decode(recorded.body)) in bad
        return 400 if ill and not healed.is_set() else None

    serve_marks(server, refuse)
    target = tmp_path / "results.jsonl"
    job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL}
    summary = run(tmp_path / "photos", target, **job)
    assert (summary.answered, summary.failed, summary.complete) == (10, 2, True)
    [(reason, count)] = summary.reasons
    assert count == 2
    assert "not now" in reason
    failed = [line for line in lines_of(target) if "error" in line]
    assert [line["image"] for line in failed] == [str(pictures[3]), str(pictures[7])]
    assert {line["error_class"] for line in failed} == {"HTTPCallErrorError"}

    assert run(tmp_path / "photos", target, **job).asked == 0
    healed.set()
    again = run(tmp_path / "photos", target, retry_failed=True, **job)
    assert (again.answered, again.failed, again.asked) == (12, 0, 2)
    assert_each_has_its_own(target, pictures)


@pytest.mark.parametrize("torn", [b'{"image":"x', b'{"image": "whole but no newline"}', b"\0" * 50])
def test_a_torn_last_line(
    server: RecordingServer, tmp_path: Path, pictures: list[Path], torn: bytes
) -> None:
    serve_marks(server)
    target = tmp_path / "results.jsonl"
    job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL}
    batch.run(tmp_path / "photos", target, **job)
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2] + torn)
    batch.run(tmp_path / "photos", target, **job)
    assert target.read_bytes() == whole


def test_a_stop_and_going_on(
    server: RecordingServer, tmp_path: Path, pictures: list[Path], run: Any
) -> None:
    serve_marks(server)
    target = tmp_path / "results.jsonl"
    job: dict[str, Any] = {"client": client_of(server, 2), "model_id": MODEL}
    stop = threading.Event()

    def report(progress: batch.Progress) -> None:
        if progress.done >= 5:
            stop.set()

    first = run(tmp_path / "photos", target, stop=stop.is_set, report=report, **job)
    assert not first.complete
    assert 5 <= first.answered < 12
    assert len(server.requests) == first.answered  # what was under way was written
    second = run(tmp_path / "photos", target, **job)
    assert second.complete
    assert len(server.requests) == 12
    assert_each_has_its_own(target, pictures)


def test_a_server_that_goes_away(server: RecordingServer, tmp_path: Path, run: Any) -> None:
    pictures = make_pictures(tmp_path / "photos", 40)
    reached = {mark_of(path.read_bytes()) for path in pictures[:9]}
    back = threading.Event()

    def refuse(recorded: Recorded, _: int) -> int | None:
        mark = mark_of(base64.b64decode(recorded.body))
        return None if back.is_set() or mark in reached else 503

    serve_marks(server, refuse)
    target = tmp_path / "results.jsonl"
    job: dict[str, Any] = {"client": client_of(server, 2), "model_id": MODEL}
    with pytest.raises(batch.ServerLostError, match="The same call goes on"):
        run(tmp_path / "photos", target, **job)
    kept = lines_of(target)
    assert len(kept) == 9
    assert not any("error" in line for line in kept)
    back.set()
    assert run(tmp_path / "photos", target, **job).complete
    assert_each_has_its_own(target, pictures)


def test_a_server_that_never_was(tmp_path: Path, pictures: list[Path], run: Any) -> None:
    with RecordingServer() as server:
        client = client_of(server)
    with pytest.raises(batch.ServerLostError):
        run(tmp_path / "photos", tmp_path / "out.jsonl", client=client, model_id=MODEL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_too_many_failures(
    server: RecordingServer, tmp_path: Path, pictures: list[Path], run: Any
) -> None:
    serve_marks(server, lambda *_: 400)
    with pytest.raises(batch.TooManyFailuresError, match="max_failures is 2"):
        run(
            tmp_path / "photos",
            tmp_path / "out.jsonl",
            client=client_of(server),
            model_id=MODEL,
            max_failures=2,
        )
    assert len(lines_of(tmp_path / "out.jsonl")) == 3


class TestChanges:
    """A target is one job's; another is refused, with the choice."""

    @pytest.fixture
    def target(self, server: RecordingServer, tmp_path: Path, pictures: list[Path]) -> Path:
        serve_marks(server)
        target = tmp_path / "results.jsonl"
        batch.run(tmp_path / "photos", target, client=client_of(server), model_id=MODEL)
        server.answer("/m/2", {"predictions": []})
        return target

    def test_another_model(self, server: RecordingServer, tmp_path: Path, target: Path) -> None:
        job: dict[str, Any] = {"client": client_of(server), "model_id": "m/2"}
        before = target.read_bytes()
        with pytest.raises(batch.JobChangedError, match=r"another model.*restart.*continue"):
            batch.run(tmp_path / "photos", target, **job)
        assert target.read_bytes() == before
        assert batch.run(tmp_path / "photos", target, proceed=True, **job).asked == 0
        assert batch.run(tmp_path / "photos", target, restart=True, **job).asked == 12
        assert all(line["result"] == {"predictions": []} for line in lines_of(target))

    def test_other_settings(self, server: RecordingServer, tmp_path: Path, target: Path) -> None:
        client = client_of(server, confidence_threshold=0.9)
        with pytest.raises(batch.JobChangedError, match="another settings"):
            batch.run(tmp_path / "photos", target, client=client, model_id=MODEL)
        faster = client_of(server, 8, read_timeout=3)
        assert batch.run(tmp_path / "photos", target, client=faster, model_id=MODEL).asked == 0

    @pytest.mark.parametrize("change", ["a new picture", "a changed picture", "one gone"])
    def test_another_source(
        self, server: RecordingServer, tmp_path: Path, target: Path, change: str
    ) -> None:
        folder = tmp_path / "photos"
        if change == "a new picture":
            (folder / "zz.png").write_bytes((folder / "0000.png").read_bytes())
        elif change == "a changed picture":
            (folder / "0003.png").write_bytes((folder / "0004.png").read_bytes())
        else:
            (folder / "0005.png").unlink()
        job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL}
        with pytest.raises(batch.JobChangedError, match=r"restart.*continue"):
            batch.run(folder, target, **job)
        asked = batch.run(folder, target, proceed=True, **job).asked
        assert asked == (1 if change == "a new picture" else 0)
        assert batch.run(folder, target, **job).asked == 0  # now it is what it is

    def test_a_file_of_somebody_else(self, server: RecordingServer, tmp_path: Path) -> None:
        make_pictures(tmp_path / "photos", 2)
        precious = tmp_path / "mine.jsonl"
        precious.write_text('{"image": "mine"}\n')
        for restart in (False, True):
            with pytest.raises(batch.TargetError, match="not of this job"):
                batch.run(
                    tmp_path / "photos",
                    precious,
                    client=client_of(server),
                    model_id=MODEL,
                    restart=restart,
                )
        assert precious.read_text() == '{"image": "mine"}\n'
        assert not (tmp_path / "mine.jsonl.journal").exists()

    def test_two_runs_at_once(self, server: RecordingServer, tmp_path: Path) -> None:
        make_pictures(tmp_path / "photos", 4)
        refused: list[Exception] = []
        serve_marks(server)
        job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL}

        def report(_: batch.Progress) -> None:
            try:
                batch.run(tmp_path / "photos", tmp_path / "a.jsonl", **job)
            except batch.TargetError as error:
                refused.append(error)

        batch.run(tmp_path / "photos", tmp_path / "a.jsonl", report=report, **job)
        assert len(refused) == 4
        assert "Another run" in str(refused[0])


def test_what_cannot_be_is_refused_before_anything_is_asked(
    server: RecordingServer, tmp_path: Path, pictures: list[Path]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "nulls.csv").write_text("path,label\nphotos/0000.png,a\n,b\n")
    (tmp_path / "twice.txt").write_text("photos/0000.png\nphotos/0000.png\n")
    (tmp_path / "columns.csv").write_text("a,b\n1,2\n")
    (tmp_path / "torn.json").write_text('["photos/0000.png"')
    (tmp_path / "odd.xyz").write_text("")
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (empty, {}, "no picture in"),
        (tmp_path / "nowhere", {}, "is not there"),
        (str(tmp_path / "*.gif"), {}, "No picture fits"),
        ([], {}, "empty list"),
        (b"picture", {}, "not one"),
        (tmp_path / "nulls.csv", {}, "row 2: no picture in column 'path'"),
        (tmp_path / "twice.txt", {}, "row 2: .* twice"),
        (tmp_path / "columns.csv", {}, "which column"),
        (tmp_path / "columns.csv", {"column": "c"}, "no column 'c'.*a, b"),
        (tmp_path / "torn.json", {}, "cannot be read"),
        (tmp_path / "odd.xyz", {}, "known by its ending"),
        (tmp_path / "photos", {"every": 0}, "every is 0"),
        (tmp_path / "photos", {"sink": "x.xyz"}, "Which form"),
        (tmp_path / "photos", {"model_id": None}, "Name one of"),
        (tmp_path / "photos", {"call": "ocr_image"}, "model_id and call"),
        (tmp_path / "photos", {"model_id": None, "call": "close"}, "no call 'close'"),
        (tmp_path / "photos", {"model_id": None, "workflow": "a"}, "workspace/id"),
        (tmp_path / "photos", {"save": tmp_path / "photos" / "out"}, "inside the source"),
    ]
    for source, options, message in cases:
        sink = options.pop("sink", tmp_path / "out.jsonl")
        arguments: dict[str, Any] = {"client": client_of(server), "model_id": MODEL, **options}
        with pytest.raises(batch.BatchError, match=message):
            batch.run(source, sink, **arguments)
        assert not (tmp_path / "out.jsonl").exists(), message
        assert not (tmp_path / "out.jsonl.journal").exists(), message
    assert server.requests == []


def test_ids_that_are_there_twice(server: RecordingServer, tmp_path: Path) -> None:
    serve_marks(server)
    [path] = make_pictures(tmp_path, 1)
    pairs = [("a", path), ("b", path), ("a", path)]
    with pytest.raises(batch.SourceError, match="'a' is twice"):
        batch.run(pairs, tmp_path / "o.jsonl", client=client_of(server), model_id=MODEL)


class TestSources:
    """Every kind of source: which pictures it means, under which names."""

    @pytest.fixture(autouse=True)
    def set_up(self, server: RecordingServer, tmp_path: Path, pictures: list[Path]) -> None:
        serve_marks(server)
        self.server, self.folder, self.pictures = server, tmp_path, pictures

    def images(self, source: Any, **options: Any) -> list[dict[str, Any]]:
        target = self.folder / "out.jsonl"
        batch.run(
            source, target, client=client_of(self.server), model_id=MODEL, restart=True, **options
        )
        return lines_of(target)

    def assert_marks(self, lines: list[dict[str, Any]], pictures: list[Path]) -> None:
        marks = [mark_of(path.read_bytes()) for path in pictures]
        assert [line["result"]["mark"] for line in lines] == marks

    @pytest.mark.parametrize("form", ["txt", "csv", "json", "jsonl", "parquet"])
    def test_manifests(self, form: str) -> None:
        names = [f"photos/{path.name}" for path in self.pictures[:3]]
        manifest = self.folder / f"list.{form}"
        if form == "txt":
            manifest.write_text("\n".join(names))
        elif form == "csv":
            manifest.write_text("label,path\n" + "".join(f"x,{name}\n" for name in names))
        elif form == "json":
            manifest.write_text(json.dumps(names))
        elif form == "jsonl":
            manifest.write_text("".join(json.dumps({"path": n}) + "\n" for n in names))
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({"label": ["x"] * 3, "path": names}), manifest)
        self.assert_marks(self.images(manifest), self.pictures[:3])

    def test_a_manifest_with_ids_and_base64(self) -> None:
        content = base64.b64encode(self.pictures[0].read_bytes() + b"\0" * 2000).decode()
        manifest = self.folder / "list.jsonl"
        manifest.write_text(json.dumps({"id": 7, "base64": content}))
        [line] = self.images(manifest)
        assert (line["id"], line["image"]) == ("7", f"{manifest}#1")

    def test_wildcards_and_lists(self) -> None:
        lines = self.images([str(self.folder / "photos" / "000[12].png"), self.pictures[5]])
        self.assert_marks(lines, [self.pictures[1], self.pictures[2], self.pictures[5]])

    def test_an_iterable_of_arrays(self) -> None:
        arrays = (np.full((6, 8, 3), number, np.uint8) for number in range(3))
        assert [line["image"] for line in self.images(arrays)] == ["0", "1", "2"]

    @pytest.mark.parametrize("kind", ["zip", "tar.gz"])
    def test_archives(self, kind: str) -> None:
        archive = self.folder / f"photos.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(archive, "w") as file:
                for path in self.pictures:
                    file.write(path, f"deep/{path.name}")
        else:
            import tarfile

            with tarfile.open(archive, "w:gz") as file:
                for path in self.pictures:
                    file.add(path, f"deep/{path.name}")
        lines = self.images(archive)
        self.assert_marks(lines, self.pictures)
        assert lines[0]["image"] == f"{archive}!deep/0000.png"

    def test_a_store_of_fsspec(self) -> None:
        import fsspec

        store = fsspec.filesystem("memory")
        for path in self.pictures[:2]:
            store.pipe(f"/bucket/{path.name}", path.read_bytes())
        try:
            lines = self.images("memory://bucket")
            self.assert_marks(lines, self.pictures[:2])
            assert lines[0]["image"] == "memory:///bucket/0000.png"
            with pytest.raises(batch.SourceError, match="no picture"):
                self.images("memory://nothing-here")
        finally:
            store.rm("/bucket", recursive=True)

    @pytest.mark.parametrize(
        ("options", "frames"),
        [({}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), ({"every": 4}, [0, 4, 8]), ({"fps": 2}, [0, 5])],
    )
    def test_frames_of_a_video(self, options: dict[str, Any], frames: list[int]) -> None:
        import av

        path = self.folder / "clip.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width = stream.height = 64
            for number in range(10):
                image = np.full((64, 64, 3), number * 20, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
        lines = self.images(path, **options)
        assert [(line["id"], line["frame"], line["time"]) for line in lines] == [
            (f"{path}#{number}", number, pytest.approx(number / 10)) for number in frames
        ]
        broken = self.folder / "broken.mp4"
        broken.write_bytes(path.read_bytes()[:700])
        [line] = self.images(broken)
        assert "cannot be read" in line["error"]


@pytest.mark.parametrize("kind", ["workflow", "call", "function", "async function"])
def test_what_is_asked(
    server: RecordingServer, tmp_path: Path, pictures: list[Path], kind: str, run: Any
) -> None:
    client = client_of(server)
    server.answer("/workflows/run", {"outputs": [{"count": 3}]})
    server.answer("/doctr/ocr", {"result": "text", "time": 0.1})
    specification = {
        "version": "1.0",
        "inputs": [{"type": "WorkflowImage", "name": "picture"}],
        "steps": [],
        "outputs": [],
    }

    def size(image: Path) -> Any:
        if image.name == "0003.png":
            raise RuntimeError("not this one")
        return {"bytes": image.stat().st_size}

    async def size_async(image: Path) -> Any:
        return size(image)

    options: dict[str, Any] = {
        "workflow": {"workflow": specification},
        "call": {"call": "ocr_image"},
        "function": {"call": size},
        "async function": {"call": size_async},
    }[kind]
    target = tmp_path / "out.jsonl"
    summary = run(tmp_path / "photos", target, client=client, **options)
    lines = lines_of(target)
    if kind == "workflow":
        assert lines[0]["result"] == {"count": 3}
        assert "picture" in server.last.json["inputs"]
    elif kind == "call":
        assert lines[0]["result"]["result"] == "text"
    else:
        assert (summary.answered, summary.failed) == (11, 1)
        assert (lines[3]["error"], lines[3]["error_class"]) == ("not this one", "RuntimeError")
        assert lines[0]["result"] == {"bytes": pictures[0].stat().st_size}


def test_unordered_answers_come_as_they_are_ready(
    server: RecordingServer, tmp_path: Path, pictures: list[Path]
) -> None:
    serve_marks(server)
    target = tmp_path / "out.jsonl"
    job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL, "ordered": False}
    batch.run(tmp_path / "photos", target, **job)
    lines = lines_of(target)
    assert {line["image"] for line in lines} == {str(path) for path in pictures}
    for line in lines:
        assert line["result"]["mark"] == mark_of(Path(line["image"]).read_bytes())
    batch.run(tmp_path / "photos", target, **(job | {"ordered": True}))
    assert_each_has_its_own(target, pictures)


KILLED = """
import os, random, signal, sys, time
from inference_sdk import InferenceHTTPClient, batch
url, folder, target, seed, kills = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
client = InferenceHTTPClient(url, "a-secret-key").select_api_v0().with_options(
    max_concurrent_requests=4, retry_backoff=0.001)
import inference_sdk.http.transport, inference_sdk.batch.sources.videos  # what each child needs
chance, killed = random.Random(seed), 0
while True:
    child = os.fork()
    if not child:
        with open(os.devnull, "w") as nothing:
            summary = batch.run(folder, target, client=client, model_id="m/1")
        os._exit(0 if summary.complete and not summary.failed else 7)
    if killed < kills:
        time.sleep(chance.uniform(0.0, 0.12))
        os.kill(child, signal.SIGKILL)
        killed += 1
    _, status = os.waitpid(child, 0)
    if status == 0 and killed >= kills:
        break
    assert os.WIFSIGNALED(status) or status == 0, status
"""


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_killed_at_any_moment(server: RecordingServer, tmp_path: Path, form: str) -> None:
    """A server that fails now and then, and fifty kills: all answers are there, once."""
    serve_marks(server, lambda _, number: 503 if number % 33 == 0 else None)
    pictures = make_pictures(tmp_path / "photos", 400)
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    target = tmp_path / f"out.{form}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    arguments = [server.url, tmp_path / "photos", target, "5", "25"]
    subprocess.run(
        [sys.executable, program, *map(str, arguments)], check=True, timeout=50, env=environment
    )
    log = target if form == "jsonl" else tmp_path / "out.csv.journal" / "results.jsonl"
    assert_each_has_its_own(log, pictures)
    if form == "csv":
        assert len(target.read_text().splitlines()) == 401
    assert len(server.requests) < 400 + 25 * 8 + 100


def test_a_disk_that_is_full(server: RecordingServer, tmp_path: Path, pictures: list[Path]) -> None:
    serve_marks(server)
    target = tmp_path / "out.jsonl"
    job: dict[str, Any] = {"client": client_of(server), "model_id": MODEL}
    batch.run(tmp_path / "photos", target, **job)
    whole = target.read_bytes()
    program = tmp_path / "full.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import resource, signal, sys
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            from inference_sdk import InferenceHTTPClient, batch
            client = InferenceHTTPClient({server.url!r}, "a-key").select_api_v0()
            resource.setrlimit(resource.RLIMIT_FSIZE, ({len(whole) // 2},) * 2)
            try:
                batch.run({str(tmp_path / "photos")!r}, {str(target)!r}, client=client,
                          model_id="m/1", restart=True)
            except batch.TargetError as error:
                print(error)
            """
        )
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    told = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert f"{target} cannot be written: File too large" in told
    assert target.read_bytes().endswith(b"\n")
    assert whole.startswith(target.read_bytes())
    batch.run(tmp_path / "photos", target, **job)
    assert target.read_bytes() == whole


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Of 20,000 items, in a process of its own; `make soak` has more of them."""
    program = tmp_path / "many.py"
    program.write_text(
        textwrap.dedent(
            f"""
            from pathlib import Path
            from inference_sdk import batch
            ids = ((f"item-{{n}}", b"x") for n in range(20_000))
            summary = batch.run(ids, {str(tmp_path / "o.jsonl")!r}, call=lambda image: {{"n": 1}})
            assert summary.answered == 20_000, summary
            print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
            """
        )
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    told = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert int(told) < 110_000  # kB
