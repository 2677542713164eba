"""`python -m benchmarks`: lay out the trees, install the peers, run all in turns, print the table and keep it in RESULTS.md."""

from __future__ import annotations

import argparse
import compileall
import math
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import querylint
import querylint_rules
import querylint_templates
from benchmarks import races, trees
from benchmarks.measure import Contestant, Measured, in_turns, ratio
from benchmarks.peers import Peers

HERE = Path(__file__).parent


def main() -> None:
    """Run what was asked for."""
    options = _options()
    work: Path = options.work.resolve()
    _compile()
    peers = Peers(work / "tools")
    missing = peers.install()
    for package in missing:
        print(f"{package} cannot be installed here and is left out", file=sys.stderr)
    given = [trees.tree(name or Path(path).name, Path(path).resolve()) for name, _, path in (t.rpartition("=") for t in options.tree)]
    convex = [t for t in given if _has_convex(t.path)] if given else [trees.convex(work), trees.monorepo(work)]
    django = [t for t in given if t not in convex] if given else [trees.django(work)]
    sections = [_heading(peers, missing, options.rounds)]
    for tree in convex:
        cold = races.cold(tree)
        every = [cold, *(races.cold(tree, python) for python in options.beside), *races.typescript(tree, peers)]
        sections.append(_race(f"Cold, {tree.name}", every, options.rounds, options.limit, tree))
        sections.append(_race(f"Cold against ESLint, {tree.name}", [cold, *races.eslint(tree, peers)], options.few, options.limit, tree))
    for tree in django:
        every = [races.cold(tree), *(races.cold(tree, python) for python in options.beside), *races.python(tree, peers)]
        sections.append(_race(f"Cold, {tree.name}", every, options.rounds, options.limit, tree))
    if options.scale and convex:
        sections += _scaled(convex[0], options.scale, work, peers, options)
    text = "\n".join(sections)
    print(text)
    options.output.write_text(text)


def _has_convex(folder: Path) -> bool:
    """Whether there are functions of Convex in a tree, or a component of it (which need not be in a folder `convex`)."""
    return any(folder.rglob("convex")) or any(folder.rglob("convex.config.*"))


def _compile() -> None:
    """The byte code of the analyzer, as pip writes it for what it installs: where the analyzer runs from a clone, nobody may have yet."""
    for package in (querylint, querylint_rules, querylint_templates):
        compileall.compile_dir(next(iter(package.__path__)), quiet=1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--tree", action="append", default=[], metavar="[NAME=]PATH", help="a tree to read instead of the packages (repeatable)"
    )
    parser.add_argument(
        "--beside", action="append", default=[], type=_interpreter, metavar="PYTHON", help="whose querylint races as well (repeatable)"
    )
    parser.add_argument("--scale", type=int, nargs="*", default=[1000, 10_000], metavar="FILES", help="sizes of the scaled copies")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each race (%(default)s)")
    parser.add_argument("--few", type=int, default=3, help="rounds of the races that take minutes (%(default)s)")
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a contestant is stopped (%(default)s)")
    parser.add_argument("--work", type=Path, default=HERE / ".work", help="where trees and tools are kept")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md", help="where the table goes")
    return parser.parse_args()


def _interpreter(text: str) -> Path:
    return Path(text).absolute()


def _heading(peers: Peers, missing: Sequence[str], rounds: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in peers.versions().items())
    left = f" Not installable where this ran: {', '.join(missing)}." if missing else ""
    return (
        "# Results\n\n"
        f"Made by `python -m benchmarks` on {time.strftime('%Y-%m-%d')}: querylint {querylint.__version__}, "
        f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()}), "
        f"{platform.system()} {platform.machine()}; {versions}.{left} "
        f"All contestants of a race run in turns; medians of {rounds} rounds where nothing else is said. CPU and memory are those of the "
        "whole process with its children. A ratio is that of querylint's CPU to the other's, the median over the rounds: below 1, "
        "querylint takes less.\n"
    )


def _race(title: str, contestants: Sequence[Contestant], rounds: int, limit: float, tree: trees.Tree) -> str:
    print(f"{title} ({tree.path})", file=sys.stderr)
    measured = in_turns(contestants, rounds, limit, lambda line: print(line, file=sys.stderr))
    lines = [f"## {title}", "", f"{tree.files:,} files, {tree.lines:,} lines; {rounds} rounds.", ""]
    lines += ["| command | CPU s | wall s | peak MB | querylint takes |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_row(one, measured[0]) for one in measured), ""])


def _row(one: Measured, first: Measured) -> str:
    if not one.runs:
        return f"| {one.name} | {one.failure} | | | |"
    took = one.middle
    compared = f"{ratio(first, one):.2f} ×" if one is not first and first.runs else ""
    return f"| {one.name} | {took.cpu:.2f} | {took.wall:.2f} | {took.peak:.0f} | {compared} |"


def _scaled(seed: trees.Tree, sizes: Sequence[int], work: Path, peers: Peers, options: argparse.Namespace) -> list[str]:
    rounds, few, limit = options.rounds, options.few, options.limit
    sections = []
    colds: list[tuple[int, float]] = []
    for size in sizes:
        tree = trees.scaled(seed, size, work)
        cache = work / "cache" / tree.path.name
        cold = in_turns([races.cold(tree)], few, limit, lambda line: print(line, file=sys.stderr))[0]
        if cold.runs:
            colds.append((tree.files, cold.middle.cpu))
        peak = f"{cold.middle.cpu:.2f} s CPU, {cold.middle.peak:.0f} MB" if cold.runs else cold.failure
        beside = [races.git(tree), *races.typescript(tree, peers)[:1], races.click(tree)]
        sections.append(_race(f"Warm, {tree.name}", [races.warm(tree, cache), *beside], rounds, limit, tree) + f"\nCold: {peak}.\n")
        if size <= min(sizes):
            pythons = [races.HERE, *options.beside]
            changed = [
                races.changed(tree, work / "cache" / f"{tree.path.name} {number} {moved}", python, moved=moved)
                for moved in (False, True)
                for number, python in enumerate(pythons)
            ]
            changed.append(races.click(tree))
            sections.append(_race(f"One changed file, {tree.name}", changed, few, limit, tree))
    if len(colds) > 1:
        (small, less), *_, (large, more) = colds
        exponent = math.log(more / less) / math.log(large / small)
        sections.append(f"Exponent of cold CPU over files, {small:,} to {large:,}: {exponent:.2f}.\n")
    return sections


if __name__ == "__main__":
    main()
