"""The report on a project: a page that is complete, says the same each time, loads nothing, and shows what a source holds as text."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from querylint import cli
from querylint.errors import PathError
from querylint.remedy import Advice, Counter, Gather, Limit, PushDown, Stage, stage
from querylint.report import page
from querylint.report.page import Material
from querylint.report.page.findings import effort
from querylint.report.page.sizes import sized
from querylint.report.page.view import view
from querylint.rule import Severity
from querylint.survey import survey
from tools import found, unavailable

HOOKLABS = Path(__file__).parent.parent / "fixtures/apps/hooklabs"
SECTIONS = ["costliest", "matrix", "indexes", "paths", "roadmap", "others", "unseen", "method"]
HOSTILE = '</style></pre><script>alert(1)</script><img src="https://evil.test/x" onerror=alert(2)>'
VOID = frozenset(("meta", "br", "input", "path", "rect", "img", "link"))


class Page(HTMLParser):
    """What a page consists of; raises AssertionError where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.tags for key, value in attributes.items() if key == name]


@pytest.fixture(scope="module")
def material() -> Material:
    return survey([HOOKLABS])


@pytest.fixture(scope="module")
def html(material: Material) -> str:
    return page.render("html", material)


@pytest.fixture
def hostile(material: Material) -> Material:
    """The same, with what a project may be named or hold to break out of the page."""
    result = material.result
    findings = [
        replace(f, found=replace(f.found, message=f"`{HOSTILE}` is read", help=HOSTILE, function=f"a.ts::{HOSTILE}"))
        for f in result.findings
    ]
    return replace(material, title=HOSTILE, result=replace(result, findings=tuple(findings)), schema={HOSTILE: f"+{HOSTILE}\n"})


def test_the_page_has_every_section_in_order_and_every_link_leads_somewhere(html: str) -> None:
    parsed = Page(html)
    ids = parsed.all("id")
    assert [name for name in ids if name in SECTIONS] == SECTIONS
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in parsed.all("href")} <= set(ids)


def test_the_page_loads_nothing_and_its_policy_allows_its_one_style_only(html: str) -> None:
    parsed = Page(html)
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert not {key for _, attributes in parsed.tags for key in attributes if key.startswith("on") or key in ("style", "src")}
    assert all(href.startswith("#") for href in parsed.all("href"))
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert any(
        text == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" for text in parsed.all("content")
    )


def test_what_a_source_holds_is_text_in_the_page(hostile: Material) -> None:
    parsed = Page(page.render("html", hostile))
    assert not {tag for tag, _ in parsed.tags} & {"script", "img"}
    assert "alert(1)" in "".join(parsed.texts)


def test_what_a_source_holds_is_text_in_markdown(hostile: Material) -> None:
    kinds = {inner.type for token in MarkdownIt().parse(page.render("markdown", hostile)) for inner in (token, *(token.children or ()))}
    assert not kinds & {"html_block", "html_inline", "image", "link_open"}


@pytest.mark.parametrize("style", page.FORMATS)
def test_two_surveys_give_one_report_without_a_path_of_this_machine(material: Material, style: str) -> None:
    first, second = page.render(style, material), page.render(style, survey([HOOKLABS]))
    assert first == second
    assert str(HOOKLABS.parent) not in first


def test_hooklabs_is_told_from_the_verdict_to_the_roadmap(material: Material) -> None:
    told = view(material)
    assert told.facts[0] == "Of 51 endpoints with database access, 19 lead to a warning or an error."
    assert [finding.severity for finding in told.costliest][:3] == ["error", "error", "warning"]
    assert any(finding.edit is not None and finding.edit.lines for finding in told.costliest)
    get = next(e for e in told.matrix.endpoints if e.place.startswith("convex/socialPosts.ts") and e.name == "get")
    assert {table: (cell.text, cell.worst) for table, cell in get.touched(told.matrix.tables)}["postVariants"] == ("1r", "warning")
    assert "getPersonaPerformance → aiGenerations (reads for each item of personas, in turn)" in [chain.twin for chain in told.chains]
    assert [path for path, _ in told.schema] == ["convex/scheduledPosts.ts", "convex/schema.ts", "convex/socialAccounts.ts"]


def test_an_index_comes_before_the_query_that_reads_by_it_and_goes_last(material: Material) -> None:
    items = view(material).phases[1].items
    credits = next(item for item in items if item.title.startswith("credits:"))
    said = [task.text for task in credits.tasks]
    assert said[0] == "add `byStatusAndExpiresAt` (status, expiresAt)"
    assert said[1] == "deploy, and wait until it is built"
    assert said[2].startswith("`expireCredits`: ")
    assert said[3] == "drop `byKind` in a later deployment"


def test_a_table_that_only_grows_gets_a_job_and_no_second_query(material: Material) -> None:
    item = next(i for i in view(material).phases[2].items if any("cron" in task.text for task in i.tasks))
    assert item.tasks[0].text.startswith("`aiGenerations`: delete rows past their use")
    assert item.migration[0].startswith("In steps: decide how long rows are needed")


def test_indexes_of_large_tables_are_staged(material: Material) -> None:
    items = view(replace(material, large=frozenset({"credits"}))).phases[1].items
    credits = next(item for item in items if item.title.startswith("credits:"))
    assert credits.tasks[0].text.endswith(", staged")
    assert any("staged: true" in text for text in credits.migration)


