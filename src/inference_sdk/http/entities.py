"""The values a caller and the client exchange: settings, modes, what a server says of itself.

Nothing here does I/O, and nothing knows how a request is sent; the tables that turn a setting
into the name a server knows it by are the one place where those names stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, cast
from urllib.parse import urlsplit

from inference_sdk import config
from inference_sdk.config import ALL_ROBOFLOW_API_URLS as ALL_ROBOFLOW_API_URLS
from inference_sdk.config import WORKFLOW_RUN_RETRIES_ENABLED as WORKFLOW_RUN_RETRIES_ENABLED
from inference_sdk.http.errors import (
    InvalidParameterError,
    ModelTaskTypeNotSupportedError,
)
from inference_sdk.http.from_wire import FromWire
from inference_sdk.http.withheld import KeepsSecrets, Withheld, without_password

if TYPE_CHECKING:
    import os
    from typing import BinaryIO

    import numpy as np
    from PIL import Image

    ImagesReference = Union[
        np.ndarray[Any, Any], Image.Image, str, bytes, os.PathLike[str], BinaryIO
    ]
    """A picture: a BGR or grey array, a PIL image, or text: an http(s) URL, a path or base64.

    Also the bytes of an image file, a path object, a binary file, or any object with
    `__array__` (read as an array).
    """
else:
    ImagesReference = Any

VideoReference = Union[str, "os.PathLike[str]"]
"""A clip: an http(s) URL or the path of a file."""

TaskType = str
AUTO: Literal["auto"] = "auto"
Concurrency = Union[int, Literal["auto"]]
"""How many requests at once: a number, or as many as the client finds to pay."""

Confidence = Union[float, Literal["best", "default"]]
"""A threshold of 0..1, or one of two that the server knows for the model."""

ImageFormat = Literal["jpeg", "png", "webp"]
ColorOrder = Literal["bgr", "rgb"]

CLASSIFICATION_TASK = "classification"
OBJECT_DETECTION_TASK = "object-detection"
INSTANCE_SEGMENTATION_TASK = "instance-segmentation"
KEYPOINTS_DETECTION_TASK = "keypoint-detection"
ACTION_RECOGNITION_TASK = "action-recognition"

DEFAULT_IMAGE_EXTENSIONS = ["jpg", "jpeg", "JPG", "JPEG", "png", "PNG"]
"""Files of a folder that `infer_on_stream` takes. No more than users know of: a hosted service
bills each."""

DEFAULT_MAX_INPUT_SIZE = 1024
DEFAULT_MAX_RESPONSE_SIZE = 512 * 2**20

RETRYABLE_STATUS_CODES = frozenset({429, 503, 504})
"""Too many requests, and the two ways a gateway says that its server is not there just now."""


def is_hosted_api_url(api_url: str) -> bool:
    """Whether the address is one of Roboflow's hosted services.

    Scheme and host count, not the text: `https://detect.roboflow.com.example.net` is not one.
    """
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.hostname}" in config.ALL_ROBOFLOW_API_URLS


class HTTPClientMode(str, Enum):
    """Which of the two APIs the client speaks."""

    V0 = "v0"
    V1 = "v1"

    @classmethod
    def from_url(cls, api_url: str) -> HTTPClientMode:
        return cls.V0 if is_hosted_api_url(api_url) else cls.V1

    @classmethod
    def from_urls(cls, api_urls: Iterable[str]) -> HTTPClientMode:
        """The one mode of all these servers.

        Raises:
            InvalidParameterError: they speak different ones.
        """
        modes = {cls.from_url(api_url) for api_url in api_urls}
        if len(modes) == 1:
            return modes.pop()
        raise InvalidParameterError(
            "api_url names servers of Roboflow's hosted API (v0) and others (v1). One client speaks "
            "one API: make a client for each."
        )


class RequestMethod(Enum):
    """HTTP method of a request, as `requests` and aiohttp name it."""

    GET = "get"
    POST = "post"


class VisualisationResponseFormat(str, Enum):
    """What becomes of pictures in an answer."""

    BASE64 = "base64"
    """Text, as the server sent it."""
    NUMPY = "numpy"
    """uint8 array of shape (H, W, 3) in BGR order, or (H, W) where it is grey."""
    PILLOW = "pillow"
    """`PIL.Image.Image` in RGB."""


class ApiKeyTransport(str, Enum):
    """How the key travels."""

    LEGACY = "legacy"
    """In the JSON body (v1) or the query (v0)."""
    BOTH = "both"
    """As LEGACY, and in the header `Authorization: Bearer`."""
    HEADER = "header"
    """Only in the header: no URL and no body holds it."""

    @classmethod
    def parse(cls, value: Optional[str]) -> ApiKeyTransport:
        """Read a setting; None is the default, LEGACY.

        Raises:
            InvalidParameterError: there is no such transport.
        """
        try:
            return cls.LEGACY if value is None else cls(value)
        except ValueError:
            choices = ", ".join(repr(transport.value) for transport in cls)
            raise InvalidParameterError(
                f"api_key_transport is {value!r}, but must be one of {choices}."
            ) from None


@dataclass(frozen=True)
class ServerInfo(FromWire):
    """What a server says of itself."""

    name: str
    version: str
    uuid: str


@dataclass(frozen=True)
class PingResult:
    """What came of `InferenceHTTPClient.ping`.

    Attributes:
        api_url: of the server that was asked, without secrets.
        reached: whether it answered at all.
        latency: seconds from asking to its answer, opening the connection included where none
            was kept; None where it was not reached.
        server: what it says that it is; None where it does not say.
        key_accepted: whether it served a request with this client's key (one that asks for no key
            serves any); False also where it wants a key and there is none; None where that is
            not known: without a key, and with API v0, which has no call to tell.
        problem: one sentence, without secrets; None where all is well.
    """

    api_url: str
    reached: bool
    latency: Optional[float] = None
    server: Optional[ServerInfo] = None
    key_accepted: Optional[bool] = None
    problem: Optional[str] = None

    @property
    def ok(self) -> bool:
        """Whether calls can be made: the server was reached, and nothing was wrong."""
        return self.problem is None

    @property
    def version(self) -> Optional[str]:
        """Version of the server; None where it does not say."""
        return None if self.server is None else self.server.version


@dataclass(frozen=True)
class ModelDescription(FromWire):
    """A model that a server has loaded. Heights and widths are pixels of the model's input."""

    model_id: str
    task_type: TaskType
    batch_size: Optional[Union[int, str]] = None
    input_height: Optional[int] = None
    input_width: Optional[int] = None


