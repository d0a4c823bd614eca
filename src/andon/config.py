"""Parameters: frozen dataclass <-> plain dict, strictly, and `a.b=c` settings on top.

A section of a recipe is one dataclass. An unknown key is refused with the nearest known one; a value of the wrong type
is refused with the type that was expected.
"""

from __future__ import annotations

import math
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from andon.errors import ConfigError
from andon.plugins import suggestion

T = TypeVar("T")
Tree = dict[str, Any]


def from_dict(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """The dataclass `cls` made of `values`; `where` names the section in errors.

    Raises:
        ConfigError: `values` is not a section, a key is unknown or missing, or a value has the wrong type.
    """
    require_section(values, where)
    hints = get_type_hints(cls)
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            hint = suggestion(key, known) if known else "it has no parameters."
            raise ConfigError(f"{where} has no parameter {key!r}; {hint}")
    for field in fields(cls):  # type: ignore[arg-type]
        if field.init and field.name not in values and field.default is field.default_factory is MISSING:
            raise ConfigError(f"{where} lacks {field.name!r}; give it a value.")
    return cls(**{key: convert(value, hints[key], f"{where}.{key}") for key, value in values.items()})


def to_dict(instance: object) -> Tree:
    """The dataclass `instance` as plain values that JSON and TOML can hold; a field that is None is left out."""
    values = {field.name: getattr(instance, field.name) for field in fields(instance)}  # type: ignore[arg-type]
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if value is not None
    }


def require_section(value: object, where: str) -> None:
    """Refuse a plain value where a section with parameters belongs.

    Raises:
        ConfigError: `value` is not a section.
    """
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is {value!r}; expected a section, so set its parameters: {where}.NAME=VALUE.")


def parse_setting(setting: str) -> tuple[str, Any]:
    """The key and the value of "a.b=c"; c is read as a TOML value, else as a string.

    Raises:
        ConfigError: there is no "=" or no key.
    """
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{setting!r} is not a setting; write it as section.name=value.")
    return key.strip(), parse_value(text.strip())


def put(tree: Tree, path: str, value: Any) -> Tree:
    """A copy of `tree` with `value` at "a.b.c", sections made where they are missing.

    Raises:
        ConfigError: the path goes through something that is not a section.
    """
    first, dot, rest = path.partition(".")
    if not dot:
        return tree | {first: value}
    section = tree.get(first, {})
    if not isinstance(section, dict):
        raise ConfigError(f"{path!r} goes through {first!r}, which is a value and not a section.")
    return tree | {first: put(section, rest, value)}


def parse_value(text: str) -> Any:
    """`text` as a TOML value, or as the string itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def convert(value: Any, hint: Any, where: str) -> Any:
    """`value` as the type `hint`: an int may stand for a float and a list for a tuple, nothing else is converted.

    Raises:
        ConfigError: it is of another type, or a number that is not finite; `where` names it.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        words = [word for argument in arguments if get_origin(argument) is Literal for word in get_args(argument)]
        if (value is None and type(None) in arguments) or value in words:
            return value
        (inner,) = (arg for arg in arguments if arg is not type(None) and get_origin(arg) is not Literal)
        if words and not isinstance(value, inner):
            raise ConfigError(f"{where} is {value!r}; expected a value of type {inner.__name__}, or {words[0]!r}.")
        return convert(value, inner, where)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{where} is {value!r}; {suggestion(str(value), [str(a) for a in arguments])}")
        return value
    if origin is tuple:
        return _convert_tuple(value, arguments, where)
    if origin is Mapping:
        require_section(value, where)
        return {key: convert(inner, arguments[1], f"{where}.{key}") for key, inner in value.items()}
    if is_dataclass(hint):
        return from_dict(cast(type, hint), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} is {value}; expected a finite number.")
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where} is {value!r}; expected a value of type {hint.__name__}.")
    return value


def _convert_tuple(value: Any, arguments: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    variable = len(arguments) == 2 and arguments[1] is Ellipsis
    if not isinstance(value, list | tuple) or not (variable or len(value) == len(arguments)):
        count = "a list" if variable else f"a list of {len(arguments)} values"
        raise ConfigError(f"{where} is {value!r}; expected {count}.")
    inner = [arguments[0]] * len(value) if variable else list(arguments)
    return tuple(convert(item, hint, where) for item, hint in zip(value, inner, strict=True))
