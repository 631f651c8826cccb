"""Reading a provider's schema out of its generated JavaScript bindings: names, types and flags, no descriptions.

The bindings repeat the schema in three places: a comment before each member says computed, optional and required; the map of
the HCL synthesis gives the type and whether it is a block; the declarations list the values of enumerations.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["Bindings", "Block"]

Block = dict[str, Any]
_CLASS = re.compile(r"^class (\w+) extends cdk\w*\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n", re.MULTILINE)
_NESTED = re.compile(r"new (?:\w+\.)?(\w+?)(OutputReference|List|Map)\(this, \"\w+\"(?:, (true|false))?")
_GETTER = re.compile(r"this\.get(\w+?)Attribute\(|new cdk\w*\.(\w+Map)\(this")
_FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_SYNTHESIS = re.compile(r"^    synthesizeHclAttributes\(\) \{\n(.*?)^    \}", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(
    r"^            (\w+): \{\n\s+value: .*?,\n\s+isBlock: (\w+),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\"",
    re.MULTILINE | re.DOTALL,
)
_INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_ENUM = re.compile(
    r"/\*\*((?:(?!\*/).)*?Possible values: \[([^\]]*)\](?:(?!\*/).)*)\*/\s+readonly (\w+)\??:", re.DOTALL
)
_SIMPLE = {"String": "string", "Number": "number", "Boolean": "bool", "List": ["list", "string"]}
_SIMPLE |= {
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": "dynamic",
    "Any": "dynamic",
}
_DEEPEST = 15


@dataclass(frozen=True)
class _Member:
    """One attribute or block of a class, with the code that belongs to it."""

    name: str
    computed: bool
    optional: bool
    required: bool
    code: str

    @property
    def flags(self) -> dict[str, bool]:
        flags = {"required": self.required, "optional": self.optional, "computed": self.computed}
        return {name: True for name, value in flags.items() if value} | (
            {"write_only": True} if self.name.endswith("_wo") else {}
        )

    @property
    def only_read(self) -> bool:
        return self.computed and not self.optional and not self.required


@dataclass
class Bindings:
    """The bindings of one resource: all code and all declarations of its folder."""

    code: str
    declarations: str
    _classes: dict[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Cut the code into its classes."""
        self._classes = {name: (base, body) for name, base, body in _CLASS.findall(self.code)}

    def root(self) -> Block:
        """Return the block of the resource, data source or provider itself."""
        for name, (base, body) in self._classes.items():
            if base in {"TerraformResource", "TerraformDataSource", "TerraformProvider"}:
                found = _SYNTHESIS.search(body)
                return self._block(name, f"{name}Config", _entries(found[1] if found else ""), 0)
        raise ValueError("no root class in these bindings")

    @cached_property
    def _functions(self) -> Mapping[str, str]:
        return dict(_FUNCTION.findall(self.code))

    @cached_property
    def _enums(self) -> Mapping[str, Mapping[str, list[str]]]:
        return {
            name: {_snake(key): re.findall(r'"([^"]*)"', values) for _, values, key in _ENUM.findall(body)}
            for name, body in _INTERFACE.findall(self.declarations)
        }

    def _block(self, cls: str, interface: str, entries: Mapping[str, tuple[str, str, str]], depth: int) -> Block:
        block: Block = {"attributes": {}, "block_types": {}}
        for member in self._members(cls):
            nested, entry = _NESTED.search(member.code), entries.get(member.name)
            if nested is None and entry and entry[0] == "true":
                block["block_types"][member.name] = self._listed(entry)
            elif nested and not member.only_read and depth < _DEEPEST:
                block["block_types"][member.name] = self._nested(member, nested, entry, depth)
            else:
                kind = self._object(nested) if nested else _plain(member, entry)
                block["attributes"][member.name] = {"type": kind, **member.flags}
        enums = {name: values for name, values in self._enums.get(interface, {}).items() if name in block["attributes"]}
        return block | ({"enums": enums} if enums else {})

    def _nested(
        self, member: _Member, nested: re.Match[str], entry: tuple[str, str, str] | None, depth: int
    ) -> dict[str, Any]:
        struct, shape = nested[1], nested[2]
        inner = _entries(self._functions.get(struct[0].lower() + struct[1:], ""))
        mode = {"struct": "single", "set": "set", "map": "map"}.get(entry[1] if entry else "list", "list")
        one = shape == "OutputReference" and mode != "single"
        limits = ({"min_items": 1} if member.required else {}) | ({"max_items": 1} if one else {})
        block = self._block(f"{struct}OutputReference", struct, inner, depth + 1)
        return {"nesting_mode": mode, **limits, "block": block}

    def _listed(self, entry: tuple[str, str, str]) -> dict[str, Any]:
        """Return a block that has no class of its own (the provider's): what its synthesis map says, all optional."""
        struct = entry[2].removesuffix("List")
        inner = _entries(self._functions.get(struct[0].lower() + struct[1:], ""))
        attributes = {name: {"type": _entry_type(each), "optional": True} for name, each in inner.items()}
        return {"nesting_mode": "list", "block": {"attributes": attributes, "block_types": {}}}

    def _object(self, nested: re.Match[str]) -> Any:
        """Return the type of a nested member that is only read: a list, set or map of objects."""
        members = {}
        for member in self._members(f"{nested[1]}OutputReference"):
            inner = _NESTED.search(member.code)
            members[member.name] = self._object(inner) if inner else _plain(member, None)
        wrapper = "map" if nested[2] == "Map" else "set" if nested[3] == "true" else "list"
        return [wrapper, ["object", members]]

    def _members(self, cls: str) -> Iterator[_Member]:
        body = self._classes.get(cls, ("", ""))[1]
        found = list(_MEMBER.finditer(body))
        for number, match in enumerate(found):
            end = found[number + 1].start() if number + 1 < len(found) else len(body)
            name, *flags = match.groups()
            computed, optional, required = (flag == "true" for flag in flags)
            yield _Member(name, computed, optional, required, body[match.end() : end])


def _entries(text: str) -> dict[str, tuple[str, str, str]]:
    return {name: (block, kind, storage) for name, block, kind, storage in _ENTRY.findall(text)}


def _plain(member: _Member, entry: tuple[str, str, str] | None) -> Any:
    """Return a plain attribute's type, from the synthesis map if it is there, else from the getter it calls."""
    if entry:
        return _entry_type(entry)
    found = _GETTER.search(member.code)
    kind = _SIMPLE.get(found[1] or found[2], "dynamic") if found else "dynamic"
    return ["set", kind[1]] if isinstance(kind, list) and "Fn.tolist" in member.code else kind


def _entry_type(entry: tuple[str, str, str]) -> Any:
    _, kind, storage = entry
    element = storage if kind == "simple" else re.sub(r"(List|Set|Map)+$", "", storage)
    known = {"boolean": "bool", "string": "string", "number": "number"}.get(element, "dynamic")
    return known if kind == "simple" else [kind, known]


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
