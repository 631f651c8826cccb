"""Terraform's plugin protocol 6, as far as a provider that only knows a schema needs it; messages are made from a table.

Names of messages are free, numbers of fields are not.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["METHODS", "Message"]

_PACKAGE = "tfplugin6"
# message -> field -> (number, type); `*` in front: repeated; `<message>`: nested; `map <message>`: map from text.
_TABLE: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Empty": {},
    "DynamicValue": {"msgpack": (1, "bytes"), "json": (2, "bytes")},
    "Step": {"attribute_name": (1, "string"), "element_key_string": (2, "string"), "element_key_int": (3, "int64")},
    "AttributePath": {"steps": (1, "*Step")},
    "Diagnostic": {
        "severity": (1, "int32"),
        "summary": (2, "string"),
        "detail": (3, "string"),
        "attribute": (4, "AttributePath"),
    },
    "Attribute": {
        "name": (1, "string"),
        "type": (2, "bytes"),
        "required": (4, "bool"),
        "optional": (5, "bool"),
        "computed": (6, "bool"),
        "sensitive": (7, "bool"),
        "write_only": (11, "bool"),
    },
    "NestedBlock": {
        "type_name": (1, "string"),
        "block": (2, "Block"),
        "nesting": (3, "int32"),
        "min_items": (4, "int64"),
        "max_items": (5, "int64"),
    },
    "Block": {"version": (1, "int64"), "attributes": (2, "*Attribute"), "block_types": (3, "*NestedBlock")},
    "Schema": {"version": (1, "int64"), "block": (2, "Block")},
    "SchemaAnswer": {
        "provider": (1, "Schema"),
        "resource_schemas": (2, "map Schema"),
        "data_source_schemas": (3, "map Schema"),
        "diagnostics": (4, "*Diagnostic"),
    },
    "Config": {"config": (1, "DynamicValue")},
    "TypedConfig": {"type_name": (1, "string"), "config": (2, "DynamicValue")},
    "Diagnostics": {"diagnostics": (1, "*Diagnostic")},
    "ConfiguredDiagnostics": {"diagnostics": (2, "*Diagnostic")},
    "Configure": {"terraform_version": (1, "string"), "config": (2, "DynamicValue")},
    "RawState": {"json": (1, "bytes")},
    "Upgrade": {"type_name": (1, "string"), "version": (2, "int64"), "raw_state": (3, "RawState")},
    "Upgraded": {"state": (1, "DynamicValue"), "diagnostics": (2, "*Diagnostic")},
    "Read": {"type_name": (1, "string"), "current_state": (2, "DynamicValue")},
    "Plan": {
        "type_name": (1, "string"),
        "prior_state": (2, "DynamicValue"),
        "proposed_new_state": (3, "DynamicValue"),
        "config": (4, "DynamicValue"),
    },
    "Planned": {
        "planned_state": (1, "DynamicValue"),
        "requires_replace": (2, "*AttributePath"),
        "diagnostics": (4, "*Diagnostic"),
        "legacy_type_system": (5, "bool"),
    },
    "Apply": {
        "type_name": (1, "string"),
        "prior_state": (2, "DynamicValue"),
        "planned_state": (3, "DynamicValue"),
        "config": (4, "DynamicValue"),
    },
    "Applied": {
        "new_state": (1, "DynamicValue"),
        "diagnostics": (3, "*Diagnostic"),
        "legacy_type_system": (4, "bool"),
    },
    "Stopped": {"error": (1, "string")},
}
# method -> (request, answer)
METHODS: Mapping[str, tuple[str, str]] = {
    "GetProviderSchema": ("Empty", "SchemaAnswer"),
    "ValidateProviderConfig": ("Config", "ConfiguredDiagnostics"),
    "ValidateResourceConfig": ("TypedConfig", "Diagnostics"),
    "ValidateDataResourceConfig": ("TypedConfig", "Diagnostics"),
    "UpgradeResourceState": ("Upgrade", "Upgraded"),
    "ConfigureProvider": ("Configure", "Diagnostics"),
    "ReadResource": ("Read", "Upgraded"),
    "PlanResourceChange": ("Plan", "Planned"),
    "ApplyResourceChange": ("Apply", "Applied"),
    "ReadDataSource": ("TypedConfig", "Upgraded"),
    "StopProvider": ("Empty", "Stopped"),
}
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _Field.TYPE_BYTES,
    "string": _Field.TYPE_STRING,
    "int64": _Field.TYPE_INT64,
    "int32": _Field.TYPE_INT32,
    "bool": _Field.TYPE_BOOL,
}


def _field(name: str, number: int, kind: str) -> Any:
    repeated, kind = kind.startswith("*"), kind.removeprefix("*")
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _SCALARS:
        return _Field(name=name, number=number, label=label, type=_SCALARS[kind])
    return _Field(name=name, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=f".{_PACKAGE}.{kind}")


def _describe(name: str, fields: Mapping[str, tuple[int, str]]) -> Any:
    message = descriptor_pb2.DescriptorProto(name=name)
    for field, (number, kind) in fields.items():
        if not kind.startswith("map "):
            message.field.append(_field(field, number, kind))
            continue
        entry = "".join(part.title() for part in field.split("_")) + "Entry"
        inner = message.nested_type.add(name=entry)
        inner.options.map_entry = True
        inner.field.extend([_field("key", 1, "string"), _field("value", 2, kind.removeprefix("map "))])
        message.field.append(_field(field, number, f"*{name}.{entry}"))
    return message


def _messages() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="tfplugin6.proto", package=_PACKAGE, syntax="proto3")
    file.message_type.extend(_describe(name, fields) for name, fields in _TABLE.items())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _TABLE}


Message = _messages()
