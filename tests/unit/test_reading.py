"""What is in a file, and what it is for."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from querylint.discover import LIMIT, read, role
from querylint.ir import Role
from querylint.result import NoteKind


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes("naïve 🙂".encode() * 200_000)
    data, note = read(tmp_path, "a.ts")
    assert data == "naïve 🙂".encode() * 200_000
    assert note is None
    (tmp_path / "empty.ts").write_bytes(b"")
    assert read(tmp_path, "empty.ts") == (b"", None)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ts")
    answers: list[object] = []
    reader = threading.Thread(target=lambda: answers.extend(read(tmp_path, "pipe.ts")), daemon=True)
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    assert answers[0] is None
    assert "not a regular file" in str(answers[1])


@pytest.mark.parametrize(("path", "words"), [("gone.ts", "vanished"), ("folder", "not a regular file"), ("a.ts/b.ts", "not a directory")])
def test_what_cannot_be_read_is_said(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.ts").write_text("")
    data, note = read(tmp_path, path)
    assert data is None
    assert note is not None
    assert (note.kind, note.path) == (NoteKind.READ, path)
    assert words in note.message


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.ts").write_bytes(b"x" * (LIMIT + 1))
    (tmp_path / "fits.ts").write_bytes(b"x" * LIMIT)
    data, note = read(tmp_path, "big.ts")
    assert data is None
    assert note is not None
    assert note.kind is NoteKind.LIMIT
    assert note.message == "the file is larger than 5 MB and is not read"
    assert read(tmp_path, "fits.ts") == (b"x" * LIMIT, None)


def test_a_file_that_grows_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.ts").write_bytes(b"x")
    monkeypatch.setattr(os, "read", lambda handle, size: b"x" * size)
    data, note = read(tmp_path, "log.ts")
    assert data is None
    assert note is not None
    assert note.kind is NoteKind.LIMIT


def test_text_in_another_encoding_is_read_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = 1\ny = '\xe9'\n")
    data, note = read(tmp_path, "latin.py")
    assert data == b"x = 1\ny = '\xe9'\n"
    assert note is not None
    assert (note.kind, note.line) == (NoteKind.READ, 2)
    assert "UTF-8" in note.message


@pytest.mark.parametrize(("data", "words"), [("const a = 1".encode("utf-16"), "UTF-16"), (b"G@\x11\x00B\xf0 video", "not text")])
def test_what_is_no_text_is_not_read(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.ts").write_bytes(data)
    content, note = read(tmp_path, "a.ts")
    assert content is None
    assert note is not None
    assert words in note.message


# --- what a file is for


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.test.ts", Role.TEST),
        ("src/a.spec.tsx", Role.TEST),
        ("src/Button.stories.tsx", Role.TEST),
        ("src/app.e2e-spec.ts", Role.TEST),
        ("src/__tests__/a.ts", Role.TEST),
        ("tests/a.py", Role.TEST),
        ("test/fixtures/a.py", Role.TEST),
        ("e2e/login.ts", Role.TEST),
        ("shop/test_utils/models.py", Role.TEST),
        ("app/conftest.py", Role.TEST),
        ("app/tests.py", Role.TEST),
        ("app/test_views.py", Role.TEST),
        ("app/views_test.py", Role.TEST),
        ("convex/test.setup.ts", Role.TEST),
        ("convex/testHelpers.ts", Role.TEST),
        ("convex/seed.ts", Role.SEED),
        ("convex/seedData.ts", Role.SEED),
        ("convex/init.ts", Role.SEED),
        ("convex/dev_seed.ts", Role.SEED),
        ("db/seeds/users.ts", Role.SEED),
        ("convex/demoSeed/internals.ts", Role.SEED),
        ("convex/seedlings/plants.ts", Role.CODE),
        ("fixtures/users.ts", Role.SEED),
        ("src/mockData.ts", Role.SEED),
        ("shop/create_test_data.py", Role.SEED),
        ("shop/sample_data.py", Role.SEED),
        ("shop/db/fixes/fix_names.py", Role.MIGRATION),
        ("src/__mocks__/api.ts", Role.SEED),
        ("convex/clearDevData.ts", Role.SEED),
        ("convex/models/phase4TestCleanup.ts", Role.SEED),
        ("convex/scripts/verifyUATSetup.ts", Role.SEED),
        ("convex/reset_demo.ts", Role.SEED),
        ("convex/migrations.ts", Role.MIGRATION),
        ("convex/migrations/x.ts", Role.MIGRATION),
        ("convex/migrateUsers.ts", Role.MIGRATION),
        ("convex/backfillUsers.ts", Role.MIGRATION),
        ("convex/user-backfill.ts", Role.MIGRATION),
        ("app/migrations/0002_seed.py", Role.MIGRATION),
        ("app/data_migrations/x.py", Role.MIGRATION),
        ("convex/testimonials.ts", Role.CODE),
        ("convex/contest.ts", Role.CODE),
        ("convex/latest.ts", Role.CODE),
        ("convex/tests.ts", Role.CODE),
        ("convex/seedling.ts", Role.CODE),
        ("convex/initialValues.ts", Role.CODE),
        ("convex/immigration.ts", Role.CODE),
        ("convex/mockups.ts", Role.CODE),
        ("convex/mockInterviews.ts", Role.CODE),
        ("convex/testScores.ts", Role.CODE),
        ("convex/devices.ts", Role.CODE),
        ("convex/demoRequests.ts", Role.CODE),
        ("convex/cleanup.ts", Role.CODE),
        ("convex/verifyEmail.ts", Role.CODE),
        ("src/attestation/a.ts", Role.CODE),
        ("spec.ts", Role.CODE),
        ("shop/data.py", Role.CODE),
        ("shop/fixed.py", Role.CODE),
        ("app/models.py", Role.CODE),
        ("Makefile", Role.CODE),
    ],
)
def test_the_role_of_a_file(path: str, expected: Role) -> None:
    assert role(path) is expected


@pytest.mark.parametrize("data", [b'const between = "\0";\n', b"\0" + "naïve 🙂".encode() * 2_000])
def test_a_text_may_hold_a_zero(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(data)
    assert read(tmp_path, "a.ts") == (data, None)


@pytest.mark.parametrize("data", [b"G@\0\x10" + b"\xff" * 100, b"a\0" * 100])
def test_a_film_is_no_text(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(data)
    found, note = read(tmp_path, "a.ts")
    assert found is None
    assert note is not None
    assert "not text" in note.message
