"""The class of a track, once enough frames agree on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated, Any, Optional

from pydantic import Field, model_validator

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Fraction, Image, Outputs, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.tracking import overlaps

Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Class = tuple[str, int]
KINDS = (*k.ALL_BOXES, k.RLE_SEGMENTS)


@dataclass
class _Votes:
    """How many frames were sure of a class, and how sure in all."""

    count: int = 0
    confidence: float = 0.0

    def add(self, confidence: float) -> None:
        self.count += 1
        self.confidence += confidence

    @property
    def mean(self) -> float:
        return self.confidence / self.count


@dataclass
class _Track:
    """What is known of one track: votes until its class is locked, then who speaks against it."""

    box: Any = None
    seen: int = 0
    votes: dict[Class, _Votes] = field(default_factory=lambda: defaultdict(_Votes))
    locked: Optional[Class] = None
    confidence: float = 0.0

    def lock(self, chosen: Class) -> None:
        """From now on of this class, as sure as its votes were; the votes are done with."""
        self.locked, self.confidence = chosen, self.votes[chosen].mean
        self.votes.clear()


@dataclass
class _Video:
    frame: int = 0
    tracks: dict[Any, _Track] = field(default_factory=dict)


class TrackClassLock(Block):
    """Keeps the class of a track once enough sure frames voted for it, as others may flicker.

    It is then as sure as these votes were on average. A lock is given up for a class that is seen in `switch_after` frames on end. A new track that
    appears where one with a lock was lost goes on with that lock.
    """

    TYPES = ("roboflow_core/track_class_lock@v1",)
    OUTPUTS = {"tracked_detections": KINDS}

    image: Image
    detections: Annotated[Detections, refers(*KINDS)]
    min_votes: Annotated[Positive, takes(k.INTEGER)] = 10
    vote_confidence: Fraction = 0.8
    lead_margin: Annotated[Count, takes(k.INTEGER)] = 3
    switch_after: Annotated[Positive, takes(k.INTEGER)] = 15
    state_ttl: Annotated[Positive, Field(le=1_000_000), takes(k.INTEGER)] = 300
    reattach_window: Annotated[Count, takes(k.INTEGER)] = 30
    reattach_iou: Fraction = 0.3

    @model_validator(mode="after")
    def _lost_tracks_are_still_known(self) -> TrackClassLock:
        window, kept = self.reattach_window, self.state_ttl
        if isinstance(window, int) and isinstance(kept, int) and window > kept:
            raise ValueError(
                f"'reattach_window' ({window}) must not be above 'state_ttl' ({kept}): tracks that "
                "were forgotten cannot be found again"
            )
        return self

    def run(self) -> Outputs:
        found = self.detections
        if len(found) and found.tracker_id is None:
            raise ValueError("track_class_lock needs a tracker_id: track the detections first.")
        video = self.kept(self.image.video_identifier, _Video)
        video.frame += 1
        ids = [] if found.tracker_id is None else list(found.tracker_id)
        here = set(ids)
        told = [self._told(video, found.row(row), here) for row in range(len(ids))]
        for old in [i for i, t in video.tracks.items() if video.frame - t.seen > self.state_ttl]:
            del video.tracks[old]
        if not told:
            return {"tracked_detections": found}
        classes, confidences = zip(*told, strict=True)
        names, numbers = zip(*classes, strict=True)
        named = found.with_classes(names, numbers)
        return {"tracked_detections": named.with_columns(confidence=confidences)}

    def _told(self, video: _Video, one: Detections, here: set[Any]) -> tuple[Class, float]:
        """Class and confidence of one detection, after its vote."""
        (tracker_id,) = one.tracker_id  # type: ignore[misc]
        track = video.tracks.get(tracker_id)
        if track is None:
            track = video.tracks[tracker_id] = self._lost(video, one, here) or _Track()
        track.box, track.seen = one.xyxy, video.frame
        now, confidence = (str(one.class_name[0]), int(one.class_id[0])), float(one.confidence[0])
        vote = self._vote if track.locked is None else self._challenge
        vote(track, now, confidence)
        return (now, confidence) if track.locked is None else (track.locked, track.confidence)

    def _vote(self, track: _Track, now: Class, confidence: float) -> None:
        if confidence < self.vote_confidence:
            return
        track.votes[now].add(confidence)
        (most, first), *others = sorted(
            ((votes.count, name) for name, votes in track.votes.items()), reverse=True
        )
        lead = most - (others[0][0] if others else 0)
        if most >= self.min_votes and lead >= self.lead_margin:
            track.lock(first)

    def _challenge(self, track: _Track, now: Class, confidence: float) -> None:
        """Another class takes over when it is seen often enough on end."""
        if now not in track.votes:
            track.votes.clear()
        if confidence < self.vote_confidence or now == track.locked:
            track.votes.clear()
            return
        track.votes[now].add(confidence)
        if track.votes[now].count >= self.switch_after:
            track.lock(now)

    def _lost(self, video: _Video, one: Detections, here: set[Any]) -> Optional[_Track]:
        """The locked track that was lost where this one appears: it is this one from now on."""
        near: dict[Any, float] = {}
        for tracker_id, track in video.tracks.items():
            gone = video.frame - track.seen
            if track.locked and tracker_id not in here and gone <= self.reattach_window:
                near[tracker_id] = float(overlaps(one.xyxy, track.box)[0, 0])
        best = max(near, key=near.__getitem__, default=None)
        if best is None or near[best] <= 0 or near[best] < self.reattach_iou:
            return None
        return video.tracks.pop(best)
