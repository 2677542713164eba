"""Files that are written for a newer Python than the one that runs are read all the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.syntax.python import UnreadableError, lower_module
from querylint.syntax.python.newer import older

NEWER = {
    "class Loader[T: Model](Base[int, T]): pass": "class Loader          (Base[int, T]): pass",
    "async def first[T, *Ts, **P](a: list[T]) -> T: ...": "async def first             (a: list[T]) -> T: ...",
    "def one[T = dict[str, int]](a: T): ...": "def one                    (a: T): ...",
    "type Pair[T] = tuple[T, T]": "Pair         = tuple[T, T]",
    "def many[\n    T,\n](a: T): ...": "def many\\\n     \\\n (a: T): ...",
    "type Row = dict[str, int]": "Row      = dict[str, int]",
    "try: a()\nexcept ValueError, TypeError: b()": "try: a()\nexcept(ValueError,TypeError): b()",
    "try: a()\nexcept A.B, C, D: b()": "try: a()\nexcept(A.B,C, D): b()",
    """a = f'{", ".join(b)} {c['d']}'""": """a = f'{", ".join(b)} {c["d"]}'""",
    """a = f"[{",".join(b)}]" + f'{'e'}'""": """a = f"[{','.join(b)}]" + f'{"e"}'""",
    r'''a = f"{"\n".join(b)}"''': r'''a = f"{'__'.join(b)}"''',
    '''a = f"""{f"{b["c"]}"}"""''': '''a = f"""{f'{b["c"]}'}"""''',
    'a = t"hello {name}"': 'a = f"hello {name}"',
    """a = f'{b["it's"]}'""": """a = f'{b["it_s"]}'""",
}


@pytest.mark.parametrize(("source", "written"), NEWER.items())
def test_newer_syntax_as_older_ones_read_it(source: str, written: str) -> None:
    assert older(source.encode()).decode() == written
    ast.parse(written)


@pytest.mark.parametrize(
    "source",
    [
        "a = f'{b!r:>{c}} {{d}} {e[\"f\"]}' # it's [a] comment: f\"{'\n",
        "x = '''except A, B: [T]'''\ny = \"f'{'\"\n",
        "def a(b: dict[str, int]): return type\ntype = 1\n",
        "try: a()\nexcept ValueError, e: b()\n",
        "match x:\n    case [a, b]: pass\n",
        "a = rb'\\'\nb = f'{c:%Y-%m}'\n",
        "print(f'{a:{b}}' 'it''s' f\"{c}\")\n",
    ],
)
def test_what_every_python_reads_stays_as_it_is(source: str) -> None:
    assert older(source.encode()) == source.encode()


def test_lines_and_length_stay() -> None:
    source = b"def a[\n  T,\n](b):\n    return f'''{\n  c['''d''']\n}'''\n"
    assert len(older(source)) == len(source)
    assert older(source).count(b"\n") == source.count(b"\n")


def test_a_file_that_no_python_reads_is_said() -> None:
    with pytest.raises(UnreadableError, match="syntax error"):
        lower_module("a.py", b"def a[T](b:\n    return\n")


def test_queries_beside_newer_syntax_are_seen(tmp_path: Path) -> None:
    models = "from django.db import models\n\nclass Ware(models.Model):\n    code = models.CharField(max_length=20)\n"
    service = (
        "from shop.models import Ware\n\ndef load[T](codes: list[T]):\n    try:\n        return [Ware.objects.get(code=c) for c in codes]\n"
        "    except ValueError, TypeError:\n        return f'{', '.join(codes)}'\n"
    )
    lay(tmp_path, {"shop/models.py": models, "shop/service.py": service})
    program, lowered = Project(Scope(tmp_path), settings.load(tmp_path, rule_names=frozenset())).program()
    assert lowered.notes == ()
    reads = [access for site, access in program.reads() if site.function.path == "shop/service.py"]
    assert [access.span.line for access in reads] == [5]
