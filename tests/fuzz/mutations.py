"""What can befall a source: noise, cuts, splices of real code, names that turn in circles, and shapes of absurd depth or length."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzz.grafts import grafted

TOKEN = re.compile(rb"[A-Za-z_$][\w$]*|\d[\w.]*|\s+|[^\w\s]")
NAME = re.compile(rb"[A-Za-z_$][\w$]*")
NOISE = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"\x1b[31m"),
    *b'\\ ` ${ """ \' /* */ // # {% %} {{ }} < </ @ ... => ?. ** := ;'.split(),
)
WORDS = (
    b"await async for while if else return yield class extends import from export default this self super lambda with try except catch "
    b"finally match case switch typeof new del not in of as is const def function enum namespace type break continue raise throw None"
).split()
BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"<", b">"), (b"`${", b"}`"), (b"f'{", b"}'"), (b"/*", b"*/"))

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def _spot(text: bytes, random: Random) -> int:
    """A place between two tokens."""
    cuts = [match.start() for match in TOKEN.finditer(text)]
    return random.choice(cuts) if cuts else 0


def _span(text: bytes, random: Random, most: int = 400) -> tuple[int, int]:
    start = _spot(text, random)
    return start, min(len(text), start + random.randint(1, most))


def deleted(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(text, random)
    return text[:start] + text[end:]


def doubled(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(text, random)
    return text[:end] + text[start:end] * random.choice((1, 1, 2, 30)) + text[end:]


def swapped(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    a, b = sorted((_span(text, random, 80), _span(text, random, 80)))
    if b[0] < a[1]:
        return text
    return text[: a[0]] + text[b[0] : b[1]] + text[a[1] : b[0]] + text[a[0] : a[1]] + text[b[1] :]


def noised(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    for _ in range(random.choice((1, 1, 2, 8))):
        at = random.choice((_spot(text, random), random.randint(0, len(text))))
        text = text[:at] + random.choice((*NOISE, bytes([random.randrange(256)]))) + text[at:]
    return text


def cut(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    return text[: random.randint(0, len(text))]


def spliced(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    start, end = _span(other, random, 1500)
    at = _spot(text, random)
    return text[:at] + other[start:end] + text[at:]


def renamed(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    """One name stands for another: things call, extend and import themselves."""
    names = NAME.findall(text)
    if len(names) < 2:
        return text
    old: bytes = random.choice(names)
    new: bytes = random.choice(names)
    pattern = re.compile(rb"(?<![\w$])" + re.escape(old) + rb"(?![\w$])")
    most = random.choice((0, 1, 2))
    return pattern.sub(lambda _: new, text, count=most)


def worded(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    spots = [match.span() for match in NAME.finditer(text)]
    if not spots:
        return text
    start, end = random.choice(spots)
    word = random.choice(WORDS)
    return text[:start] + random.choice((word, word + b" " + text[start:end])) + text[end:]


def nested(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    opening, closing = random.choice(BRACKETS)
    depth = random.choice((3, 60, 400, 3000, 100_000)) if random.random() < 0.3 else random.randint(1, 40)
    start, end = _span(text, random, 60)
    shut = closing * random.choice((depth, depth, 0))
    return text[:start] + opening * depth + text[start:end] + shut + text[end:]


def lengthened(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    """A chain, a sum, a ladder of conditions, or one endless line."""
    times = random.choice((20, 300, 2000, 10_000)) if random.random() < 0.3 else random.randint(2, 60)
    _start, end = _span(text, random, 30)
    link = random.choice(
        (
            b".a",
            b"[0]",
            b"()",
            b"?.b()",
            b" + x",
            b" && y",
            b" or z",
            b" ? 1 : 2",
            b", x",
            b"; x = y",
            b"\nx = x(x)",
            b"\nif x: y()",
            b" else",
        )
    )
    if random.random() < 0.1:
        return text.replace(b"\n", b" ")
    return text[:end] + link * times + text[end:]


def indented(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    head = random.choice(
        (b"for x in y:", b"if x:", b"def f():", b"class A(A):", b"async def f(x=f):", b"while x:", b"try:", b"with a as b:")
    )
    depth = random.choice((1, 3, 15, 90))
    ladder = [b" " * i + head for i in range(depth)]
    return b"\n".join([*lines[:at], *ladder, *(b" " * depth + line for line in lines[at:])])


MUTATIONS: tuple[Mutation, ...] = (
    *(deleted, doubled, swapped, noised, cut, spliced, renamed, renamed, worded, nested, lengthened, indented),
    *(grafted, grafted, grafted),
)


def mutated(text: bytes, random: Random, seeds: Sequence[bytes], most: int = 1_000_000) -> bytes:
    """A source after one to four mishaps; never longer than `most` bytes."""
    if random.random() < 0.4:  # what still parses goes deeper into the analyzer than what does not
        return grafted(text, random, seeds)[:most]
    for _ in range(random.choice((1, 1, 2, 4))):
        text = random.choice(MUTATIONS)(text, random, seeds)[:most]
    return text