@dataclass(frozen=True)
class RegisteredModels(FromWire):
    """The models that a server has loaded."""

    models: list[ModelDescription]

    @classmethod
    def from_dict(cls, kvs: Mapping[str, Any], *, infer_missing: bool = False) -> RegisteredModels:
        models: Any = super().from_dict(kvs, infer_missing=infer_missing).models
        if models is None and infer_missing:
            return cls(models=cast(Any, None))  # as dataclasses-json does
        described = [
            ModelDescription.from_dict(model, infer_missing=infer_missing) for model in models
        ]
        return cls(models=described)


Naming = list[tuple[str, str]]
"""Pairs of a setting's name here and its name on the wire."""

_SOURCE: Naming = [("source", "source"), ("source_info", "source_info")]
SOURCE_INFO = "source_info"
_ACTIVE_LEARNING: Naming = [
    ("disable_active_learning", "disable_active_learning"),
    ("active_learning_target_dataset", "active_learning_target_dataset"),
]
_BILLING: Naming = [("count_inference", "countinference"), ("service_secret", "service_secret")]
_PREPROCESSING: Naming = [
    ("disable_preproc_auto_orientation", "disable_preproc_auto_orient"),
    ("disable_preproc_contrast", "disable_preproc_contrast"),
    ("disable_preproc_grayscale", "disable_preproc_grayscale"),
    ("disable_preproc_static_crop", "disable_preproc_static_crop"),
]
_MASK: Naming = [
    ("mask_decode_mode", "mask_decode_mode"),
    ("tradeoff_factor", "tradeoff_factor"),
    ("response_mask_format", "response_mask_format"),
    ("allow_reduced_mask_resolution", "allow_reduced_mask_resolution"),
]
_DETECTION: Naming = [
    *_PREPROCESSING,
    ("class_agnostic_nms", "class_agnostic_nms"),
    ("class_filter", "class_filter"),
    ("confidence_threshold", "confidence"),
    ("fix_batch_size", "fix_batch_size"),
    ("iou_threshold", "iou_threshold"),
    ("max_detections", "max_detections"),
    ("max_candidates", "max_candidates"),
    ("visualize_labels", "visualization_labels"),
    ("stroke_width", "visualization_stroke_width"),
    ("visualize_predictions", "visualize_predictions"),
    *_ACTIVE_LEARNING,
]
_KEYPOINTS: Naming = [*_DETECTION, ("keypoint_confidence_threshold", "keypoint_confidence")]
_SEGMENTATION: Naming = [*_DETECTION, *_MASK]
_CLASSIFICATION: Naming = [
    *_PREPROCESSING,
    ("confidence_threshold", "confidence"),
    ("visualize_predictions", "visualize_predictions"),
    ("stroke_width", "visualization_stroke_width"),
    ("include_anomaly_map", "include_anomaly_map"),
    *_ACTIVE_LEARNING,
]
_LEGACY: Naming = [
    ("confidence_threshold", "confidence"),
    ("keypoint_confidence_threshold", "keypoint_confidence"),
    ("format", "format"),
    ("visualize_labels", "labels"),
    *_MASK,
    ("include_anomaly_map", "include_anomaly_map"),
    ("max_detections", "max_detections"),
    ("iou_threshold", "overlap"),
    ("stroke_width", "stroke"),
    *_PREPROCESSING,
    *_ACTIVE_LEARNING,
]
_OF_TASKS = {
    OBJECT_DETECTION_TASK: _DETECTION,
    KEYPOINTS_DETECTION_TASK: _KEYPOINTS,
    INSTANCE_SEGMENTATION_TASK: _SEGMENTATION,
    CLASSIFICATION_TASK: _CLASSIFICATION,
}
SETTINGS_OF_MODELS = frozenset(
    own for naming in (*_OF_TASKS.values(), _LEGACY) for own, _ in naming
)
"""Fields of `InferenceConfiguration` that say what a model has to do."""


