"""Where Convex code lives: functions folders and components, what governs them, and how their files are called."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.modules import Modules
from querylint.frontends.modules.manifests import folders_above, join
from querylint.frontends.modules.resolve import SUFFIXES
from querylint.pattern import Pattern

_GENERATED = "_generated"
_SCHEMA_NAMES = tuple(f"schema{suffix}" for suffix in SUFFIXES)
_CONFIG_NAMES = tuple(f"convex.config{suffix}" for suffix in SUFFIXES)
_IMPORTED = Pattern(rb"""["']((?:\./|(?:\.\./)+)_generated/server)(?:\.js)?["']""")
_IMPORTED_API = Pattern(rb"""["'](\.\.?/(?:[^"'\n]*/)?)_generated/api(?:\.js)?["']""")
_REGISTERS = Pattern(rb"\b(?:query|mutation|action|internalQuery|internalMutation|internalAction|httpAction)Generic\s*[(<]|\bcronJobs\s*\(")
_SCHEMA_CALL = Pattern(rb"(?<!function )\bdefine(?:Ent)?Schema\s*[(<]")
_DEFAULT = Pattern(rb"\bexport\s+default\b|\bas\s+default\b|\bmodule\.exports\b")
_SCHEMA_PACKAGE = Pattern(rb"""["'](?:convex/server|convex-ents)(?:\.js)?["']""")
_COMPONENT_CALL = Pattern(rb"\bdefineComponent\s*[(<]")
_APP_CALL = Pattern(rb"\bdefineApp\s*[(<]")


@dataclass(frozen=True, slots=True)
class ConvexRoot:
    """A functions folder, of an app or of a component. `schema` is the file that declares its tables, if there is one.

    `home` is the folder of the project that it serves: that of the convex.json which names it, else the folder that it lies in.
    """

    folder: str
    schema: str | None
    component: bool = False
    home: str = field(default="", compare=False)


def find_roots(files: Collection[str], generated: Collection[str], modules: Modules) -> tuple[ConvexRoot, ...]:
    """The Convex roots of a project, by folder.

    `generated` are the folders that hold a `_generated` folder (or paths within such), which need not be among the files.
    """
    known = frozenset(files)
    code = sorted(path for path in known if path.endswith(SUFFIXES) and f"/{_GENERATED}/" not in f"/{path}")
    occupied = {above for path in code for above in folders_above(path)}
    components = {posixpath.dirname(path) for path in _config_files(code) if _says(modules, path, _COMPONENT_CALL)}
    folders = set(components)
    folders |= {posixpath.dirname(path) for path in _config_files(code) if _says(modules, path, _APP_CALL)}
    configured = {folder: home for home, folder in _configured(known, modules) if folder in occupied}
    folders |= configured.keys()
    folders |= {folder for folder in map(_beside_generated, {*generated, *known}) if folder is not None and folder in occupied}
    for folder in sorted(occupied - folders):
        if posixpath.basename(folder) == "convex" and _is_functions_folder(folder, code, modules):
            folders.add(folder)
    for path in code:
        if posixpath.basename(path) in _SCHEMA_NAMES and folders.isdisjoint(folders_above(path)) and _defines_schema(modules, path):
            folders.add(posixpath.dirname(path))
    roots = [
        ConvexRoot(folder, _schema_of(folder, known), folder in components, configured.get(folder, posixpath.dirname(folder)))
        for folder in sorted(folders)
    ]
    return tuple(root for root in roots if not _of_the_root_around(root, roots, modules))


def _of_the_root_around(root: ConvexRoot, roots: list[ConvexRoot], modules: Modules) -> bool:
    """Whether a root has no tables but those of a root around it, whose schema it hands on: its code reads that one's indexes."""
    above = root_of(root.folder, [other for other in roots if other is not root])
    if above is None or above.schema is None or root.schema is None:
        return False
    declared = modules.exported(root.schema, "default")
    return declared is not None and declared.path == above.schema


def root_of(path: str, roots: Collection[ConvexRoot]) -> ConvexRoot | None:
    """The nearest root around a file; None for files outside all of them."""
    around = [root for root in roots if not root.folder or path.startswith(f"{root.folder}/")]
    return max(around, key=lambda root: len(root.folder), default=None)


def api_root(path: str, read: Callable[[str], bytes | None], roots: Collection[ConvexRoot]) -> str:
    """The folder that `api` refers to in a file outside of all roots.

    That is the one whose generated code the file imports, else the only application there is, or the one that serves the project which
    the file lies in. Empty where none of these is told.
    """
    applications = [root for root in roots if not root.component]
    if len(applications) == 1:
        return applications[0].folder
    imported = _IMPORTED_API.search(read(path) or b"")
    if imported is not None:
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), imported[1].decode("utf-8", "surrogateescape")))
        if any(root.folder == folder for root in applications):
            return folder
    around = [root for root in applications if not root.home or path.startswith(f"{root.home}/")]
    nearest = max((len(root.home) for root in around), default=0)
    serving = [root.folder for root in around if len(root.home) == nearest]
    return serving[0] if len(serving) == 1 else ""


