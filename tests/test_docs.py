"""What the pages say is so: links lead somewhere, and every command that is shown can be given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from git_project import ROOT
from querylint.cli import door

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
SHOWN = re.compile(r"(?:^|`)querylint ([^`\n#|]+)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target + anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_can_be_given(page: Path) -> None:
    for line in SHOWN.findall(page.read_text(encoding="utf-8")):
        words = shlex.split(line.replace("\\", " "))
        if not re.fullmatch(r"[a-z][a-z|]*", words[0]):
            continue
        for name in words[0].split("|"):
            command = door.get_command(click.Context(door), name)
            assert command is not None, line
            given = words[1:]
            while isinstance(command, click.Group) and given:
                command, given = command.commands[given[0].split("|")[0]], given[1:]
            known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
            assert {word.split("=")[0] for word in given if word.startswith("--")} <= known, line
