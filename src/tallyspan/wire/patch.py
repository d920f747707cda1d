"""Where the SDK and its http clients are wrapped: one table drives wrapping and putting back."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from wrapt import register_post_import_hook

from tallyspan.wire.recorder import Recorder
from tallyspan.wire.seam import Method, Seam, Wrapper, wrap_async_request, wrap_async_send, wrap_request, wrap_send


@dataclass(frozen=True, slots=True)
class Target:
    """A method to wrap, once its module is imported. `spread` also wraps subclasses that override it already."""

    module: str
    owner: str
    method: str
    wrapper: Wrapper
    spread: bool = False


TARGETS: tuple[Target, ...] = (
    Target("openai._base_client", "SyncAPIClient", "request", wrap_request, spread=True),
    Target("openai._base_client", "AsyncAPIClient", "request", wrap_async_request, spread=True),
    Target("httpx", "Client", "send", wrap_send),
    Target("httpx", "AsyncClient", "send", wrap_async_send),
    Target("httpx2", "Client", "send", wrap_send),
    Target("httpx2", "AsyncClient", "send", wrap_async_send),
)

_OURS = "_tallyspan_seam"


@dataclass(frozen=True, slots=True)
class _Layer:
    """One method that was wrapped; put back only where nobody wrapped after us."""

    owner: type
    method: str
    original: Method
    wrapper: Method

    def remove(self) -> None:
        if vars(self.owner).get(self.method) is self.wrapper:
            setattr(self.owner, self.method, self.original)


class Patch:
    """
    The wrapped methods.

    A rival that came first has put its own `request` on a subclass, over the original that it captured: that subclass
    is wrapped too, and the inner layer sees the options of a call that has begun and passes through.
    """

    def __init__(self) -> None:
        self.seam = Seam()
        self._layers: list[_Layer] = []
        self._hooked = False

    def install(self, recorder: Recorder) -> None:
        """Switch on. Imports nothing: what is not imported yet is wrapped when it is."""
        self.seam.recorder = recorder
        if not self._hooked:
            self._hooked = True
            for name in dict.fromkeys(target.module for target in TARGETS):
                register_post_import_hook(self._imported, name)
        else:
            for name in dict.fromkeys(target.module for target in TARGETS):
                if name in sys.modules:
                    self._imported(sys.modules[name])

    def uninstall(self) -> None:
        """Switch off: what can be put back is, the rest passes through; open streams end unrecorded."""
        self.seam.recorder = None
        for layer in reversed(self._layers):
            layer.remove()
        self._layers.clear()

    def _imported(self, module: ModuleType) -> None:
        recorder = self.seam.recorder
        if recorder is not None:
            recorder.guard.run("patching", self._wrap_module, module)

    def _wrap_module(self, module: ModuleType) -> None:
        for target in TARGETS:
            if target.module != module.__name__:
                continue
            owner: type = getattr(module, target.owner)
            for each in (owner, *(_overriding(owner, target.method) if target.spread else ())):
                self._wrap(each, target)

    def _wrap(self, owner: type, target: Target) -> None:
        original: Method = vars(owner)[target.method]
        if getattr(original, _OURS, None) is self.seam:
            return
        wrapper = target.wrapper(self.seam, original)
        setattr(wrapper, _OURS, self.seam)
        setattr(owner, target.method, wrapper)
        self._layers.append(_Layer(owner, target.method, original, wrapper))


def _overriding(owner: type, method: str) -> Iterator[type]:
    children: list[type] = owner.__subclasses__()
    for child in children:
        if method in vars(child):
            yield child
        yield from _overriding(child, method)
