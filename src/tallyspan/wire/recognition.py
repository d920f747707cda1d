"""From what the SDK is asked to do to a call; and which requests of an http client belong to one."""

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from tallyspan.usage.document import Object, as_object
from tallyspan.usage.endpoints import Endpoint, endpoint_of, tabled_by_suffix
from tallyspan.usage.observe import CallHead
from tallyspan.usage.request import Ask, may_ask, read_ask, with_usage_asked
from tallyspan.wire.attempt import SENDING, Attempt
from tallyspan.wire.call import CALL, Call
from tallyspan.wire.http import Request, Url, body_at_hand
from tallyspan.wire.recorder import Recorder
from tallyspan.wire.sdk import Client, Options

_AZURE_CLIENT = "BaseAzureClient"
"""Base of the SDK's Azure clients (openai/lib/azure.py), in every generation."""

Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = dict[str, Any]


def call_of(
    recorder: Recorder, client: Client, args: Arguments, kwargs: Keywords
) -> tuple[Call, Arguments, Keywords] | None:
    """
    Begin a call for `client.request(*args, **kwargs)`: the call, and the arguments to pass down.

    None if nothing is charged for it, or if this is an inner layer of a call that has begun. Nothing of the caller's
    is changed: where usage is asked for, the options passed down are a copy.
    """
    recorder.closing.drain()
    options: Options = kwargs["options"] if "options" in kwargs else args[1]
    path = _path(options.url)
    endpoint = endpoint_of(options.method, path)
    outer = CALL.get()
    if endpoint is None or (outer is not None and not outer.over and outer.options is options):
        return None
    body = _body(options)
    ask = read_ask(body, endpoint)
    server = _server(recorder, client, options.url)
    streams = kwargs.get("stream") is True
    call = Call(recorder, _head(recorder, endpoint, ask, server), path, options, stream=ask.stream or streams)
    if streams and body is not None and _may_ask(recorder, call, server, client, body):
        call.options, args, kwargs = _asking(options, args, kwargs)
        call.asks_usage = call.hides_usage = True
    call.enter()
    return call, args, kwargs


def attempt_of(recorder: Recorder, request: Request) -> Attempt | None:
    """
    Begin an attempt for a request that an http client is about to send.

    None for other traffic, and for what is sent inside an attempt. A tabled POST to a host of OpenAI's own outside any
    call makes a call of its own, which is over as soon as its attempt is.
    """
    call = CALL.get()
    if call is None or call.over:
        call = _without_sdk(recorder, request)
        if call is None:
            return None
    elif _is_inside(call) or not call.fits(request):
        return None
    attempt = Attempt(call, request)
    call.attempt_begins()
    recorder.open_attempts.add(attempt)
    attempt.depart()
    return attempt


def _is_inside(call: Call) -> bool:
    """Tell whether an attempt of this call is on its way in this very context."""
    outer = SENDING.get()
    return outer is not None and outer.call is call and outer.is_sending


class _Whole(NamedTuple):
    """The parts of a whole URL that was given to `request()`."""

    scheme: str
    host: str
    port: int | None
    path: str


@dataclass(frozen=True, slots=True)
class _Server:
    """Where a call goes; `root` is the path of the API's root there."""

    provider: str
    host: str
    port: int
    root: str


def _server(recorder: Recorder, client: Client, given: str) -> _Server:
    azure = _is_azure(type(client))
    if "://" not in given:
        return _served(recorder, client.base_url, azure=azure)
    whole = urlsplit(given)
    return _served(recorder, _Whole(whole.scheme, whole.hostname or "", whole.port, whole.path), azure=azure)


@lru_cache(maxsize=64)
def _is_azure(kind: type) -> bool:
    return any(base.__name__ == _AZURE_CLIENT for base in kind.__mro__)


def _served(recorder: Recorder, url: Url, *, azure: bool) -> _Server:
    host, port, path = url.host, url.port, url.path  # read once: each is worked out anew
    provider = recorder.policy.provider(host, port, path, azure=azure)
    return _Server(provider, host, port or (80 if url.scheme == "http" else 443), path)


def _head(recorder: Recorder, endpoint: Endpoint, ask: Ask, server: _Server) -> CallHead:
    return CallHead(
        call_id=recorder.new_id(),
        endpoint=endpoint,
        ask=ask,
        provider=server.provider,
        server_address=server.host,
        server_port=server.port,
        attributes=recorder.policy.attribution(),
    )


def _without_sdk(recorder: Recorder, request: Request) -> Call | None:
    url = request.url
    if request.method != "POST" or not recorder.policy.is_own(url.host, url.port):
        return None
    endpoint = tabled_by_suffix(url.path)
    if endpoint is None:
        return None
    ask = read_ask(_decoded(recorder, body_at_hand(request)), endpoint)
    server = _served(recorder, url, azure=False)
    call = Call(recorder, _head(recorder, endpoint, ask, server), endpoint.path, request, stream=ask.stream)
    call.alone = True
    call.enter()
    return call


def _decoded(recorder: Recorder, body: bytes | None) -> object:
    try:
        return None if body is None else recorder.loads(body)
    except (ValueError, RecursionError):
        return None


def _may_ask(recorder: Recorder, call: Call, server: _Server, client: Client, body: Object) -> bool:
    """
    Tell whether this is a stream whose usage must be asked for, and may be.

    Only where the SDK was told to stream: a body that it reads at once could not be rid of the extra event.
    """
    stream = call.head.endpoint.stream
    if not call.head.ask.stream or stream is None or not stream.must_ask:
        return False
    version: object = getattr(client, "_api_version", None)
    api_version = version if isinstance(version, str) else None
    return may_ask(body) and recorder.policy.may_ask_usage(server.provider, server.root, api_version)


def _asking(options: Options, args: Arguments, kwargs: Keywords) -> tuple[Options, Arguments, Keywords]:
    """Copy the options and let the copy ask; `extra_json` wins over `json_data`, as in the SDK's `_build_request`."""
    asking = copy.copy(options)
    extra = as_object(options.extra_json)
    if extra is not None and "stream_options" in extra:
        asking.extra_json = with_usage_asked(extra)
    else:
        asking.json_data = with_usage_asked(as_object(options.json_data) or {})
    if "options" in kwargs:
        return asking, args, {**kwargs, "options": asking}
    return asking, (args[0], asking, *args[2:]), kwargs


def _body(options: Options) -> Object | None:
    body, extra = as_object(options.json_data), as_object(options.extra_json)
    return body if extra is None else {**(body or {}), **extra}


def _path(url: str) -> str:
    """Return the path relative to the API's root; a whole URL loses all before it."""
    if "://" in url:
        path = urlsplit(url).path
        row = tabled_by_suffix(path)
        if row is not None:
            return row.path
        return path[3:] if path.startswith("/v1/") else path
    path = url.partition("?")[0].rstrip("/")
    return path if path.startswith("/") else "/" + path
