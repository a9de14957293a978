"""Measures huggingface_hub's clients: their nearest call, `object_detection` with a file's path."""

from __future__ import annotations

from huggingface_hub import AsyncInferenceClient, InferenceClient
from measuring import arguments, time_calls, time_calls_async


def main() -> None:
    chosen = arguments()
    paths = [str(path) for path in sorted(chosen.pictures.glob("*.jpg"))]
    endpoint = f"{chosen.url}/hugging-face"
    if chosen.scenario == "sync":
        client = InferenceClient(model=endpoint, token="benchmark-key")
        time_calls(lambda i: client.object_detection(paths[i % len(paths)]), chosen.count)
    else:
        twin = AsyncInferenceClient(model=endpoint, token="benchmark-key")
        time_calls_async(lambda i: twin.object_detection(paths[i % len(paths)]), chosen.count)


if __name__ == "__main__":
    main()
