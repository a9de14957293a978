"""Idle connections: which are used again, and which are closed."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.http.transport import kept_links
from inference_sdk.http.transport.headers import Headers
from inference_sdk.http.transport.kept_links import KeptLinks
from inference_sdk.http.transport.links import run_blocking

WAY: Any = "a way"
NOTHING_SAID = Headers([])


class IdleLink:
    kept_until = 0.0

    def __init__(self, *, is_quiet: bool = True) -> None:
        self._is_quiet = is_quiet
        self.is_closed = False

    async def is_quiet(self) -> bool:
        return self._is_quiet

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(kept_links, "MOST_KEPT", 3)
    return [IdleLink() for _ in range(5)]


def taken(kept: KeptLinks) -> Any:
    return run_blocking(kept.take(WAY))


def test_what_was_used_last_is_used_first(links: list[Any]) -> None:
    kept = KeptLinks()
    for link in links[:3]:
        kept.give(WAY, link, NOTHING_SAID, 55)
    assert [taken(kept) for _ in range(4)] == [links[2], links[1], links[0], None]


def test_too_many_and_too_old_ones_are_closed(links: list[Any]) -> None:
    kept = KeptLinks()
    for link in links[:4]:
        kept.give(WAY, link, NOTHING_SAID, 55)
    assert [link.is_closed for link in links[:4]] == [True, False, False, False]
    links[1].kept_until = links[2].kept_until = 0.0
    kept.give(WAY, links[4], NOTHING_SAID, 55)
    assert [link.is_closed for link in links] == [True, True, True, False, False]


def test_one_on_which_something_arrived_is_closed() -> None:
    kept, disturbed = KeptLinks(), IdleLink(is_quiet=False)
    kept.give(WAY, disturbed, NOTHING_SAID, 55)  # type: ignore[arg-type]
    assert taken(kept) is None
    assert disturbed.is_closed


def test_what_is_given_back_too_late_is_closed(links: list[Any]) -> None:
    kept = KeptLinks()
    kept.give(WAY, links[0], NOTHING_SAID, 55)
    kept.close()
    kept.give(WAY, links[1], NOTHING_SAID, 55)
    assert links[0].is_closed
    assert links[1].is_closed
    assert taken(kept) is None


def test_ways_that_nobody_goes_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_links, "MOST_WAYS", 3)
    kept = KeptLinks()
    links = [IdleLink() for _ in range(6)]
    for number, link in enumerate(links):
        way: Any = f"way {number}"
        kept.give(way, link, NOTHING_SAID, 55)
    assert [link.is_closed for link in links] == [True, True, True, False, False, False]
    links[4].kept_until = 0.0
    kept.give("another way", IdleLink(), NOTHING_SAID, 55)  # type: ignore[arg-type]
    assert [link.is_closed for link in links[3:]] == [False, True, False]
