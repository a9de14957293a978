"""Runs one import statement, and a first call where asked for; tells what that cost."""

import sys
import time

statement, *call = sys.argv[1:]
before = len(sys.modules)
start = time.perf_counter()
exec(statement)
seconds = time.perf_counter() - start
count, modules = len(sys.modules) - before, sorted({name.partition(".")[0] for name in sys.modules})

from memory import peak_rss_mb  # noqa: E402 - the measured import comes first

rss_mb = peak_rss_mb()

import json  # noqa: E402

measured = {"ms": seconds * 1e3, "count": count, "modules": modules, "rss_mb": rss_mb}
if call:
    url, picture = call
    client = sys.modules["inference_sdk"].InferenceHTTPClient(url, "benchmark-key")
    start = time.perf_counter()
    client.select_api_v0().infer(picture, model_id="coco/3")
    measured["first_call_ms"] = (time.perf_counter() - start) * 1e3
print(json.dumps(measured))
