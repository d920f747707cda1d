"""A copy of the plugin in which every step can be made to raise.

The copy is the shipped source with a probe before each statement of each function and in each lambda. A probe does
nothing unless it is armed. Nothing else is
changed, unless an edit is asked for: that is how the proof itself is proved.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

import tallyspan

PACKAGE = Path(tallyspan.__file__).parent
_PROBE = "_probe_"
_PROBED = "probed/"

Edit = Callable[[str, ast.Module], None]
"""Changes a file's tree in place, given its name; only to show that the proof notices."""


@dataclass(slots=True)
class Probes:
    """
    What the probes of one copy do.

    Attributes:
        met: How often each step ran since they were armed; filled in every thread.
        raised: How often each armed step raised.
        ways: The functions of ours that led to each function, its own step first; None: nobody asks.
    """

    met: Counter[str] = field(default_factory=Counter[str])
    raised: Counter[str] = field(default_factory=Counter[str])
    ways: set[tuple[str, ...]] | None = None
    _armed: frozenset[str] = frozenset()
    _fault: Callable[[], Exception] = RuntimeError
    _when: Callable[[int], bool] = bool
    _resting: bool = True

    def arm(self, *steps: str, fault: Callable[[], Exception] = RuntimeError, only: int | None = None) -> None:
        """Let steps raise each time, or their `only`th time. Counting begins anew."""
        self._armed, self._fault = frozenset(steps), fault
        self._when = bool if only is None else lambda time: time == only
        self.met.clear()
        self.raised.clear()
        self._resting = False

    def rest(self) -> None:
        """Disarm, and count no more."""
        self._armed, self._resting = frozenset(), True

    def __call__(self, step: str) -> None:
        if self._resting:
            return
        self.met[step] += 1
        if self.ways is not None:
            self.ways.add((step, *_callers()))
        if step in self._armed and self._when(self.met[step]):
            self.raised[step] += 1
            raise self._fault()


def _callers() -> Iterator[str]:
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith(_PROBED):
            yield frame.f_code.co_qualname
        frame = frame.f_back


class _Prober(ast.NodeTransformer):
    """Puts the probes in. A function's first one bears its name, others also their line."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._names: list[str] = []
        self.steps: list[str] = []

    def _call(self, step: str) -> ast.expr:
        self.steps.append(step)
        return ast.Call(ast.Name(_PROBE, ast.Load()), [ast.Constant(step)], [])

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        named = isinstance(node.value, ast.Lambda)
        self._names.extend([f"{node.arg}="] * named)
        self.generic_visit(node)
        del self._names[len(self._names) - named :]
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node)
        step = f"{self._file}:{'.'.join([*self._names, '<lambda>'])}@{node.lineno}"
        both = ast.Tuple([self._call(step), node.body], ast.Load())
        node.body = ast.Subscript(both, ast.Constant(1), ast.Load())
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self._names.append(node.name)
        step = f"{self._file}:{'.'.join(self._names)}"
        documented = ast.get_docstring(node) is not None
        text, body = node.body[:documented], node.body[documented:]
        if body and not (isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)):
            first = ast.Expr(self._call(step))
            node.body = [*text, first, *self._block(step, body)[1:]]
        self._names.pop()
        return node

    def _block(self, step: str, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        probed: list[ast.stmt] = []
        for statement in body:
            probed.append(ast.Expr(self._call(f"{step}@{statement.lineno}")))
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.visit(statement)
            else:
                self._inside(step, statement)
            probed.append(statement)
        return probed

    def _inside(self, step: str, node: ast.AST) -> None:
        fields: list[tuple[str, Any]] = list(ast.iter_fields(node))
        for name, value in fields:
            if not isinstance(value, list):
                setattr(node, name, self._piece(step, value))
                continue
            pieces = cast("list[object]", value)
            statements = [piece for piece in pieces if isinstance(piece, ast.stmt)]
            new = self._block(step, statements) if statements else [self._piece(step, piece) for piece in pieces]
            setattr(node, name, new)

    def _piece(self, step: str, value: object) -> object:
        if isinstance(value, ast.expr | ast.keyword):
            return self.visit(value)
        if isinstance(value, ast.AST):
            self._inside(step, value)
        return value


class _Loader(SourceFileLoader):
    """Loads one file with its probes."""

    probes: Probes
    edit: Edit

    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.get_filename(fullname))
        file = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_bytes())
        self.edit(file, tree)
        probed = ast.fix_missing_locations(_Prober(file).visit(tree))
        return compile(probed, f"{_PROBED}{file}", "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[_PROBE] = self.probes
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the copy in place of the original."""

    def __init__(self, probes: Probes, edit: Edit) -> None:
        self._probes = probes
        self._edit = edit

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_ours(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        loader = _Loader(fullname, spec.origin)
        loader.probes, loader.edit = self._probes, self._edit
        spec.loader = loader
        spec.cached = None
        return spec


def _is_ours(name: str) -> bool:
    return name == "tallyspan" or name.startswith("tallyspan.")


def unedited(_file: str, _tree: ast.Module) -> None:
    """Leave a file as it is shipped."""


@contextmanager
def copied(probes: Probes, edit: Edit = unedited) -> Generator[Callable[[str], ModuleType]]:
    """Give an `import_module` that gives the copy; in here the copy is what everybody imports."""
    originals = {name: module for name, module in sys.modules.items() if _is_ours(name)}
    for name in originals:
        del sys.modules[name]
    finder = _Finder(probes, edit)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(originals)


def steps_of(file: str) -> list[str]:
    """Give every step of a file, reached or not."""
    prober = _Prober(file)
    prober.visit(ast.parse((PACKAGE / file).read_bytes()))
    return prober.steps
