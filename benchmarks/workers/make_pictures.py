"""Makes the pictures: one 1080p JPEG of some 840 kB, the same on every machine, by many names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SOURCE = Path(__file__).parents[2] / "examples" / "coffee.jpg"
SIZE = 1920, 1080
SMALL = 320, 180
NOISE = 4.0
"""Standard deviation, in grey levels: as much as makes a JPEG as large as a camera's."""


def main(folder: Path, count: int) -> None:
    smooth = Image.open(SOURCE).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, NOISE, (SIZE[1], SIZE[0], 1))
    picture = (np.asarray(smooth) + noise).clip(0, 255).astype(np.uint8)
    first = folder / f"{0:05}.jpg"
    Image.fromarray(picture).save(first, "JPEG", quality=95)
    small = folder / "small" / first.name
    small.parent.mkdir()
    Image.fromarray(picture).resize(SMALL).save(small, "JPEG", quality=80)
    for number in range(1, count):
        for file in (first, small):
            os.link(file, file.parent / f"{number:05}.jpg")
    np.save(folder / "picture.npy", np.ascontiguousarray(picture[..., ::-1]))  # BGR
    print(first.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
