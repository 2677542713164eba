"""Installed packs of rules are found without the library that knows all about packages, and as it would find them."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from querylint.packs import packs

GROUP = "querylint.rules"


def install(folder: Path, name: str, text: str | None) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    if text is not None:
        (info / "entry_points.txt").write_text(text)


def told(group: str) -> set[str]:
    return {point.value for point in entry_points(group=group)}


def test_what_is_installed_here_is_found() -> None:
    assert packs(GROUP) == told(GROUP)


def test_packs_are_those_of_their_section_and_the_first_of_two_of_a_name_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "one", "My_Pack", "[console_scripts]\nmy = my:main\n\n[querylint.rules]\n# ours\nmine = my_rules\nmore=more_rules\n")
    install(tmp_path / "one", "other", "[querylint.rulesets]\nx = no_rules\n")
    install(tmp_path / "one", "plain", None)
    install(tmp_path / "two", "my_pack", "[querylint.rules]\nmine = hidden_rules\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "none")])
    assert packs(GROUP) == {"my_rules", "more_rules"} == told(GROUP)


def test_packs_in_an_archive_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "packed", "[querylint.rules]\nmine = packed_rules\n")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in tmp_path.rglob("*.txt"):
            archive.write(file, file.relative_to(tmp_path).as_posix())
        for file in tmp_path.rglob("METADATA"):
            archive.write(file, file.relative_to(tmp_path).as_posix())
    monkeypatch.setattr(sys, "path", [str(tmp_path / "all.zip")])
    assert packs(GROUP) == {"packed_rules"}
