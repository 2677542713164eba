"""`querylint report --logs`: what was measured, on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from querylint import cli
from system_logs import APP, runs, written_insights, written_logs


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return written_logs(tmp_path)


@pytest.fixture
def insights(tmp_path: Path) -> Path:
    return written_insights(tmp_path)


def report(*args: str | Path) -> int:
    return cli.run(["report", str(APP), *map(str, args)])


def test_the_page_ranks_by_what_was_measured(logs: Path, insights: Path, tmp_path: Path) -> None:
    plain, measured = tmp_path / "plain.html", tmp_path / "measured.html"
    assert report("-o", plain) == report("--logs", logs, "--logs", insights, "-o", measured) == 0
    assert 'id="measured"' not in plain.read_text()
    assert "<dt>Measured</dt>" not in plain.read_text()
    page = measured.read_text()
    assert 'href="#measured"' in page
    assert "532 calls of 6 functions of happy-otter-123 in 7 min" in page
    assert str(tmp_path) not in page, "where the logs lay is nobody's business"
    first = page.partition("<article")[2].partition("</article>")[0]
    assert "getDashboardStats" in first
    assert "one run has read 27,000 documents (9 MB) of <code>socialPosts</code>" in first
    rows = re.findall(r'<th scope="row">(\S+) (?:query|mutation)</th></tr>', page)
    assert rows == ["socialPosts:getDashboardStats", "socialPosts:list", "credits:consume", "users:getCurrent"]


def test_markdown_with_what_was_measured(logs: Path, tmp_path: Path) -> None:
    settings = tmp_path / "querylint.toml"
    settings.write_text("[budget]\np95 = 100\n")
    assert report("--logs", logs, "--format", "markdown", "-o", tmp_path / "report.md", "--config", settings) == 0
    page = (tmp_path / "report.md").read_text()
    section = page.partition("## Measured\n")[2].partition("\n## ")[0]
    assert "| ---: | ---: |" in section
    assert "| 20 | 0 % | 500 ms | 500 ms | 500 ms | 5,000 | 66 % |" in section
    assert "- **over budget** `socialPosts:getDashboardStats`: 95th percentile of the time 500 ms, allowed 100 ms" in section
    assert "- measured: `socialPosts:getDashboardStats`: 20 calls, p95 500 ms" in page


def test_names_of_a_log_are_inert_on_the_page(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"onload='
    occ = {"tableName": evil, "writeSource": evil, "retryCount": 1}
    path = tmp_path / "logs.jsonl"
    path.write_text("".join(f"{json.dumps(e)}\n" for e in runs(f"{evil}:x", 2, 1, 1, componentPath=evil, occInfo=occ)))
    assert report("--logs", path, "-o", tmp_path / "r.html") == 0
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_report_of_a_log_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report("--logs", tmp_path / "none", "-o", tmp_path / "r.html") == 2
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()
