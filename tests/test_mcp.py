"""The server for coding agents, asked by the official client over the pipes of a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from git_project import OLD_SIN, READING_HELPERS, GitProject, environment


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.write({"convex/helpers.ts": READING_HELPERS})
    return project


def asked(project: GitProject, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    async def session() -> Any:
        command = StdioServerParameters(command=sys.executable, args=["-m", "querylint", "mcp"], cwd=str(project.folder), env=environment())
        async with Client(command) as client:
            return await ask(client)

    return asyncio.run(asyncio.wait_for(session(), 60))


def told(answer: Any) -> tuple[bool, str]:
    return bool(answer.is_error), "".join(part.text for part in answer.content)


def test_an_agent_lists_checks_and_asks_why(project: GitProject) -> None:
    async def ask(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert sorted(tool.name for tool in tools) == ["check", "explain", "indexes", "rules"]
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)

        wrong, text = told(await client.call_tool("check", {}))
        assert not wrong
        assert [line.split()[2] for line in text.splitlines() if line.startswith("convex/")] == ["unbounded-read", "loop-read"]
        assert text.splitlines()[-1].startswith("3 findings, 2 shown; next: querylint explain unbounded-read")

        _, text = told(await client.call_tool("check", {"changed": True}))
        assert "convex/posts.ts:10:24: warning loop-read" in text
        assert "convex/old.ts" not in text
        _, text = told(await client.call_tool("check", {"paths": ["convex/old.ts"], "rules": ["unbounded-read"], "most": 1}))
        assert text.count("convex/old.ts:4:") >= 1
        _, text = told(await client.call_tool("explain", {"rule": "loop-read"}))
        assert text.startswith("loop-read · warning")
        _, text = told(await client.call_tool("indexes", {"paths": ["convex/schema.ts"], "everything": True}))
        assert "by_author" in text
        _, text = told(await client.call_tool("rules", {}))
        assert "waterfall" in text

    before = project.git("status", "--porcelain")
    asked(project, ask)
    assert project.git("status", "--porcelain") == before


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("check", {"paths": ["../../etc"]}, "`../../etc` leads out of the project"),
    ("check", {"paths": ["/etc/passwd"]}, "`/etc/passwd` leads out of the project"),
    ("check", {"paths": ["convex/none.ts"]}, "does not exist"),
    ("indexes", {"paths": ["../.."]}, "`../..` leads out of the project"),
    ("check", {"since": "no-such"}, "`no-such` is not a known commit"),
    ("check", {"rules": ["lop-read"]}, "did you mean `loop-read`?"),
    ("explain", {"rule": "lop-read"}, "did you mean `loop-read`?"),
]


def test_a_mistake_is_a_sentence_and_the_server_goes_on(project: GitProject) -> None:
    async def ask(client: Client) -> None:
        for tool, arguments, words in MISTAKES:
            wrong, text = told(await client.call_tool(tool, arguments))
            assert wrong
            assert words in text

    asked(project, ask)
