"""A bare `http.client` on a kept connection: a body that is ready is sent, its answer read.

Scenarios: "-", one call after the other; "32", all by 32 threads, each with its connection.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from measuring import arguments, time_calls

THREADS = 32


def main() -> None:
    chosen = arguments()
    picture = min(chosen.pictures.glob("*.jpg")).read_bytes()
    image = {"type": "base64", "value": b64encode(picture).decode()}
    request = {"api_key": "benchmark-key", "model_id": "coco/3", "image": image}
    body = json.dumps(request).encode()
    address = urlsplit(chosen.url)
    where = address.hostname or "", address.port
    is_secure = address.scheme == "https"
    trusted = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]) if is_secure else None

    def caller() -> Callable[[int], None]:
        connection = http.client.HTTPConnection(*where)
        if trusted is not None:
            connection = http.client.HTTPSConnection(*where, context=trusted)

        def call(_: int) -> None:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/infer/object_detection", body, headers)
            connection.getresponse().read()

        return call

    if chosen.scenario == "-":
        time_calls(caller(), chosen.count)
        return

    def share(number: int) -> None:
        call = caller()
        for each in range(number, chosen.count, THREADS):
            call(each)

    with ThreadPoolExecutor(THREADS) as threads:
        time_calls(lambda _: list(threads.map(share, range(THREADS))), 1, warm_up=caller())


if __name__ == "__main__":
    main()