def settings_of_task(mode: HTTPClientMode, task_type: TaskType) -> frozenset[str]:
    """Those of them that travel to a model of this task."""
    naming = _LEGACY if mode is HTTPClientMode.V0 else _OF_TASKS.get(task_type, [])
    return frozenset(own for own, _ in naming)


@dataclass(frozen=True)
class InferenceConfiguration(KeepsSecrets):
    """How a client calls. Frozen: `dataclasses.replace` makes a changed copy.

    A pickle holds neither `service_secret` nor a password in `proxy`: a client that was pickled
    wants them again. None leaves a setting to the server. The groups below are: what the model does, what
    comes back, what is sent, and how the connection behaves.

    Attributes:
        confidence_threshold: detections below it are left out; 0..1, "best" or "default".
        iou_threshold: overlap (0..1) above which two boxes are one object.
        class_filter: names of the classes to keep.
        output_visualisation_format: what becomes of pictures in an answer.
        client_downsizing_disabled: False scales images down to the model's input before
            they are sent (`infer` only); answers are scaled back.
        default_max_input_size: pixels of either side where the model's input is not known.
        max_concurrent_requests: requests in flight at once, 1 or more; "auto" finds out how
            many pay, from how long they take and what the server refuses.
        max_batch_size: images in one request, where the call takes several.
        api_key_transport: "legacy" (default), "both" or "header"; see `ApiKeyTransport`.
        image_encoding: "jpeg", "png" (lossless) or "webp" for arrays and PIL images; files,
            URLs and base64 travel as they are.
        image_quality: 1..100, for jpeg and webp.
        image_max_value: the value that is white in arrays that are not uint8, where it is not the
            dtype's own: 4095 for uint16 arrays of 12 bits, which else come out nearly black.
        color_order: of the channels of arrays that are given to calls, and of the frames that
            `infer_on_stream` gives: "bgr" as OpenCV, or "rgb" as most others.
        connect_timeout: seconds until a connection must stand; None waits for ever.
        read_timeout: seconds of silence that end a request, and in which an answer's head must
            be there; so does a body that drips for ten times as long. None waits for ever.
        total_timeout: seconds that a call may take in all, tries and pauses included; of
            `infer_many`, each input. None (default) sets no limit; what is only looked up, such
            as the models of a server, has two minutes at most.
        idle_timeout: seconds after which an idle connection is not used again; None uses it as
            long as it stands.
        max_response_size: bytes that an answer may have, unpacked; None sets no limit.
        model_description_ttl: seconds for which the client remembers what a model does, in place
            of asking the server before each `infer` of v1; 0 asks each time.
        max_tries: how often a request is tried (`retry_statuses` and failed connections).
        retry_statuses: of answers that are tried again; 408, 500 and 502 may be added.
        retry_backoff: seconds before the second try, at most; doubles with each further one.
        retry_after_limit: seconds of a server's `Retry-After` that are honoured at most.
        retry_budget: retries that the client and its copies have in all, until answers give some
            back, a tenth each; None sets no limit. Retries that `Retry-After` asks for cost none.
        on_stream_error: what `infer_on_stream` does about a frame that cannot be read or fails:
            "raise" ends with its error, "return" gives the error as its result and goes on.
        proxy: URL of a proxy; None takes the environment's (`HTTPS_PROXY`, `NO_PROXY`), but
            for this machine itself; "" uses none.
        verify: False skips TLS verification; a path names a CA bundle; True takes the
            environment's (`REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`, `SSL_CERT_FILE`,
            `SSL_CERT_DIR`, the first that is set), else the system's and certifi's.
        client_certificate: path of a client certificate, or (certificate, key).
    """

    confidence_threshold: Optional[Confidence] = None
    keypoint_confidence_threshold: Optional[float] = None
    format: Optional[str] = None
    mask_decode_mode: Optional[str] = None
    tradeoff_factor: Optional[float] = None
    max_candidates: Optional[int] = None
    max_detections: Optional[int] = None
    iou_threshold: Optional[float] = None
    stroke_width: Optional[int] = None
    count_inference: Optional[bool] = None
    service_secret: Optional[str] = field(default=None, repr=False)
    disable_preproc_auto_orientation: Optional[bool] = None
    disable_preproc_contrast: Optional[bool] = None
    disable_preproc_grayscale: Optional[bool] = None
    disable_preproc_static_crop: Optional[bool] = None
    class_agnostic_nms: Optional[bool] = None
    class_filter: Optional[list[str]] = None
    fix_batch_size: Optional[bool] = None
    visualize_predictions: bool = False
    visualize_labels: Optional[bool] = None
    output_visualisation_format: VisualisationResponseFormat = VisualisationResponseFormat.BASE64
    image_extensions_for_directory_scan: Optional[list[str]] = field(
        default_factory=lambda: list(DEFAULT_IMAGE_EXTENSIONS)
    )
    client_downsizing_disabled: bool = True
    default_max_input_size: int = DEFAULT_MAX_INPUT_SIZE
    disable_active_learning: bool = False
    active_learning_target_dataset: Optional[str] = None
    max_concurrent_requests: Concurrency = 1
    max_batch_size: int = 1
    source: Optional[str] = None
    source_info: Optional[str] = None
    profiling_directory: str = "./inference_profiling"
    workflow_run_retries_enabled: bool = field(
        default_factory=lambda: config.WORKFLOW_RUN_RETRIES_ENABLED
    )
    include_anomaly_map: Optional[bool] = None
    response_mask_format: Optional[Literal["polygon", "rle"]] = None
    api_key_transport: Optional[Union[str, ApiKeyTransport]] = None
    allow_reduced_mask_resolution: bool = False
    image_encoding: ImageFormat = "jpeg"
    image_quality: int = 95
    image_max_value: Optional[float] = None
    color_order: ColorOrder = "bgr"
    connect_timeout: Optional[float] = 10.0
    read_timeout: Optional[float] = 120.0
    total_timeout: Optional[float] = None
    idle_timeout: Optional[float] = 55.0
    max_response_size: Optional[int] = DEFAULT_MAX_RESPONSE_SIZE
    model_description_ttl: float = 300.0
    max_tries: int = 3
    retry_statuses: Collection[int] = RETRYABLE_STATUS_CODES
    retry_backoff: float = 0.5
    retry_after_limit: float = 30.0
    retry_budget: Optional[int] = 100
    on_stream_error: Literal["raise", "return"] = "raise"
    proxy: Optional[str] = field(default=None, repr=False)
    verify: Union[bool, str] = True
    client_certificate: Optional[Union[str, tuple[str, str]]] = None

    def __post_init__(self) -> None:
        ApiKeyTransport.parse(self.api_key_transport)
        _require_choice("confidence_threshold", self.confidence_threshold, ("best", "default"))
        _require_choice("response_mask_format", self.response_mask_format, ("polygon", "rle"))
        _require_choice("image_encoding", self.image_encoding, ("jpeg", "png", "webp"))
        _require_choice("on_stream_error", self.on_stream_error, ("raise", "return"))
        _require_choice("color_order", self.color_order, ("bgr", "rgb"))
        _require_choice("max_concurrent_requests", self.max_concurrent_requests, (AUTO,))
        if not 1 <= self.image_quality <= 100:
            raise InvalidParameterError(f"image_quality is {self.image_quality}, not 1..100.")
        for name in (
            "image_max_value",
            "connect_timeout",
            "read_timeout",
            "total_timeout",
            "max_response_size",
            "max_tries",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidParameterError(f"{name} is {value}, but must be above 0.")
        for name in (
            "retry_backoff",
            "retry_after_limit",
            "retry_budget",
            "idle_timeout",
            "model_description_ttl",
        ):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InvalidParameterError(f"{name} is {value}, but must not be below 0.")
        object.__setattr__(self, "retry_statuses", _error_statuses(self.retry_statuses))

    def _withheld(self) -> dict[str, Withheld | None]:
        return {
            "service_secret": None if self.service_secret is None else Withheld(),
            "proxy": without_password(self.proxy),
        }

    @classmethod
    def init_default(cls) -> InferenceConfiguration:
        return cls()

    def to_api_call_parameters(
        self, client_mode: HTTPClientMode, task_type: TaskType
    ) -> dict[str, Any]:
        """Parameters of `infer` for a mode and a task, under the names the server knows.

        Raises:
            ModelTaskTypeNotSupportedError: v1 has no parameters for this task.
        """
        if client_mode is HTTPClientMode.V0:
            return self.to_legacy_call_parameters()
        collect = {
            OBJECT_DETECTION_TASK: self.to_object_detection_parameters,
            KEYPOINTS_DETECTION_TASK: self.to_keypoints_detection_parameters,
            INSTANCE_SEGMENTATION_TASK: self.to_instance_segmentation_parameters,
            CLASSIFICATION_TASK: self.to_classification_parameters,
        }.get(task_type)
        if collect is None:
            raise ModelTaskTypeNotSupportedError(
                f"There are no parameters for models of type {task_type!r} in API {client_mode.value}."
            )
        return collect()

    def to_object_detection_parameters(self) -> dict[str, Any]:
        return self._with_source(_DETECTION)

    def to_keypoints_detection_parameters(self) -> dict[str, Any]:
        return self._with_source(_KEYPOINTS)

    def to_instance_segmentation_parameters(self) -> dict[str, Any]:
        return self._with_source(_SEGMENTATION)

    def to_classification_parameters(self) -> dict[str, Any]:
        return self._with_source(_CLASSIFICATION)

    def to_legacy_call_parameters(self) -> dict[str, Any]:
        return {
            **get_non_empty_attributes(self, _LEGACY),
            **(self.to_billing_query_parameters() or {}),
            **self.to_source_parameters(include_origin=True),
        }

    def to_preprocessing_parameters(self) -> dict[str, Any]:
        return get_non_empty_attributes(self, _PREPROCESSING)

    def to_source_parameters(self, *, include_origin: bool = False) -> dict[str, str]:
        """Where the images come from: as configured, and as `config.usage_source_tags` says.

        Args:
            include_origin: add `source_info_origin`, where the context gave the `source_info`.
        """
        tags = config.usage_source_tags.get()
        from_context = include_origin and SOURCE_INFO in tags
        origin = {"source_info_origin": "context"} if from_context else {}
        return {**get_non_empty_attributes(self, _SOURCE), **tags, **origin}

    def to_billing_query_parameters(self) -> Optional[dict[str, Any]]:
        """`countinference` and `service_secret`, None when neither is set.

        The secret of `config.outbound_service_secret` comes before the configuration's.
        """
        secret = config.outbound_service_secret.get()
        if secret:
            return {"service_secret": secret, "countinference": False}
        return get_non_empty_attributes(self, _BILLING) or None

    def to_api_v1_query_parameters(self) -> Optional[dict[str, Any]]:
        """What a v1 request to a model carries in its query, None for nothing."""
        return self.to_billing_query_parameters()

    def _with_source(self, naming: Naming) -> dict[str, Any]:
        return {**get_non_empty_attributes(self, naming), **self.to_source_parameters()}


def _error_statuses(statuses: Any) -> frozenset[int]:
    try:
        frozen = frozenset(statuses)
    except TypeError:
        frozen = frozenset({None})
    if all(isinstance(status, int) and 400 <= status <= 599 for status in frozen):
        return frozen
    raise InvalidParameterError(
        f"retry_statuses is {statuses!r}, but must be a collection of statuses from 400 to 599, "
        "such as {429, 503}."
    )


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if isinstance(value, str) and value not in choices:
        raise InvalidParameterError(
            f"{name} is {value!r}, but the words it knows are {', '.join(map(repr, choices))}."
        )


def get_non_empty_attributes(source_object: object, specification: Naming) -> dict[str, Any]:
    """Attributes that are not None, under their external names.

    Args:
        specification: pairs (attribute, external name).
    """
    values = ((external, getattr(source_object, own)) for own, external in specification)
    return {external: value for external, value in values if value is not None}
