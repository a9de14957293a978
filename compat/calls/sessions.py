"""Programs that take a client through several steps, and its settings one by one."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Iterator
from functools import partial
from typing import Any, get_type_hints

from case import BASE64, KEY, SPECIFICATION
from PIL import Image
from stage import TWO, Program, Stage, tried

from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http import errors


def every_session() -> Iterator[tuple[str, Program]]:
    for program in (
        models_in_turn,
        contexts_restore,
        contexts_restore_after_errors,
        contexts_of_tasks,
        selections_give_the_client,
        modes_of_hosts,
        explicit_forms,
        folders,
        wrong_modes,
        prompts_reused,
        arguments_unchanged,
    ):
        yield program.__name__, program


def models_in_turn(stage: Stage) -> Any:
    client = stage.client()
    seen = [client.selected_model]
    client.select_model("coco/3")
    seen += [client.selected_model, client.infer(BASE64)]
    with client.use_model("cars/1") as inner:
        seen += [inner is client, client.selected_model, client.infer(BASE64)]
        with client.use_model("yolov8n-640"):
            seen += [client.selected_model, tried(partial(client.infer, BASE64))]
        seen.append(client.selected_model)
    seen += [client.selected_model, client.infer(BASE64, model_id="cars/1"), client.selected_model]
    return seen


def contexts_restore(stage: Stage) -> Any:
    client = stage.client(max_batch_size=3)
    seen = []
    with client.use_api_v0() as inner:
        seen += [inner is client, client.client_mode.value, client.infer(BASE64, "coco/3")]
        with client.use_api_v1():
            seen.append(client.client_mode.value)
        seen.append(client.client_mode.value)
    seen.append(client.client_mode.value)
    with client.use_configuration(InferenceConfiguration(max_batch_size=9)) as inner:
        seen += [inner is client, client.inference_configuration.max_batch_size]
    return [*seen, client.inference_configuration.max_batch_size]


def contexts_restore_after_errors(stage: Stage) -> Any:
    client = stage.client()
    seen: list[Any] = []
    for context in (
        client.use_model("cars/1"),
        client.use_api_v0(),
        client.use_configuration(InferenceConfiguration(max_batch_size=9)),
    ):
        try:
            with context:
                raise ZeroDivisionError
        except ZeroDivisionError:
            configuration = client.inference_configuration
            seen += [
                client.selected_model,
                client.client_mode.value,
                configuration.max_batch_size,
            ]
    return seen


def contexts_of_tasks(stage: Stage) -> Any:
    client = stage.client()

    async def run() -> Any:
        with client.use_model("cars/1"):
            return [await client.infer_async(BASE64), client.selected_model]

    return [asyncio.run(run()), client.selected_model]


def selections_give_the_client(stage: Stage) -> Any:
    client = stage.client()
    return [
        given is client
        for given in (
            client.select_model("coco/3"),
            client.select_api_v0(),
            client.select_api_v1(),
            client.configure(InferenceConfiguration()),
        )
    ]


def modes_of_hosts(stage: Stage) -> Any:
    urls = [
        f"https://{name}.roboflow.com{end}"
        for name in ("detect", "classify", "outline", "serverless", "infer", "api", "lambda")
        for end in ("", "/")
    ]
    modes = {}
    for url in (*urls, stage.url, "http://localhost:9001/", "https://infer.me"):
        client = InferenceHTTPClient.init(api_url=url, api_key=KEY)
        chosen = tried(lambda client=client: client.select_api_v1().client_mode.value)
        modes[url] = [InferenceHTTPClient(url, KEY).client_mode.value, chosen]
    return modes


def explicit_forms(stage: Stage) -> Any:
    client = stage.client()
    return [
        tried(lambda: client.infer_from_api_v0(BASE64, "coco/3")),
        tried(lambda: client.infer_from_api_v1([BASE64, "street.jpg"], "coco/3")),
        tried(lambda: client.infer_from_api_v0(BASE64)),
        tried(lambda: client.infer_from_api_v1(BASE64)),
        tried(lambda: asyncio.run(client.infer_from_api_v0_async([BASE64, BASE64], "coco/3"))),
        tried(lambda: asyncio.run(client.infer_from_api_v1_async(BASE64, "coco/3"))),
    ]


def folders(stage: Stage) -> Any:
    client = stage.client()
    client.select_model("coco/3")
    folder = os.path.join(stage.folder, "scanned")
    os.makedirs(folder, exist_ok=True)
    picture = Image.fromarray(stage.values["$array"][:, :, ::-1].copy())
    for name in ("b.jpg", "a.png", "c.bmp", "d.txt"):
        picture.save(os.path.join(folder, name), "PNG")
    return [
        [os.path.basename(str(reference)), frame, prediction]
        for reference, frame, prediction in sorted(
            client.infer_on_stream(folder), key=lambda found: str(found[0])
        )
    ]


def wrong_modes(stage: Stage) -> Any:
    seen = {}
    for mode in ("select_api_v0", "select_api_v1"):
        client = stage.client()
        getattr(client, mode)()
        for name, arguments in (
            ("list_loaded_models", ()),
            ("load_model", ("coco/3",)),
            ("unload_model", ("coco/3",)),
            ("unload_all_models", ()),
            ("get_model_description", ("coco/3",)),
            ("get_server_info", ()),
        ):
            stage.answer({"*": [{"json": {**TWO, "name": "n", "version": "v", "uuid": "u"}}]})
            seen[f"{mode} {name}"] = tried(partial(getattr(client, name), *arguments))
    return seen


def prompts_reused(stage: Stage) -> Any:
    client = stage.client()
    prompts = [{"points": [{"x": 1, "y": 2, "positive": True}]}]
    parameters = {"a": [1, {"b": 2}]}
    images = {"image": [BASE64, "street.jpg"]}
    stage.answer({"*": [{"json": {"outputs": [{}]}}]})
    client.sam2_segment_image([BASE64, BASE64], prompts=prompts)
    client.run_workflow(specification=SPECIFICATION, images=images, parameters=parameters)
    return [prompts, parameters, images, SPECIFICATION]


def arguments_unchanged(stage: Stage) -> Any:
    client = stage.client(client_downsizing_disabled=False, default_max_input_size=16)
    array, several = stage.values["$array"].copy(), [stage.values["$array"].copy(), BASE64]
    client.infer(array, "coco/3")
    client.infer(several, "coco/3")
    return [array, len(several), several[0]]


VALUES: dict[str, list[Any]] = {
    "str": ["text"],
    "bool": [True, False],
    "int": [3],
    "float": [0.25],
    "list[str]": [["a", "b"], []],
}


def every_setting() -> Iterator[tuple[str, Program]]:
    yield "default configuration", lambda stage: _shown_settings(InferenceConfiguration())
    yield (
        "initial configuration",
        lambda stage: _shown_settings(InferenceConfiguration.init_default()),
    )
    for name, kind in get_type_hints(InferenceConfiguration).items():
        for part, values in VALUES.items():
            for value in values if part in str(kind).lower() else []:
                yield f"setting {name}={value!r}", partial(_parameters_of, {name: value})
    for name in sorted(vars(errors)):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            raised = {"raised": [base.__name__ for base in kind.__mro__]}
            yield f"error {name}", lambda stage, raised=raised: raised


def _shown_settings(configuration: InferenceConfiguration) -> Any:
    return {
        field.name: str(getattr(configuration, field.name))
        for field in dataclasses.fields(configuration)
    }


def _parameters_of(settings: dict[str, Any], stage: Stage) -> Any:
    configuration = InferenceConfiguration(**settings)
    return {
        name: tried(getattr(configuration, name))
        for name in dir(configuration)
        if name.startswith("to_")
        and (name.endswith("_parameters") or name == "to_api_call_parameters")
    }
