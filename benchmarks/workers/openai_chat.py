"""Measures openai-python: its nearest call, a chat completion with a picture as a data URL."""

from __future__ import annotations

import base64
from typing import Any

from measuring import arguments, time_calls, time_calls_async
from openai import AsyncOpenAI, OpenAI


def request(path: str) -> dict[str, Any]:
    """As its documentation does it: the caller reads the file and encodes it."""
    with open(path, "rb") as file:
        text = base64.b64encode(file.read()).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{text}"}}
    return {"model": "vision", "messages": [{"role": "user", "content": [picture]}]}


def main() -> None:
    chosen = arguments()
    paths = [str(path) for path in sorted(chosen.pictures.glob("*.jpg"))]
    options = {"base_url": f"{chosen.url}/openai", "api_key": "benchmark-key"}
    if chosen.scenario == "sync":
        create = OpenAI(**options).chat.completions.create
        time_calls(lambda i: create(**request(paths[i % len(paths)])), chosen.count)
    else:
        create_async = AsyncOpenAI(**options).chat.completions.create
        time_calls_async(lambda i: create_async(**request(paths[i % len(paths)])), chosen.count)


if __name__ == "__main__":
    main()