def route_of(path: str, root: ConvexRoot) -> str:
    """How Convex calls a module of a root: its path below the functions folder without the suffix."""
    return posixpath.splitext(_below(path, root))[0]


def is_function_module(path: str, root: ConvexRoot) -> bool:
    """Whether Convex looks for functions in a file of a root."""
    inner = _below(path, root)
    folder, name = posixpath.split(inner)
    return (
        name.endswith(SUFFIXES)
        and not f"{folder}/".startswith(f"{_GENERATED}/")
        and name not in _SCHEMA_NAMES
        and not name.startswith((".", "#"))
        and name.count(".") == 1
        and " " not in inner
    )


def _below(path: str, root: ConvexRoot) -> str:
    return path.removeprefix(f"{root.folder}/") if root.folder else path


def _config_files(code: Collection[str]) -> Iterator[str]:
    return (path for path in code if posixpath.basename(path) in _CONFIG_NAMES)


def _says(modules: Modules, path: str, pattern: Pattern[bytes]) -> bool:
    source = modules.source(path)
    return source is not None and pattern.search(source) is not None


def _defines_schema(modules: Modules, path: str) -> bool:
    """Whether a file exports a schema, and not, as the libraries do, the means to make one."""
    said = all(_says(modules, path, pattern) for pattern in (_SCHEMA_CALL, _SCHEMA_PACKAGE, _DEFAULT))
    return said and modules.exported(path, "default") is not None


def _configured(files: Collection[str], modules: Modules) -> Iterator[tuple[str, str]]:
    """The folders of convex.json files with the functions folders that they name, `convex` where they name none."""
    for path in files:
        if posixpath.basename(path) == "convex.json":
            named = modules.record(path).get("functions")
            folder = join(posixpath.dirname(path), named if isinstance(named, str) and named else "convex")
            if folder is not None:
                yield posixpath.dirname(path), folder


def _beside_generated(path: str) -> str | None:
    """The functions folder of generated code, or a folder that was found to hold some."""
    if path.endswith(SUFFIXES) or f"/{_GENERATED}" in f"/{path}":
        before, found, _ = f"/{path}/".partition(f"/{_GENERATED}/")
        return before.strip("/") if found else None
    return path


def _is_functions_folder(folder: str, code: Collection[str], modules: Modules) -> bool:
    """Whether a folder named `convex` that nothing else speaks for holds functions: a schema, or files that import as functions do."""
    inside = f"{folder}/"
    own = [path for path in code if path.startswith(inside) and posixpath.basename(path).count(".") == 1]
    if any(f"{inside}{name}" in own for name in _SCHEMA_NAMES):
        return True
    # A package that is called convex is a library until its files say otherwise.
    packaged = bool(modules.record(f"{inside}package.json"))
    for path in own:
        source = modules.source(path) or b""
        if any(join(posixpath.dirname(path), found[1].decode()) == f"{inside}_generated/server" for found in _IMPORTED.finditer(source)):
            return True
        if not packaged and _SCHEMA_PACKAGE.search(source) is not None and _REGISTERS.search(source) is not None:
            return True
    return False


def _schema_of(folder: str, files: Collection[str]) -> str | None:
    return next((path for name in _SCHEMA_NAMES if (path := posixpath.join(folder, name)) in files), None)


def with_first(routes: frozenset[str], aliases: Mapping[tuple[str, str], str], first: Mapping[str, str]) -> frozenset[str]:
    """Routes, and with each that is one of several of a function the one by which that function goes first."""
    return routes | {first[key] for (_, route), key in aliases.items() if route in routes}
