"""Videos by URL: downloaded once, whole or not at all."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inference_sdk.webrtc import video_cache
from inference_sdk.webrtc.errors import SourceError
from inference_sdk.webrtc.video_cache import cached_path, fetch_video, is_url, without_query

SECRET = "pass-" + "word"  # tracebacks quote this file
CONTENT = bytes(range(256)) * 8000


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(video_cache, "VIDEO_DOWNLOAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
async def site(cache):
    downloads = []

    async def whole(request):
        downloads.append(request.raw_path)
        return web.Response(body=CONTENT)

    async def moved(request):
        return web.Response(status=302, headers={"Location": "/video.mp4?sig=a%2Fb+c'"})

    async def half(request):
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        await response.write(b"x" * 5000)
        request.transport.close()
        return response

    async def slow(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 5000)
        await asyncio.sleep(30)
        return response

    app = web.Application()
    app.router.add_get("/video.mp4", whole)
    app.router.add_get("/moved", moved)
    app.router.add_get("/half.mp4", half)
    app.router.add_get("/slow.mp4", slow)
    async with TestServer(app) as server:
        server.downloads = downloads
        yield server


def files(directory: Path):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_urls_are_told_from_paths():
    assert is_url("https://x/y.mp4")
    assert is_url("HTTP://x")
    assert not is_url("/tmp/x.mp4")
    assert not is_url(Path("x"))


def test_each_url_has_a_file_of_its_own(cache):
    one, other = cached_path("http://x/a.mp4?sig=1"), cached_path("http://x/a.mp4?sig=2")
    assert one != other
    assert one.suffix == ".mp4"
    assert cached_path("http://x/a").suffix == ""
    assert cached_path("http://x/a.m/../../..").parent == one.parent
    assert one.is_relative_to(cache / "cache")


@pytest.mark.parametrize("query", ["sig=a%2Fb%3D%3D&x=a+b", "sig=a/b==&x=%7e~", "", "x=%E9&y='"])
async def test_an_address_travels_byte_for_byte(site, query):
    """A storage refuses a signature that was encoded anew, also after a redirect."""
    path = f"/video.mp4?{query}" if query else "/video.mp4"
    await fetch_video(f"{site.make_url('')}".rstrip("/") + path)
    await fetch_video(
        f"{site.make_url('')}".rstrip("/") + f"/moved?to={len(query)}", use_cache=False
    )
    assert site.downloads == [path, "/video.mp4?sig=a%2Fb+c'"]


async def test_an_address_with_spaces_and_umlauts_is_encoded(site):
    await fetch_video(f"{site.make_url('/video.mp4')}?x=ä b")
    assert site.downloads == ["/video.mp4?x=%C3%A4+b"]


async def test_an_error_keeps_no_password_in_its_chain(cache):
    with pytest.raises(SourceError) as raised:
        await fetch_video(f"http://user:{SECRET}@127.0.0.1:1/v.mp4?sig={SECRET}")
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__context__ is None


def test_a_signature_is_not_shown():
    assert without_query("https://x/y.mp4?signature=secret") == "https://x/y.mp4"


async def test_a_video_is_downloaded_once(site):
    url, blocks = str(site.make_url("/video.mp4")), []
    for _ in range(2):
        path, delete = await fetch_video(url, on_block=lambda: blocks.append(1))
        assert path.read_bytes() == CONTENT
        assert not delete
    assert len(site.downloads) == 1
    assert blocks


async def test_without_the_cache_it_is_a_temporary_file(site, cache):
    url = str(site.make_url("/video.mp4"))
    path, delete = await fetch_video(url, use_cache=False)
    assert delete
    assert path.read_bytes() == CONTENT
    assert not (cache / "cache").exists()


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("page", ["/half.mp4", "/missing.mp4"])
async def test_a_failed_download_leaves_nothing(site, cache, page, use_cache):
    with pytest.raises(SourceError, match=page):
        await fetch_video(str(site.make_url(page)), use_cache=use_cache)
    assert files(cache) == []


async def test_a_cancelled_download_leaves_nothing(site, cache):
    begun = asyncio.Event()
    task = asyncio.ensure_future(fetch_video(str(site.make_url("/slow.mp4")), on_block=begun.set))
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(cache) == []


async def test_a_server_that_is_not_there(cache):
    with pytest.raises(SourceError, match="cannot be downloaded"):
        await fetch_video("http://127.0.0.1:1/v.mp4?key=secret")


async def test_a_directory_that_cannot_be_written(site, cache, monkeypatch):
    (cache / "blocked").write_text("a file, no directory")
    monkeypatch.setattr(video_cache, "VIDEO_DOWNLOAD_CACHE_DIR", str(cache / "blocked"))
    with pytest.raises(SourceError, match="cannot be stored"):
        await fetch_video(str(site.make_url("/video.mp4")))
