"""Keeping secrets out of every text that leaves the package: messages, attributes, logs, warnings.

One function does it, `mask`. It finds secrets in two ways. By name: `api_key=…`, the signature of a
signed URL, user and password before an `@`. And by value: what was handed to `remember`, wherever
it stands and however a server or a library writes it: as it is, in other case, percent-encoded,
escaped as in JSON, Python or HTML, or in base64.

Knows nothing of HTTP. Nothing happens at import.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

HIDDEN = "***"

SHORTEST_HINTED = 8
"""Below this, two characters at both ends would be half of the secret."""

_SHORTEST_REMEMBERED = 6
"""Shorter ones are part of many a word; they are masked where a name says what they are."""

_MOST_REMEMBERED = 1024
"""Of a program with a client for each of its users, those that were used last."""

_NAMES = (
    r"api_key|service_secret|api-key|x-amz-(?:signature|security-token|credential)"
    r"|x-goog-(?:signature|credential)|\b(?:sig|signature|access_?token|token|password|passwd"
    r"|client_secret|credential|awsaccesskeyid|key-pair-id|policy)"
)
_ASSIGNMENT = r"""(?:=|%3D|["']\s*:\s*["'])"""

# A value ends where the next parameter, a space or a quote begins. What only *may* end one,
# such as a bracket, counts as part of it: better a bracket lost than a key shown.
_NAMED = re.compile(rf"""({_NAMES})({_ASSIGNMENT})([^&\s"'`]+)""", re.IGNORECASE)
_SECRET_NAME = re.compile(rf"(?:.*_)?(?:{_NAMES})", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_MASKED = re.compile(r"(?:..)?\*\*\*(?:..)?", re.DOTALL)


def mask(text: str) -> str:
    """The text without secrets: those that a name gives away, and all that are remembered.

    Example:
        >>> mask("GET http://me:pass@host/info?api_key=0123456789&v=1")
        'GET http://host/info?api_key=01***89&v=1'
    """
    named = _NAMED.sub(lambda found: found[1] + found[2] + mask_secret(found[3]), text)
    return mask_remembered(_USER.sub("", named))


def mask_secret(value: str) -> str:
    """`***` below 8 characters, else the first two, `***` and the last two."""
    if _MASKED.fullmatch(value):
        return value
    if len(value) < SHORTEST_HINTED:
        return HIDDEN
    return f"{value[:2]}{HIDDEN}{value[-2:]}"


# -- known by value ----------------------------------------------------------------------------

_remembered: dict[str, str] = {}
"""Secrets, and what stands in the place of each; the last used is the last."""
_remembering = threading.Lock()
_known_here: ContextVar[tuple[str, ...]] = ContextVar("inference_sdk_known_here", default=())


def remember(*secrets: str | None, hint: bool = False) -> None:
    """Mask these wherever they turn up from now on.

    Args:
        secrets: None and very short texts are passed over.
        hint: whether the mask shows the ends of it, as for API keys.
    """
    with _remembering:
        for secret in secrets:
            if secret is None or len(secret) < _SHORTEST_REMEMBERED:
                continue
            _remembered.pop(secret, None)
            _remembered[secret] = mask_secret(secret) if hint else HIDDEN
        while len(_remembered) > _MOST_REMEMBERED:
            del _remembered[next(iter(_remembered))]


def remember_url(url: str | None) -> None:
    """Mask what is secret in a URL: user and password, signatures and keys in its query."""
    try:
        parts = urlsplit(url or "")
        remember(*_user_of(parts), *_secrets_in_query(parts.query))
    except ValueError:
        pass  # malformed: whoever wants to use it says so, without showing it


@contextmanager
def knowing(url: str) -> Generator[None, None, None]:
    """Within: mask what is secret in a URL, as if it were remembered. For those of pictures, which
    may be many: remembered, they would push out the keys.
    """
    token = _known_here.set((*_known_here.get(), *_secrets_of(url)))
    try:
        yield
    finally:
        _known_here.reset(token)


def _secrets_of(url: str) -> list[str]:
    if "@" not in url and "?" not in url:
        return []
    try:
        parts = urlsplit(url)
        found = {*_user_of(parts), *_secrets_in_query(parts.query)}
    except ValueError:
        return []
    return [secret for secret in found if secret and len(secret) >= _SHORTEST_REMEMBERED]


def _user_of(parts: SplitResult) -> list[str | None]:
    if "@" not in parts.netloc:
        return []
    user = parts.netloc.rpartition("@")[0]
    # A user name alone is often a token; beside a password it is no secret.
    return [user, unquote(user), parts.password, unquote(parts.password or "")]


def _secrets_in_query(query: str) -> Iterator[str]:
    """As they mean, and as they are written: whoever repeats one in base64 may take either."""
    for parameter in query.split("&"):
        for name, value in parse_qsl(parameter):
            if _SECRET_NAME.fullmatch(name):
                yield value
                yield parameter.partition("=")[2]


def mask_remembered(text: str) -> str:
    """The text without the secrets that are remembered; the rest of it as it is."""
    with _remembering:
        known = list(_remembered.items())
    known += [(secret, HIDDEN) for secret in _known_here.get()]
    for secret, shown in sorted(known, key=lambda item: -len(item[0])):  # parts after the whole
        text = _forms(secret).sub(shown.replace("\\", r"\\"), text)
    return text


@lru_cache(maxsize=_MOST_REMEMBERED)
def _forms(secret: str) -> re.Pattern[str]:
    """All the ways in which a secret is written."""
    written = "".join(map(_character, secret))
    if len(secret) < SHORTEST_HINTED:
        return re.compile(rf"(?<!\w){written}(?!\w)", re.IGNORECASE)
    encoded = "|".join(_base64_forms(secret.encode("utf-8", "surrogatepass")))
    return re.compile(f"{written}|(?-i:{encoded})", re.IGNORECASE)


def _character(character: str) -> str:
    """One character, as it is or escaped, once or several times."""
    code, encoded = ord(character), character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    ways = [
        rf"\\*{re.escape(character)}",
        "".join(f"%(?:25)*{byte:02x}" for byte in encoded),
        "".join(rf"\\+u{units[i : i + 4]}" for i in range(0, len(units), 4)),
        rf"&(?:amp;)*#(?:0*{code}|x0*{code:x});",
    ]
    if code < 256:
        ways.append(rf"\\+x{code:02x}")
    if not character.isascii():
        ways.append(re.escape(encoded.decode("latin-1")))  # as headers are read
    ways += {" ": [r"\+"], '"': ["&quot;"], "&": ["&amp;"], "<": ["&lt;"], ">": ["&gt;"]}.get(
        character, []
    )
    return f"(?:{'|'.join(ways)})"


def _base64_forms(secret: bytes) -> Iterator[str]:
    """The part of its base64 that is the same whatever stands before and behind it."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret).decode()
        own = encoded[-(-8 * before // 6) : 8 * (before + len(secret)) // 6]
        # Two alphabets, and what becomes of their last letters in URLs and in JSON.
        yield "".join(
            {"+": r"(?:\+|-|%2[Bb])", "/": r"(?:\\?/|_|%2[Ff])"}.get(letter, letter)
            for letter in own
        )


# -- logs --------------------------------------------------------------------------------------


class _OwnRecords(logging.Filter):
    """Masks the records of a logger; it drops none."""

    _mask = staticmethod(mask)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit: logging reports them itself
            return True
        masked = self._mask(said)
        if masked != said:
            record.msg, record.args = masked, None
        if record.exc_info and record.exc_info[1] is not None:
            self._mask_error(record, record.exc_info[1])
        return True

    def _mask_error(self, record: logging.LogRecord, error: BaseException) -> None:
        told = "".join(traceback.format_exception(error)).rstrip("\n")
        masked = self._mask(told)
        if masked != told:
            record.exc_info, record.exc_text = None, masked


class _LibraryRecords(_OwnRecords):
    """Masks what is known to be a secret of ours, and leaves alone what merely looks like one."""

    _mask = staticmethod(mask_remembered)


_OWN, _LIBRARIES = _OwnRecords(), _LibraryRecords()


def guard_logger(logger: logging.Logger) -> None:
    """Mask the records of a logger of the package."""
    logger.addFilter(_OWN)  # once, however often it is added


def guard_library_logs(libraries: Iterable[str]) -> None:
    """Mask our secrets in what libraries log, such as an address or a header that is malformed.

    For whoever is about to drive them, once they are imported. Records without a secret of ours
    pass untouched, whoever made them.
    """
    prefixes = tuple(f"{library}." for library in libraries)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if f"{name}.".startswith(prefixes) and isinstance(logger, logging.Logger):
            logger.addFilter(_LIBRARIES)
