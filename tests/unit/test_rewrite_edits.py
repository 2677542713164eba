from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from querylint.patch import Fix, NewFile, Safety, TextEdit
from querylint.rewrite.diff import unified
from querylint.rewrite.edits import edited, without_conflicts
from querylint.text import LineIndex


def edit(source: bytes, start: int, end: int, text: str, path: str = "a.ts", *, shared: bool = False) -> TextEdit:
    return TextEdit(LineIndex(path, source).span(start, end), text, shared)


def fix(*edits: TextEdit) -> Fix:
    return Fix("do it", Safety.SAFE, edits)


SOURCE = b"one two three\n"


def test_of_two_that_share_text_the_first_wins() -> None:
    fixes = [fix(edit(SOURCE, 0, 7, "x")), fix(edit(SOURCE, 4, 9, "y")), fix(edit(SOURCE, 8, 13, "z"))]
    assert without_conflicts(fixes) == [0, 2]


def test_a_fix_waits_whole_when_one_of_its_files_is_taken() -> None:
    first = fix(edit(SOURCE, 0, 3, "x"))
    second = fix(edit(SOURCE, 0, 3, "y"), edit(SOURCE, 0, 3, "y", "b.ts"))
    assert without_conflicts([first, second]) == [0]


def test_two_insertions_at_one_place_clash_unless_they_are_the_very_same() -> None:
    one, other = edit(SOURCE, 3, 3, "!", shared=True), edit(SOURCE, 3, 3, "?", shared=True)
    assert without_conflicts([fix(one), fix(other)]) == [0]
    assert without_conflicts([fix(one), fix(one)]) == [0, 1]
    assert edited({"a.ts": SOURCE}, [fix(one), fix(one)]) == {"a.ts": b"one! two three\n"}


def test_new_files_of_one_sequence_come_one_after_the_other_unless_they_are_the_very_same() -> None:
    def making(path: str, sequence: str = "in") -> Fix:
        return Fix("do it", Safety.SAFE, (), (), (NewFile(path, "x\n", sequence),))

    assert without_conflicts([making("in/2_a.py"), making("in/2_b.py"), making("other/2_a.py", "other")]) == [0, 2]
    assert without_conflicts([making("in/2_a.py"), making("in/2_a.py")]) == [0, 1]
    assert edited({}, [making("in/2_a.py"), making("in/2_a.py")]) == {"in/2_a.py": b"x\n"}


def test_an_insertion_beside_what_is_replaced_clashes() -> None:
    assert without_conflicts([fix(edit(SOURCE, 0, 3, "x")), fix(edit(SOURCE, 3, 3, "!"))]) == [0]


def test_line_ends_and_the_byte_order_mark_stay() -> None:
    source = b"\xef\xbb\xbfa;\r\nb;\r\nc;\r\n"
    made = edited({"a.ts": source}, [fix(edit(source, 7, 9, "x;\ny;"))])
    assert made == {"a.ts": b"\xef\xbb\xbfa;\r\nx;\r\ny;\r\nc;\r\n"}


def test_letters_of_several_bytes_are_counted_in_bytes() -> None:
    source = "const 이름 = a;\n".encode()
    start = source.index(b"a;")
    assert edited({"a.ts": source}, [fix(edit(source, start, start + 1, "é"))]) == {"a.ts": "const 이름 = é;\n".encode()}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text("ab", max_size=3)), max_size=8))
def test_edits_that_do_not_clash_can_be_made_in_any_order(wanted: list[tuple[int, int, str]]) -> None:
    source = b"abcdefghijklmnopqrstuvwxyz0123456789"
    fixes = [fix(edit(source, start, start + length, text)) for start, length, text in wanted]
    taken = [fixes[number] for number in without_conflicts(fixes)]
    together = edited({"a.ts": source}, taken).get("a.ts", source)
    alone = source
    for one in sorted(taken, key=lambda f: -f.edits[0].span.start):
        alone = edited({"a.ts": alone}, [one])["a.ts"]
    assert together == alone


def test_a_diff_says_where_a_last_line_has_no_end() -> None:
    assert unified({"a.ts": b"a\nb"}, {"a.ts": b"a\nc"}) == (
        "--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )


def migration(name: str, operation: str, *, imports: str = "from django.db import migrations", parent: str = "0001_initial") -> Fix:
    text = (
        f"{imports}\n\n\nclass Migration(migrations.Migration):\n\n    dependencies = [\n        ('shop', '{parent}'),\n    ]\n\n"
        f"    operations = [\n        {operation},\n    ]\n"
    )
    return Fix("do it", Safety.UNSAFE, (), (), (NewFile(f"shop/migrations/{name}.py", text, "shop/migrations"),))


def test_migrations_that_come_after_the_same_one_become_one() -> None:
    fixes = [
        migration("0002_remove_order_a", "migrations.RemoveIndex()"),
        migration("0002_visit_b", "migrations.AddIndex()", imports="import shop.fields\nfrom django.db import migrations, models"),
        migration("0002_remove_order_a", "migrations.RemoveIndex()"),
    ]
    assert without_conflicts(fixes) == [0, 1, 2]
    ((path, data),) = edited({}, fixes).items()
    assert path == "shop/migrations/0002_remove_order_a_and_more.py"
    assert data.decode() == (
        "import shop.fields\nfrom django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n\n"
        "    dependencies = [\n        ('shop', '0001_initial'),\n    ]\n\n"
        "    operations = [\n        migrations.RemoveIndex(),\n        migrations.AddIndex(),\n    ]\n"
    )


def test_files_of_one_sequence_that_cannot_become_one_wait() -> None:
    one = migration("0002_a", "migrations.RemoveIndex()")
    assert without_conflicts([one, migration("0003_b", "migrations.AddIndex()", parent="0002_c")]) == [0]
    assert without_conflicts([one, migration("0002_b", "x", imports="from django.db import (migrations)")]) == [0]
    revision = NewFile("alembic/versions/1_b.py", "revision = '1'\n", "shop/migrations")
    assert without_conflicts([one, Fix("do it", Safety.UNSAFE, (), (), (revision,))]) == [0]


def test_the_name_of_a_joined_migration_keeps_to_the_length_of_django() -> None:
    long = "0002_" + "remove_order_" * 5
    ((path, _),) = edited({}, [migration(long, "migrations.RemoveIndex()"), migration("0002_b", "migrations.AddIndex()")]).items()
    name = path.rpartition("/")[2].removesuffix(".py")
    assert name.endswith("_and_more")
    assert len(name.partition("_")[2]) <= 52
