"""A provider that knows a schema and nothing else: `terraform` starts it, and plans, applies and tests without a cloud.

    python provider.py SCHEMA.json.gz

It refuses what the schema refuses, leaves unknown what only the cloud knows, and invents that on apply.
"""

import gzip
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.house.infra import values
from tests.house.infra.protocol import METHODS, Message

__all__ = ["SchemaProvider", "main"]

_COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
_NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
_NO_LIMIT = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class SchemaProvider:
    """The calls of the protocol; every method takes a request and returns an answer."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Take a schema as `make_schema` writes it."""
        self._schema = schema

    def _block(self, name: str) -> Any:
        return self._schema["resource_schemas"][name]["block"]

    def GetProviderSchema(self, request: Any) -> Any:
        answer = Message["SchemaAnswer"]()
        answer.provider.CopyFrom(_schema(self._schema["provider"]))
        for name, schema in self._schema["resource_schemas"].items():
            answer.resource_schemas[name].CopyFrom(_schema(schema))
        return answer

    def ValidateProviderConfig(self, request: Any) -> Any:
        found = values.faults(self._schema["provider"]["block"], values.unpack(request.config))
        return Message["ConfiguredDiagnostics"](diagnostics=[_diagnostic(path, text) for path, text in found])

    def ValidateResourceConfig(self, request: Any) -> Any:
        found = values.faults(self._block(request.type_name), values.unpack(request.config))
        return Message["Diagnostics"](diagnostics=[_diagnostic(path, text) for path, text in found])

    def ValidateDataResourceConfig(self, request: Any) -> Any:
        return Message["Diagnostics"](diagnostics=[_diagnostic((), f"no data source {request.type_name} is known")])

    def ConfigureProvider(self, request: Any) -> Any:
        return Message["Diagnostics"]()

    def UpgradeResourceState(self, request: Any) -> Any:
        return Message["Upgraded"](state=Message["DynamicValue"](json=request.raw_state.json))

    def ReadResource(self, request: Any) -> Any:
        return Message["Upgraded"](state=request.current_state)

    def ReadDataSource(self, request: Any) -> Any:
        return Message["Upgraded"](diagnostics=[_diagnostic((), f"no data source {request.type_name} is known")])

    def PlanResourceChange(self, request: Any) -> Any:
        proposed = values.unpack(request.proposed_new_state)
        planned = values.plan(self._block(request.type_name), proposed)
        return Message["Planned"](planned_state=_value(planned), legacy_type_system=True)

    def ApplyResourceChange(self, request: Any) -> Any:
        planned = values.unpack(request.planned_state)
        applied = values.apply(request.type_name, self._block(request.type_name), planned)
        return Message["Applied"](new_state=_value(applied), legacy_type_system=True)

    def StopProvider(self, request: Any) -> Any:
        return Message["Stopped"]()


def main(arguments: list[str]) -> int:
    """Serve the schema file on a socket of its own until Terraform says stop."""
    if os.environ.get("TF_PLUGIN_MAGIC_COOKIE") != _COOKIE:
        print("This is a plugin: terraform starts it, it does nothing by itself.", file=sys.stderr)
        return 1
    provider = SchemaProvider(json.loads(gzip.decompress(Path(arguments[0]).read_bytes())))
    folder, stopped = tempfile.mkdtemp(prefix="schema-provider-"), threading.Event()
    server = grpc.server(ThreadPoolExecutor(8), options=_NO_LIMIT)
    server.add_generic_rpc_handlers([_provider_calls(provider), _controller(stopped)])
    server.add_insecure_port(f"unix:{folder}/plugin")
    server.start()
    print(f"1|6|unix|{folder}/plugin|grpc|", flush=True)
    stopped.wait()
    server.stop(0.5).wait()
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _provider_calls(provider: SchemaProvider) -> Any:
    handlers = {
        method: grpc.unary_unary_rpc_method_handler(
            _answering(provider, method),
            request_deserializer=Message[asked].FromString,
            response_serializer=Message[answered].SerializeToString,
        )
        for method, (asked, answered) in METHODS.items()
    }
    return grpc.method_handlers_generic_handler("tfplugin6.Provider", handlers)


def _answering(provider: SchemaProvider, method: str) -> Callable[[Any, Any], Any]:
    call = getattr(provider, method)
    return lambda request, _: call(request)


def _controller(stopped: threading.Event) -> Any:
    def stop(request: Any, _: Any) -> Any:
        stopped.set()
        return Message["Empty"]()

    empty = Message["Empty"]
    handler = grpc.unary_unary_rpc_method_handler(
        stop, request_deserializer=empty.FromString, response_serializer=empty.SerializeToString
    )
    return grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": handler})


def _schema(schema: dict[str, Any]) -> Any:
    return Message["Schema"](version=schema["version"], block=_block_message(schema["block"]))


def _block_message(block: dict[str, Any]) -> Any:
    message = Message["Block"]()
    for name, attribute in block["attributes"].items():
        flags = {key: value for key, value in attribute.items() if key != "type"}
        message.attributes.add(name=name, type=json.dumps(attribute["type"]).encode(), **flags)
    for name, nested in block["block_types"].items():
        message.block_types.add(
            type_name=name,
            block=_block_message(nested["block"]),
            nesting=_NESTING[nested["nesting_mode"]],
            min_items=nested.get("min_items", 0),
            max_items=nested.get("max_items", 0),
        )
    return message


def _value(value: Any) -> Any:
    return Message["DynamicValue"](msgpack=values.pack(value))


def _diagnostic(path: values.Path, text: str) -> Any:
    steps = [{"element_key_int": step} if isinstance(step, int) else {"attribute_name": step} for step in path]
    return Message["Diagnostic"](severity=1, summary=text, attribute={"steps": steps})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
