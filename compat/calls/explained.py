"""Why a call may differ: each entry stands for a row of `docs/differences.md`.

An entry explains one line of a difference. A call is explained when all its lines are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reason:
    """A row of the documentation, and which lines it accounts for."""

    row: str
    line: str
    """Regular expression of the line `.place: theirs != ours`."""
    call: str = ""
    """Regular expression of the call's name."""
    given: Callable[[Any, Any], bool] = lambda peer, own: True

    def explains(self, name: str, line: str, peer: Any, own: Any) -> bool:
        return bool(
            re.search(self.call, name) and re.match(self.line, line) and self.given(peer, own)
        )


def _fails(kind: str) -> Callable[[Any, Any], bool]:
    return lambda peer, own: peer.get("error", {}).get("type") == kind


def _same_error(peer: Any, own: Any) -> bool:
    """Whether who catches the peer's error catches ours, too."""
    theirs, ours = peer.get("error", {}), own.get("error", {})
    caught = theirs.get("type") in ours.get("bases", [])
    return caught and theirs.get("status_code") == ours.get("status_code")


def _same_but_for_look_ups(peer: Any, own: Any) -> bool:
    """Whether the same is asked for, models of the registry apart."""

    def asked(outcome: Any) -> list[str]:
        paths = [request["path"] for request in outcome["requests"]]
        return [path for path in paths if path != "/model/registry"]

    return asked(peer) == asked(own)


ANY = ""
NEWER = r"\.requests\[\d+\]"

REASONS = (
    Reason("detect_gazes", ANY, r"\| detect_gazes", _fails("FeatureDeprecatedError")),
    Reason("depth_map_format", rf"{NEWER}\.body\.depth_map_format: json != —", "depth_estimation"),
    Reason("no key", rf"{NEWER}\.query: \[\['api_key', 'None'\].* != ", r"key \[null\]"),
    Reason(
        "no key",
        rf"{NEWER}\.(query: .*'api_key', ''|headers.authorization: Bearer  )",
        r'key \[""\]',
    ),
    Reason("clips without a key", ANY, r"v0 \| infer_on_video.*key \[null\]"),
    Reason("no further request", r"\.requests: ", r"^sync .*\$jpeg.*\"status\": 400"),
    Reason("execution id", rf"{NEWER}\.headers\.execution_id: — != run-1"),
    Reason(
        "Content-Type",
        rf"{NEWER}\.headers\.content-type: application/(json|octet-stream) != —",
        given=lambda peer, own: any(r["body"] in (None, "") for r in own["requests"]),
    ),
    Reason(
        "within the limits",
        r"\..*: JPEG .* != (PNG|iVBOR)",
        "default_max_input_size|'max_width': 32|arguments_unchanged",
    ),
    Reason("one look-up", r"\.requests: \[", "^program", _same_but_for_look_ups),
    Reason("own additions", r"\.result\.\w+: — != ", "program (setting|default|initial)"),
    Reason("secrets beyond api_key", ANY, "deduct_api_key"),
    Reason("values of another type", ANY, "entity ServerInfo 1"),
    Reason("empty files", r"\.result\.raised", "loaded b''"),
    Reason("kinds of errors", r"\.error\.(type|bases)", given=_same_error),
    Reason("server's message", r"\.error\.api_message", "^async", _same_error),
    Reason("no JSON", r"\.(error|result|selected)", given=_fails("JSONDecodeError")),
    Reason(
        "no JSON",
        r"\.(error|result|selected)",
        "^async.*bm8ganNvbg==",
        lambda peer, own: own.get("error", {}).get("type") == "InvalidServerResponseError",
    ),
    Reason("agreed answers", r"\.(error|result|selected)", given=_fails("KeyError")),
    Reason("error of no object", r"\.error", r'"json": \[\]', _fails("AttributeError")),
    Reason("sam3_3d_infer", ANY, r"sam3_3d_infer.*\[\"iVBOR[^]]*\", "),
    Reason("perception encoder", r"\.result", "perception_encoder_image.*max_batch_size"),
    Reason("flat lists", r"\.result: \[\[", r"max_batch_size"),
    Reason("image is a list", r"\.(error|result|selected)", given=_fails("TypeError")),
    Reason("times of clips", r"\.times", r"\| infer_on_video"),
)

OF_1_8 = (
    Reason("as 1.8: masks", rf"{NEWER}\.query|\.result\..*\.allow_reduced", "program"),
    Reason("as 1.8: files as they are", r"\..*: JPEG .* != PNG ", r"_async.*\$(png|wide)"),
    Reason("as 1.8: masks", rf"{NEWER}\.(query|body\.allow_reduced)", r"\| infer[ _]"),
    Reason("as 1.8: source", rf"{NEWER}\.body\.(source|source_info): — != ", "configuration"),
    Reason("as 1.8: billing", rf"{NEWER}\.query: .*countinference", "count_inference"),
    Reason("as 1.8: models of answers", r"\.times"),
    Reason("as 1.8: new aliases", ANY, r"\| depth_estimation.*yolo26n"),
    Reason("as 1.8: vectors", r"\.result", "get_image_embeddings"),
    Reason(
        "as 1.8: OCR, servers' addresses, sizes",
        r"\.(result\.image|error|result|requests|selected)",
        r"pp_ocr|client_downsizing|is_stub",
    ),
    Reason("as 1.8: files as they are", rf"{NEWER}\.body.*JPEG .* != PNG ", r"^async.*\$png"),
    Reason("as 1.8: detail", r"\.error\.api_message: N/A != ", r'"detail"', _same_error),
    Reason(
        "errors of libraries",
        r"\.error",
        given=lambda peer, own: (
            "HTTPClientError" not in peer.get("error", {}).get("bases", ["HTTPClientError"])
        ),
    ),
)
"""What 1.8 does otherwise than 1.1, and this package with it."""


def explain(name: str, differences: list[str], peer: Any, own: Any, version: str) -> str | None:
    """The rows that account for all differences of a call; None where one is not explained."""
    reasons = REASONS if version >= "1.2" else (*REASONS, *OF_1_8)
    found = []
    for line in differences:
        row = next((r.row for r in reasons if r.explains(name, line, peer, own)), None)
        if row is None:
            return None
        found.append(row)
    return ", ".join(dict.fromkeys(found))