MODELS = """from django.db import models


class Order(models.Model):
    shop = models.CharField(max_length=40)
    number = models.CharField(max_length=40)

    class Meta:
        indexes = [
            models.Index(fields=["shop"], name="order_shop_idx"),
            models.Index(fields=["shop", "number"], name="order_shop_number_idx"),
        ]


def find(number):
    return Order.objects.get(number=number)


def of(shop):
    return list(Order.objects.filter(shop=shop).order_by("number")[:20])


def make(number):
    return Order.objects.create(number=number)
"""


def test_where_a_planner_chooses_no_query_is_moved_and_nothing_is_staged(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/models.py").write_text(MODELS)
    items = view(replace(survey([tmp_path]), large=frozenset({"Order"}))).phases[1].items
    said = [task.text for item in items for task in item.tasks]
    assert re.fullmatch(r"add .+ \(number\)", said[0])
    assert said[1] == "apply the migration, and wait until it is built"
    assert said[-1] == "drop `order_shop_idx` in a later migration"
    migration = " ".join(text for item in items for text in item.migration)
    assert [word for word in ("CONCURRENTLY", "EXPLAIN", "staged: true") if word in migration] == ["CONCURRENTLY", "EXPLAIN"]


def test_every_finding_of_the_floor_has_its_place_in_one_phase(material: Material) -> None:
    told = view(material)
    planned = [task.anchor for phase in told.phases for item in phase.items for task in item.tasks if task.anchor]
    assert len(planned) == len(set(planned))
    due = {
        f.fingerprint
        for f in material.result.findings
        if f.severity is not Severity.INFO and f.rule not in ("unused-index", "redundant-index")
    }
    assert {f"f-{fingerprint[:20]}" for fingerprint in due} <= set(planned)


def test_sizes_that_are_stated_take_their_place_in_the_formulas(material: Material) -> None:
    assert sized("n × rows(posts)", {"posts": 120_000}) == "n × 120\u202f000"
    assert sized("rows(posts)", {"users": 5}) == ""
    told = view(replace(material, rows={"credits": 5000}))
    credits = next(f for f in told.costliest if f.table == "credits")
    assert (credits.now, credits.now_sized) == ("rows(credits)", "5\u202f000")
    assert all(not f.now_sized for f in told.costliest if f.table != "credits")


def test_nothing_is_measured_in_milliseconds_or_percent(html: str) -> None:
    assert not re.search(r"\d\s?(?:ms|%|percent)\b", "".join(Page(html).texts[1:]).partition("}")[2])


def test_effort_and_phase_follow_from_the_remedy() -> None:
    ranged = PushDown("posts", "by_author", ("author",), create=True)
    assert [effort(r) for r in (Gather(), Limit(1), ranged, Limit(paginate=True), Counter("posts"))] == [
        "small", "small", "medium", "medium", "large",
    ]  # fmt: skip
    assert [stage(r) for r in (Gather(), ranged, Counter("posts"), Advice("ask"), None)] == [
        Stage.CODE, Stage.INDEX, Stage.DATA, Stage.CODE, Stage.CODE,
    ]  # fmt: skip


def test_a_suppression_is_told_with_its_reason(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(HOOKLABS, app)
    users = app / "convex/users.ts"
    text = users.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "expect: unbounded" in line)
    users.write_text(text.replace(line, f"// querylint: ignore[unbounded-read] -- a yearly export\n{line}"), encoding="utf-8")
    assert [aside.reason for aside in view(survey([app])).suppressed] == ["a yearly export"]


def test_a_project_without_a_database_gets_a_report_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "a.ts").write_text("export const a = 1;\n")
    told = page.render("html", survey([tmp_path]))
    assert "uses a database in a way that querylint knows" in told
    Page(told)
    assert page.render("markdown", survey([tmp_path])).startswith("# Database access report")


def test_the_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.html"
    assert cli.run(["report", str(HOOKLABS), "-o", str(target), "--title", "HookLabs"]) == 0
    assert "<title>HookLabs</title>" in target.read_text(encoding="utf-8")
    assert cli.run(["report", str(tmp_path / "nowhere"), "-o", str(target)]) == 2
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(PathError):
        survey([tmp_path / "nowhere"])


@pytest.fixture(scope="module")
def address(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


MARKS_OUT_OF_SIGHT = """
[...document.querySelectorAll("article pre .mark")].filter((mark) => {
  const range = document.createRange(), first = mark.textContent.search(/\\S/);
  range.setStart(mark.firstChild, first); range.setEnd(mark.firstChild, first + 1);
  return range.getBoundingClientRect().right > mark.closest("pre").getBoundingClientRect().right;
}).length / document.querySelectorAll("article pre .mark").length
"""
"""The share of marks of snippets that begin where a reader has to scroll sideways to see them."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_shows_it_without_a_request_and_without_sideways_scrolling(address: str, scheme: str) -> None:
    driver = pytest.importorskip("playwright.sync_api")
    browser_path = found("chromium") or found("google-chrome")
    if browser_path is None:
        unavailable("no Chromium on this machine")
    with driver.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
        asked: list[str] = []
        said: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("console", lambda message: said.append(message.text))
        shown.goto(address)
        shown.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        width = shown.evaluate("document.documentElement.scrollWidth")
        hidden = shown.evaluate(MARKS_OUT_OF_SIGHT)
        paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        shown.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = false))")
        shown.set_viewport_size({"width": 720, "height": 1000})
        shown.emulate_media(media="print")
        printed = shown.evaluate("[document.documentElement.scrollWidth, document.querySelector('article details pre').checkVisibility()]")
        browser.close()
    assert asked == [address]
    assert said == []
    assert width == 360
    assert hidden <= 0.25
    assert printed == [720, True]
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
