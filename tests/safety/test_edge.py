"""The functions that hold the guard do only guarded things, and the proof notices a guard that is gone."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.safety.guest import Guest, Road
from tests.safety.house import GENERATION, House
from tests.safety.probes import PACKAGE
from tests.safety.proof import EDGE, Proof, Try, Visit, road_of
from tests.safety.shapes import SHAPES

GUARDED = frozenset({"guard.run", "recorder.guard.run", "self._guard.run", "self.guard.run", "self._run"})
HOUSE = frozenset({"_bound", "_bound(wrapped, self)", "super", "own"})
"""What the application would have called itself."""
PASSING = frozenset(
    {
        "_afollow",
        "_follow",
        "aclosing",
        "isinstance",
        "len",
        "self._give_up",
        "self._guard.failed",
        "self._let_go",
        "self.extensions.get",
        "watched.broke",
        "watched.feed",
        "watched.follows",
        "watched.left",
        "watched.over",
        "followed.left",
    }
)
"""The edge's own functions, and steps of the language on things that are there."""
OF_ITS_OWN = {
    # binding what was wrapped is what Python does for a method that nobody wrapped
    "wire/seam.py:_bound": {"getattr", "bind", "type"},
    # the thread: what waits is run under the guard
    "wire/closing.py:Closing._work": {"os.getpid", "self._queue.get"},
    # inside its own `try`, whose `except Exception` holds
    "wire/guard.py:Guard.run": {"step", "self.failed"},
    "wire/guard.py:Guard.failed": {"type", "self._said.add", "self._say"},
    "wire/watch.py:Watch.feed": {"split_events", "scan.scan"},
    # made of constants
    "wire/watch.py:Watch._give_up": {"Seen"},
    # the application's own trace callback, waited for where it is to be
    "wire/exchange.py:traced_async.trace": {"inspect.isawaitable"},
    # what `async for` leaves to us: the generator underneath is closed where it can be
    "wire/body.py:_afollow": {"hasattr", "chunks.aclose"},
    # a copy: Python's own way, of the real class
    "wire/body.py:_Followed.__reduce_ex__": {"type", "tuple"},
}


SHAPE = {shape.name: shape for shape in SHAPES}


