"""One kept answer, and its form on disk: plain bytes, numbers and paths behind a digest. Reading it runs nothing."""

from __future__ import annotations

from querylint.cache.digest import SIZE, digest

MAGIC = b"querylint answer 1\n"
Stamp = tuple[int, int, int, int]
"""Size, time of the last change, time of the last change of its own record, and number of a file, as the file system has them."""

UNKNOWN: Stamp = (-1, -1, -1, -1)
"""The stamp of what has to be looked into, since it changed too shortly before it was looked at."""


class Probe:
    """One thing that an answer depends on, by its path: what it was, and how it looked from outside."""

    __slots__ = ("digest", "path", "stamp")

    def __init__(self, path: str, stamp: Stamp, what: bytes) -> None:
        self.path = path
        self.stamp = stamp
        self.digest = what


class Filter:
    """Which names in a folder count: plain files by suffix or name, folders unless they are passed over. Other names say nothing."""

    __slots__ = ("names", "passed", "suffixes")

    def __init__(self, suffixes: frozenset[str], names: frozenset[str], passed: frozenset[str]) -> None:
        self.suffixes = suffixes
        self.names = names
        self.passed = passed


class Entry:
    """What a run said, and all that it had looked at.

    `files` are files by content, `folders` folders by the names in them that count, `ancestors` folders around the project by the
    `markers` in them, `links` paths with what they lead to.
    """

    __slots__ = ("ancestors", "code", "files", "filter", "folders", "key", "links", "markers", "stderr", "stdout")

    def __init__(
        self,
        key: bytes,
        stdout: bytes,
        stderr: bytes,
        code: int,
        files: list[Probe],
        folders: list[Probe],
        ancestors: list[Probe],
        links: list[tuple[str, str]],
        markers: frozenset[str],
        counting: Filter,
    ) -> None:
        self.key = key
        self.stdout = stdout
        self.stderr = stderr
        self.code = code
        self.files = files
        self.folders = folders
        self.ancestors = ancestors
        self.links = links
        self.markers = markers
        self.filter = counting


def encode(entry: Entry) -> bytes:
    """The answer as bytes."""
    words = entry.filter
    parts = [entry.key, entry.stdout, entry.stderr, entry.code.to_bytes(1, "little")]
    for probes in (entry.files, entry.folders, entry.ancestors):
        parts.append(_joined([probe.path for probe in probes]))
        parts.append(b"".join(number.to_bytes(8, "little", signed=True) for probe in probes for number in probe.stamp))
        parts.append(b"".join(probe.digest for probe in probes))
    parts += [_joined([path for path, _ in entry.links]), _joined([real for _, real in entry.links])]
    parts += [_joined(sorted(names)) for names in (entry.markers, words.suffixes, words.names, words.passed)]
    body = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return MAGIC + digest(body) + body


def decode(data: bytes) -> Entry | None:
    """The answer in these bytes; None where they hold none, or are not as they were written."""
    start = len(MAGIC) + SIZE
    if not data.startswith(MAGIC) or digest(data[start:]) != data[len(MAGIC) : start]:
        return None
    parts = []
    at = start
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if len(parts) != 19 or at != len(data):
        return None
    files, folders, ancestors = (_probes(*parts[n : n + 3]) for n in (4, 7, 10))
    links = list(zip(_split(parts[13]), _split(parts[14]), strict=True))
    markers, suffixes, names, passed = (frozenset(_split(part)) for part in parts[15:])
    counting = Filter(suffixes, names, passed)
    return Entry(parts[0], parts[1], parts[2], parts[3][0], files, folders, ancestors, links, markers, counting)


def _probes(paths: bytes, numbers: bytes, digests: bytes) -> list[Probe]:
    found = []
    for n, path in enumerate(_split(paths)):
        at = 32 * n
        row = [int.from_bytes(numbers[i : i + 8], "little", signed=True) for i in (at, at + 8, at + 16, at + 24)]
        found.append(Probe(path, (row[0], row[1], row[2], row[3]), digests[SIZE * n : SIZE * (n + 1)]))
    return found


def _joined(paths: list[str]) -> bytes:
    return b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)


def _split(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]
