"""What the cores can encode: arrays of 1080p to JPEG by Pillow, in as many threads, nothing sent."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import numpy as np
from measuring import arguments, time_calls
from PIL import Image


def main() -> None:
    chosen = arguments()
    array = np.load(chosen.pictures / "picture.npy")
    height, width = array.shape[:2]

    def encode(_: int) -> None:
        picture = Image.frombuffer("RGB", (width, height), array, "raw", "BGR", 0, 1)
        picture.save(BytesIO(), "JPEG", quality=95)

    def call(_: int) -> Any:
        return list(threads.map(encode, range(chosen.count)))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        time_calls(call, 1, warm_up=encode)


if __name__ == "__main__":
    main()
