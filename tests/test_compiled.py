"""The compiled wheel: writing its dataclasses out changes nothing of what is found, and mypyc can translate all that it compiles."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(hatch_build.__file__).parent
APPS = sorted(path.name for path in (ROOT / "fixtures" / "apps").iterdir() if path.is_dir())
SAMPLE = '''
from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Protocol

from querylint.construction import dataclass, replace


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is."""

    KINDS: ClassVar[tuple[str, ...]] = ("here", "there")

    line: int
    names: tuple[str, ...] = ()
    note: str = field(default="", compare=False, repr=False)

    def moved(self, by: int) -> Place:
        """It, so many lines below."""
        return replace(self, line=self.line + by)


@dataclass(frozen=True, slots=True, order=True)
class Size:
    amount: int
    unit: str = "rows"


@dataclass(slots=True)
class Bag:
    things: list[int] = field(default_factory=list)
    frames: list[set[int]] = field(default_factory=lambda: [set()])
    sealed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.things.append(len(self.frames))


@dataclass(eq=False, slots=True)
class Node:
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    pass


@dataclass(slots=True)
class Asked:
    what: str = ""

    def answer(self, what: str) -> str | None:
        """What is answered, if anything is."""


class Answers(Protocol):
    def answer(self, what: str) -> str | None:
        """What is answered, if anything is."""
'''


def module(name: str, text: str) -> types.ModuleType:
    """A text as a module."""
    made = types.ModuleType(name)
    sys.modules[name] = made
    try:
        exec(compile(text, name, "exec"), made.__dict__)
    finally:
        del sys.modules[name]
    return made


@pytest.fixture(name="both", scope="module")
def _both() -> tuple[types.ModuleType, types.ModuleType]:
    """The sample with its dataclasses, and with what is written in their place."""
    return module("sample", SAMPLE), module("sample_written_out", hatch_build.written_out(SAMPLE))


def test_no_dataclass_is_left(both: tuple[types.ModuleType, types.ModuleType]) -> None:
    written = hatch_build.written_out(SAMPLE)
    assert "@dataclass" not in written
    assert "construction" not in written
    assert "__init__" in vars(both[1].Place)


def test_objects_are_made_shown_and_compared_alike(both: tuple[types.ModuleType, types.ModuleType]) -> None:
    for make in (
        lambda m: m.Place(3),
        lambda m: m.Place(3, ("a",), "x"),
        lambda m: m.Place(line=1, note="y").moved(4),
        lambda m: m.Size(2),
        lambda m: m.Bag(),
        lambda m: m.Bag([7]),
        lambda m: m.Mark(),
    ):
        one, other = (make(m) for m in both)
        assert repr(one) == repr(other)
        for m, made in zip(both, (one, other), strict=True):
            assert made == make(m)
            assert made != m.Node(1)
            if not isinstance(made, m.Bag):
                assert hash(made) == hash(make(m))


def test_what_does_not_compare_does_not(both: tuple[types.ModuleType, types.ModuleType]) -> None:
    for m in both:
        assert m.Place(1, (), "a") == m.Place(1, (), "b")
        assert m.Place(1) != m.Place(2)
        assert m.Node(1) != m.Node(1)
        assert len({m.Place(1), m.Place(1), m.Place(2)}) == 2
        assert sorted([m.Size(2), m.Size(1, "z"), m.Size(1)]) == [m.Size(1), m.Size(1, "z"), m.Size(2)]
        assert m.Bag().frames is not m.Bag().frames
        with pytest.raises(TypeError):
            hash(m.Bag())
        with pytest.raises(TypeError):
            m.Place()


def test_an_empty_method_says_what_it_gives_but_for_a_protocol() -> None:
    """What mypyc makes of an empty method is abstract: a call of it went on in whatever code came next."""
    last = {
        node.name: item.body[-1]
        for node in ast.walk(ast.parse(hatch_build.written_out(SAMPLE)))
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name == "answer"
    }
    assert {name: isinstance(end, ast.Return) for name, end in last.items()} == {"Asked": True, "Answers": False}


def test_what_cannot_be_written_out_is_refused() -> None:
    start = "from dataclasses import field\nfrom querylint.construction import dataclass\n"
    with pytest.raises(ValueError, match="line 5: a field that cannot be written out"):
        hatch_build.written_out(start + "@dataclass(slots=True)\nclass A:\n    a: list[int] | None = field(default_factory=list)\n")
    with pytest.raises(ValueError, match="inside another thing"):
        hatch_build.written_out(start + "class A:\n    @dataclass(slots=True)\n    class B:\n        b: int\n")


@pytest.fixture(name="copy", scope="module")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as the build lays them out, before anything of them is compiled."""
    folder = tmp_path_factory.mktemp("copy")
    hatch_build.laid_out(ROOT, folder)
    return folder


@pytest.mark.parametrize("app", APPS)
def test_the_copy_finds_the_same(copy: Path, app: str) -> None:
    own = os.pathsep.join(str(ROOT / place) for place in hatch_build.SOURCES.values())
    first, second = (_findings(path, ROOT / "fixtures" / "apps" / app) for path in (own, str(copy)))
    assert first == second
    assert json.loads(first)["findings"] or "optimized" in app


def _findings(path: str, app: Path) -> str:
    command = [sys.executable, "-m", "querylint", "check", "--no-cache", "--format", "json", str(app)]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, cwd=app)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.stdout


def test_what_a_class_says_for_all_its_objects_is_a_class_variable() -> None:
    """mypyc takes other names of a class that have values for fields of its objects: a base class does not see what is said below."""
    wrong: list[str] = []
    for package, place in hatch_build.SOURCES.items():
        for path in hatch_build.modules(ROOT / place):
            if path.exists() and package in path.parts:
                wrong += [f"{path.name}:{node.lineno} {node.name}" for node in _classes(path) if _fields_below(node)]
    assert not wrong


def _classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef))


def _fields_below(node: ast.ClassDef) -> bool:
    """Whether a class that has a base gives a name a value without saying that it is the class's own."""
    bases = {ast.unparse(base).partition("[")[0] for base in node.bases} - {"Generic", "Protocol"}
    if not bases or any(base.endswith(("Enum", "Exception")) for base in bases):
        return False
    names = [target.id for item in node.body if isinstance(item, ast.Assign) for target in item.targets if isinstance(target, ast.Name)]
    return any(name != "__slots__" for name in names)


def test_mypyc_translates_all_of_it(copy: Path) -> None:
    translated = hatch_build.translated(copy)
    assert translated.returncode == 0, translated.stdout + translated.stderr
    assert len(list((copy / "build").rglob("__native_*.c"))) >= len(list(hatch_build.modules(copy)))
