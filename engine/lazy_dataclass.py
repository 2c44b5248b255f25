"""`dataclass` for frozen records with slots, whose methods are written when the first record is made.

It does what the standard library's does. That one writes and compiles six methods for each class at import, most of a
millisecond; a start of Carrel imports two hundred such classes and makes records of few. Here importing a class costs a
tenth; its `__init__` is compiled for its first record, its fields are described when `replace` or `asdict` ask.
"""

from __future__ import annotations

from _thread import RLock  # what `threading` calls so, without the time that loading it takes
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # a type checker knows it by this name, and it behaves the same
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False):
        """Make a class a dataclass; what is not a plain frozen record with slots is left to the standard library."""
        if cls is None:
            return lambda given: dataclass(given, frozen=frozen, slots=slots, kw_only=kw_only)
        if frozen and slots and not _needs_more(cls):
            return _slotted(cls, kw_only)
        from dataclasses import dataclass as at_once

        return at_once(cls, frozen=frozen, slots=slots, kw_only=kw_only)


class _Plan:
    """The fields of a class, those of its bases first, and how the values of a record are read."""

    __slots__ = ("alike", "by_name", "defaults", "names", "values")

    def __init__(self, names: tuple[str, ...], defaults: dict[str, Any], by_name: frozenset[str]) -> None:
        self.names = names
        self.defaults = defaults  # a value, or what `field(...)` returned
        self.by_name = by_name  # fields that are given by their name only
        self.values = _getter(names)
        compared = tuple(name for name in names if not _is_field(defaults.get(name)) or defaults[name].compare)
        self.alike = self.values if compared == names else _getter(compared)


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


_PLAN = "_carrel_plan"  # an attribute of the class
_TURN = RLock()  # a class is described once, whichever threads ask; it may ask for its base's description


def _needs_more(cls: type) -> bool:
    """Whether a class asks for what only the standard library does, or has a base of its making."""
    made_there = any("__dataclass_fields__" in vars(base) and _PLAN not in vars(base) for base in cls.__mro__[1:])
    return made_there or any(map(_is_special, _own_defaults(cls).values()))


def _is_special(default: Any) -> bool:
    if _is_field(default):
        return not (default.init and default.repr) or default.hash is not None
    return type(default).__hash__ is None  # it is refused there


def _is_field(default: object) -> bool:
    return type(default).__name__ == "Field"  # of `dataclasses`, which is loaded by those who use it


def _own_fields(cls: type) -> Iterator[str]:
    """Yield the fields that a class annotates; annotations are text, for each module postpones them."""
    for name, kind in vars(cls).get("__annotations__", {}).items():
        if not kind.startswith("ClassVar"):
            yield name


def _own_defaults(cls: type) -> dict[str, Any]:
    return {name: vars(cls)[name] for name in _own_fields(cls) if name in vars(cls)}


def _slotted(cls: type, kw_only: bool) -> type:
    """Return the class anew, with slots for its fields and the methods that all records share."""
    own = tuple(_own_fields(cls))
    plan = _plan_of(cls, own, kw_only)
    base_slots = {slot for base in cls.__mro__[1:] for slot in vars(base).get("__slots__", ())}
    space = {name: value for name, value in vars(cls).items() if name not in (*own, "__dict__", "__weakref__")}
    space |= {
        "__slots__": tuple(name for name in own if name not in base_slots),
        "__match_args__": tuple(name for name in plan.names if name not in plan.by_name),
        "__dataclass_fields__": _Described(cls, "__dataclass_fields__", kw_only),
        "__dataclass_params__": _Described(cls, "__dataclass_params__", kw_only),
        _PLAN: plan,
    }
    space |= {name: method for name, method in _SHARED.items() if space.get(name) is None}
    made: Any = type(cls)(cls.__name__, cls.__bases__, space)
    made.__init__ = _first_init(made, plan)
    return made  # type: ignore[no-any-return]


def _plan_of(cls: type, own: tuple[str, ...], kw_only: bool) -> _Plan:
    base: _Plan = getattr(cls, _PLAN, _NO_FIELDS)
    names = tuple(dict.fromkeys((*base.names, *own)))
    return _Plan(names, base.defaults | _own_defaults(cls), base.by_name | frozenset(own if kw_only else ()))


def _first_init(cls: Any, plan: _Plan) -> Callable[..., None]:
    """Return an `__init__` that puts the written one in its own place, and calls it."""

    def __init__(self: object, /, *values: object, **named: object) -> None:  # noqa: N807
        cls.__init__ = _written_init(cls, plan)
        cls.__init__(self, *values, **named)

    return __init__


def _written_init(cls: type, plan: _Plan) -> Callable[..., None]:
    """Compile the `__init__` of a class; it fills the slots by their own setters, for records refuse to be changed."""
    space: dict[str, Any] = {f"_set_{name}": getattr(cls, name).__set__ for name in plan.names}
    taken, value = {name: name for name in plan.names}, {name: name for name in plan.names}
    for name, default in plan.defaults.items():
        given = default.default if _is_field(default) else default
        if _is_field(default) and callable(default.default_factory):
            value[name] = f"_default_{name}.default_factory() if {name} is _default_{name} else {name}"
            given = default
        elif _is_field(default) and type(given).__name__ == "_MISSING_TYPE":
            continue
        taken[name] = f"{name}=_default_{name}"
        space[f"_default_{name}"] = given
    by_place = [taken[name] for name in plan.names if name not in plan.by_name]
    by_name = [taken[name] for name in plan.names if name in plan.by_name]
    heading = ", ".join(["self", *by_place, *(["*", *by_name] if by_name else [])])
    body = [f" _set_{name}(self, {value[name]})" for name in plan.names]
    body += [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    exec(f"def __init__({heading}):\n" + ("\n".join(body) or " pass"), space)
    written: Callable[..., None] = space["__init__"]
    written.__qualname__ = f"{cls.__qualname__}.__init__"
    return written


class _Described:
    """What `dataclasses` keeps of a class it made, found out by it when first asked for, and then in its own place."""

    def __init__(self, plain: type, name: str, kw_only: bool) -> None:
        self._plain = plain  # the class as it was written, of which no record is made
        self._name = name
        self._kw_only = kw_only

    def __get__(self, record: object, cls: type) -> Any:
        with _TURN:
            if self._name not in vars(self._plain):
                from dataclasses import dataclass as at_once

                describe = at_once(
                    init=False, repr=False, eq=False, match_args=False, frozen=True, kw_only=self._kw_only
                )
                describe(self._plain)
        found = vars(self._plain)[self._name]
        for each in cls.__mro__:
            if vars(each).get(self._name) is self:
                setattr(each, self._name, found)
        return found


def _values(record: object) -> tuple[object, ...]:
    values: tuple[object, ...] = getattr(record, _PLAN).values(record)
    return values


def _repr(self: object) -> str:
    shown = zip(getattr(self, _PLAN).names, _values(self), strict=True)
    return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in shown)})"


def _eq(self: object, other: object) -> object:
    if type(self) is not type(other):
        return NotImplemented
    alike = getattr(self, _PLAN).alike
    return alike(self) == alike(other)


def _hash(self: object) -> int:
    return hash(getattr(self, _PLAN).alike(self))


def _setattr(self: object, name: str, value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: object) -> tuple[object, ...]:
    return _values(self)


def _setstate(self: object, values: tuple[object, ...]) -> None:
    for name, value in zip(getattr(self, _PLAN).names, values, strict=True):
        object.__setattr__(self, name, value)


_NO_FIELDS = _Plan((), {}, frozenset())
_SHARED: dict[str, Callable[..., object]] = {
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
