"""Every path of the server's API, once: the client sends to them, the embedded server serves them.

Braces mark what a caller fills in.
"""

from __future__ import annotations

INFO = "/info"

MODEL_REGISTRY = "/model/registry"
MODEL_ADD = "/model/add"
MODEL_REMOVE = "/model/remove"
MODEL_CLEAR = "/model/clear"

INFER_V0 = "/{model_id}"
OBJECT_DETECTION = "/infer/object_detection"
INSTANCE_SEGMENTATION = "/infer/instance_segmentation"
SEMANTIC_SEGMENTATION = "/infer/semantic_segmentation"
CLASSIFICATION = "/infer/classification"
KEYPOINTS_DETECTION = "/infer/keypoints_detection"
ACTION_RECOGNITION = "/infer/action_recognition"
EMBEDDINGS = "/infer/embeddings"

LMM = "/infer/lmm"
LMM_BY_MODEL = "/infer/lmm/{model_id}"
DEPTH_ESTIMATION = "/infer/depth-estimation"
DEPTH_ESTIMATION_BY_MODEL = "/infer/depth-estimation/{model_id}"

OCR_ENDPOINTS = {
    "doctr": "/doctr/ocr",
    "trocr": "/ocr/trocr",
    "easy_ocr": "/easy_ocr/ocr",
    "pp_ocr": "/ocr/pp-ocr",
}
"""By the name of the OCR model."""

GAZE_DETECTION = "/gaze/gaze_detection"
CLIP_EMBED_IMAGE = "/clip/embed_image"
CLIP_EMBED_TEXT = "/clip/embed_text"
CLIP_COMPARE = "/clip/compare"
PERCEPTION_ENCODER_EMBED_IMAGE = "/perception_encoder/embed_image"
PERCEPTION_ENCODER_EMBED_TEXT = "/perception_encoder/embed_text"
SAM2_SEGMENT = "/sam2/segment_image"
SAM3_3D = "/sam3_3d/infer"
SAM3_CONCEPT_SEGMENT = "/sam3/concept_segment"
SAM3_VISUAL_SEGMENT = "/sam3/visual_segment"
SAM3_EMBED_IMAGE = "/sam3/embed_image"
YOLO_WORLD = "/yolo_world/infer"

WORKFLOW_SPECIFICATION = "/workflows/run"
WORKFLOW_BY_ID = "/{workspace_name}/workflows/{workflow_id}"
LEGACY_WORKFLOW_SPECIFICATION = "/infer/workflows"
LEGACY_WORKFLOW_BY_ID = "/infer/workflows/{workspace_name}/{workflow_id}"

PIPELINE_START = "/inference_pipelines/initialise"
PIPELINE_LIST = "/inference_pipelines/list"
PIPELINE_STATUS = "/inference_pipelines/{pipeline_id}/status"
PIPELINE_PAUSE = "/inference_pipelines/{pipeline_id}/pause"
PIPELINE_RESUME = "/inference_pipelines/{pipeline_id}/resume"
PIPELINE_TERMINATE = "/inference_pipelines/{pipeline_id}/terminate"
PIPELINE_CONSUME = "/inference_pipelines/{pipeline_id}/consume"

WEBRTC_WORKER = "/initialise_webrtc_worker"