def functions(file: str) -> dict[str, ast.AST]:
    """Give a file's functions and lambdas by the names of their first steps."""
    found: dict[str, ast.AST] = {}

    def walk(node: ast.AST, names: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found[f"{file}:{'.'.join([*names, name])}"] = child
                    walk(child, (*names, name))
                case ast.ClassDef(name=name):
                    walk(child, (*names, name))
                case ast.keyword(arg=str(arg), value=ast.Lambda()):
                    walk(child, (*names, f"{arg}="))
                case ast.Lambda():
                    found[f"{file}:{'.'.join([*names, '<lambda>'])}"] = child
                case _:
                    walk(child, names)

    walk(ast.parse((PACKAGE / file).read_bytes()), ())
    return found


def calls_in(function: ast.AST) -> Iterator[str]:
    """Give what a function calls, under the names that it uses; an annotation calls nothing."""
    body = function.body if isinstance(function, ast.Lambda) else ast.Module(function.body, [])  # type: ignore[attr-defined]
    for node in ast.walk(body):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("name", sorted(EDGE))
def test_the_edge_does_only_guarded_things(name: str) -> None:
    function = functions(name.partition(":")[0])[name]
    allowed = GUARDED | HOUSE | PASSING | OF_ITS_OWN.get(name, set())
    unguarded = {call for call in calls_in(function) if call not in allowed and not call.startswith("super().")}
    assert unguarded == set()


@pytest.mark.parametrize("name", sorted(EDGE))
def test_every_function_of_the_edge_is_really_one(proof: Proof, name: str) -> None:
    """Were its fault not seen, it would not have to be left out of the proof."""
    assert any(list(proof.problems(visit, attempt)) for visit, attempt in chances(proof, name))


def chances(proof: Proof, name: str) -> Iterator[tuple[Visit, Try]]:
    """Give the visits in which a function of the edge runs; some run only when another step has failed."""
    for shape in proof.shapes:
        for after in ("", "usage/scan.py:EventScan.scan"):
            visit = Visit(shape, road_of(shape), "auto")
            proof.visited(visit, Try(after) if after else None)
            steps = [step for step in proof.guest.probes.met if step.partition("@")[0] == name]
            yield from ((visit, Try(step, after=after)) for step in steps)


@dataclass
class Unguard(ast.NodeTransformer):
    """Calls the step of one guarded place directly."""

    place: str
    done: int = 0

    def edit(self, tree: ast.Module) -> None:
        """Change a file's tree."""
        self.visit(tree)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not ast.unparse(node.func).endswith("guard.run") or len(node.args) < 2:
            return node
        place, step, *rest = node.args
        if not (isinstance(place, ast.Constant) and place.value == self.place):
            return node
        self.done += 1
        return ast.Call(step, rest, node.keywords)


GUARDS: tuple[tuple[str, str, str], ...] = (
    ("a call", "wire/recognition.py:call_of", "chat"),
    ("a call's error", "wire/call.py:Call.leave", "500"),
    ("a call's return", "wire/call.py:Call.leave", "chat"),
    ("an attempt", "wire/recognition.py:attempt_of", "chat"),
    ("a request", "wire/seam.py:_sending", "chat"),
    ("an attempt's error", "wire/seam.py:_failed", "lost"),
    ("an answer", "wire/seam.py:_answered", "chat"),
    ("a trace", "wire/exchange.py:Exchanges.note", "chat"),
    ("reading a stream", "wire/watch.py:Watch._level", "stream"),
    ("timing a stream", "wire/watch.py:Watch._first", "stream"),
    ("ending a stream", "wire/watch.py:Watch._end", "stream"),
    ("leaving a stream", "wire/watch.py:Watch._leave", "stream closed"),
    ("an end that waited", "wire/attempt.py:Attempt.finish", "stream closed"),
)
"""Each guarded place, a step that it guards, and a shape that comes by."""

INNER = {"an intent", "the thread", "a span"}
"""Places inside another: there a fault is kept from the steps that follow, not from the application."""

ELSEWHERE = {"patching", "exit", "a fork", "flushing", "switching on", "switching off", "a call's end"}
"""Places that no shape comes by: switching on and off, and a coroutine that is closed before its end."""


def test_every_guard_is_known() -> None:
    calls = [
        node
        for room in ("wire/*.py", "instrumentor.py")
        for file in PACKAGE.glob(room)
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("guard.run")
    ]
    places = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert places == {place for place, _, _ in GUARDS} | INNER | ELSEWHERE


@pytest.mark.parametrize("kind", ["", "async "], ids=["sync", "async"])
@pytest.mark.parametrize("gone", GUARDS, ids=[place for place, _, _ in GUARDS])
def test_a_guard_that_is_gone_is_noticed(house: House, tmp_path: Path, gone: tuple[str, str, str], kind: str) -> None:
    place, step, name = gone
    unguard = Unguard(place)
    proof = Proof(house, Guest(house.api.host, tmp_path, lambda _file, tree: unguard.edit(tree)), SHAPES)
    visit = Visit(SHAPE[kind + name], Road.EVENTS)
    assert proof.seen_of([(visit, Try(step))]) != {}
    assert unguard.done


def test_a_stream_s_filter_without_guard_is_noticed(house: House, tmp_path: Path) -> None:
    def edit(file: str, tree: ast.Module) -> None:
        for node in ast.walk(tree) if file == "wire/watch.py" else ():
            if isinstance(node, ast.Try):
                node.handlers[0].type = ast.Name("ZeroDivisionError", ast.Load())

    proof = Proof(house, Guest(house.api.host, tmp_path, edit), SHAPES)
    assert proof.seen_of([(Visit(SHAPE["stream"], Road.EVENTS), Try("usage/scan.py:EventScan.scan"))]) != {}


@pytest.mark.skipif(GENERATION >= 3, reason="the SDK takes no other exception for a lost connection any more")
def test_without_the_guard_the_request_would_be_sent_and_charged_again(house: House, tmp_path: Path) -> None:
    unguard = Unguard("an answer")
    proof = Proof(house, Guest(house.api.host, tmp_path, lambda _file, tree: unguard.edit(tree)), SHAPES)
    visit = Visit(SHAPE["chat"], Road.EVENTS)
    seen = proof.visited(visit, Try("wire/seam.py:_answered", "RuntimeError"))
    assert len(proof.alone(visit.shape).requests) == 1
    assert len(seen.requests) == 2
