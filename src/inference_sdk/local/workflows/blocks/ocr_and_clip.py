"""Models that read and compare: OCR and CLIP, where the server's store has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Union

import numpy as np

from inference_sdk.local.faults import UnknownModelError
from inference_sdk.local.models import InferenceParameters
from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import WorkflowImage
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.wire import detections_from_wire

Version = Annotated[
    Literal[
        "RN101",
        "RN50",
        "RN50x16",
        "RN50x4",
        "RN50x64",
        "ViT-B-16",
        "ViT-B-32",
        "ViT-L-14-336px",
        "ViT-L-14",
    ],
    takes(k.STRING),
]


class StoreModel(Block):
    """A block that asks a model of the server's store under an id of its own."""

    WAITS = True

    def answer(self, model_id: str, image: WorkflowImage, **further: Any) -> dict[str, Any]:
        """What the model says of a picture.

        Raises:
            UnknownModelError: the store has none; says which block wants it, and the way on.
        """
        try:
            model = self.services.models.get(model_id)
        except UnknownModelError as error:
            raise UnknownModelError(
                f"{self.TYPES[0]} needs the model '{model_id}', which is not here: register one "
                "under this id with ModelStore.register, or point the client at Roboflow's server, "
                "where it runs."
            ) from error
        parameters = InferenceParameters.from_wire(further)
        return dict(model.infer(image.bgr, parameters))

    def asks(self) -> Sequence[Any]:
        """The CLIP of a version, which may come in as a parameter."""
        version = getattr(self, "version", None)
        return [version if isinstance(version, Selector) else f"clip/{version}"]


class OCR(StoreModel):
    """Text of a picture (DocTR)."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/ocr_model@v1", "OCRModel")
    OUTPUTS = {
        "result": (k.STRING,),
        "predictions": (k.DETECTIONS,),
        "parent_id": (k.PARENT_ID,),
        "root_parent_id": (k.PARENT_ID,),
        "prediction_type": (k.PREDICTION_TYPE,),
    }

    images: Image

    @property
    def model(self) -> str:
        """Id of the model in the store."""
        return "doctr/default"

    def asks(self) -> Sequence[Any]:
        return [self.model]

    def run(self) -> Outputs:
        answer = self.answer(self.model, self.images)
        found = answer.get("predictions")
        wired = {"image": {"width": None, "height": None}, "predictions": [], **answer}
        return {
            "result": answer.get("result", ""),
            "predictions": detections_from_wire(wired, self.images.name, image=self.images)
            if found
            else Detections.of([], classes=[], image=self.images),
            **_parents(self.images),
            "prediction_type": "ocr",
        }


def _parents(image: WorkflowImage) -> dict[str, str]:
    root = image.lineage.root
    return {"parent_id": image.name, "root_parent_id": root.name if root else image.name}


class EasyOCR(OCR):
    """Text and boxes (EasyOCR)."""

    TYPES = ("roboflow_core/easy_ocr@v1", "EasyOCR")

    language: Literal[
        "English", "Japanese", "Kannada", "Korean", "Latin", "Telugu", "Simplified Chinese"
    ] = "English"
    quantize: bool = False

    @property
    def model(self) -> str:
        codes = {
            "English": "english_g2",
            "Japanese": "japanese_g2",
            "Kannada": "kannada_g2",
            "Korean": "korean_g2",
            "Latin": "latin_g2",
            "Telugu": "telugu_g2",
            "Simplified Chinese": "zh_sim_g2",
        }
        return f"easy_ocr/{codes[self.language]}"


Size = Literal["none", "tiny", "small", "medium"]


class PPOCR(OCR):
    """Text and boxes (PaddleOCR's models)."""

    TYPES = ("roboflow_core/pp_ocr@v1",)

    text_detection: Size = "small"
    text_recognition: Size = "small"

    @property
    def model(self) -> str:
        return f"pp_ocr/{self.text_detection}-{self.text_recognition}"


class Clip(StoreModel):
    """Embedding of a picture or text."""

    TYPES = ("roboflow_core/clip@v1",)
    OUTPUTS = {"embedding": (k.EMBEDDING,)}

    data: Annotated[Union[str, WorkflowImage], takes(k.IMAGE, k.STRING)]
    version: Version = "ViT-B-32"

    def run(self) -> Outputs:
        blank = WorkflowImage(np.zeros((1, 1, 3), np.uint8))
        image, text = (blank, self.data) if isinstance(self.data, str) else (self.data, None)
        answer = self.answer(f"clip/{self.version}", image, **({"text": text} if text else {}))
        return {"embedding": list(np.ravel(answer["embeddings"]))}


class ClipComparisonV2(StoreModel):
    """How like the picture is to each text."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/clip_comparison@v2",)
    OUTPUTS = {
        "similarities": (k.LIST,),
        "max_similarity": (k.FRACTION,),
        "most_similar_class": (k.STRING,),
        "min_similarity": (k.FRACTION,),
        "least_similar_class": (k.STRING,),
        "classification_predictions": (k.CLASSIFICATION,),
        "parent_id": (k.PARENT_ID,),
        "root_parent_id": (k.PARENT_ID,),
    }

    images: Image
    classes: Annotated[list[str], takes(k.LIST)]
    version: Version = "ViT-B-16"

    def run(self) -> Outputs:
        answer = self.answer(f"clip/{self.version}", self.images, prompt=self.classes)
        scores = [float(value) for value in np.ravel(answer["similarity"])]
        best, worst = int(np.argmax(scores)), int(np.argmin(scores))
        parents = _parents(self.images)
        return {
            "similarities": scores,
            "max_similarity": scores[best],
            "most_similar_class": self.classes[best],
            "min_similarity": scores[worst],
            "least_similar_class": self.classes[worst],
            "classification_predictions": {
                "image": {"width": self.images.width, "height": self.images.height},
                "predictions": [
                    {"class": name, "class_id": number, "confidence": score}
                    for number, (name, score) in enumerate(zip(self.classes, scores, strict=True))
                ],
                "top": self.classes[best],
                "confidence": scores[best],
                "prediction_type": "classification",
                **parents,
            },
            **parents,
        }


class ClipComparison(StoreModel):
    """How like the picture is to each text."""

    TYPES = ("roboflow_core/clip_comparison@v1", "ClipComparison")
    OUTPUTS = {
        "similarity": (k.LIST,),
        "parent_id": (k.PARENT_ID,),
        "root_parent_id": (k.PARENT_ID,),
        "prediction_type": (k.PREDICTION_TYPE,),
    }

    images: Image
    texts: Annotated[list[str], takes(k.LIST)]

    def run(self) -> Outputs:
        answer = self.answer("clip/ViT-B-16", self.images, prompt=self.texts)
        return {
            "similarity": [float(value) for value in np.ravel(answer["similarity"])],
            **_parents(self.images),
            "prediction_type": "embeddings-comparison",
        }
