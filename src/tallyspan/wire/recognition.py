"""From what the SDK is asked to do to a call; and which requests of an http client belong to one."""

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tallyspan.usage.endpoints import Endpoint, endpoint_of, tabled_by_suffix
from tallyspan.usage.observe import CallHead
from tallyspan.usage.request import Ask, may_ask, read_ask, with_usage_asked
from tallyspan.wire.attempt import Attempt
from tallyspan.wire.call import CALL, Call, Recorder

_AZURE_CLIENT = "BaseAzureClient"
"""Base of the SDK's Azure clients (openai/lib/azure.py), in every generation."""

Arguments = tuple[Any, ...]
Keywords = dict[str, Any]


def call_of(
    recorder: Recorder,
    client: Any,
    args: Arguments,
    kwargs: Keywords,  # noqa: ANN401 - any SDK client
) -> tuple[Call, Arguments, Keywords] | None:
    """
    Begin a call for `client.request(*args, **kwargs)`: the call, and the arguments to pass down.

    None if nothing is charged for it, or if this is an inner layer of a call that has begun. Nothing of the caller's
    is changed: where usage is asked for, the options passed down are a copy.
    """
    recorder.closing.drain()
    options = kwargs["options"] if "options" in kwargs else args[1]
    endpoint = endpoint_of(options.method, _path(options.url))
    if endpoint is None:
        return None
    outer = CALL.get()
    if outer is not None and not outer.over and outer.options is options:
        return None
    body = _body(options)
    ask = read_ask(body, endpoint)
    head, root = _head(recorder, client, options.url, endpoint, ask)
    call = Call(recorder, head, _path(options.url), options, stream=ask.stream or kwargs.get("stream") is True)
    if kwargs.get("stream") is True and _may_ask(recorder, head, root, client, body):
        call.options, args, kwargs = _asking(options, args, kwargs)
        call.asks_usage = call.hides_usage = True
    recorder.closing.start()
    call.enter()
    return call, args, kwargs


def attempt_of(recorder: Recorder, request: Any) -> Attempt | None:  # noqa: ANN401 - httpx or httpx2
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
    elif call.sending or not call.fits(request):
        return None
    attempt = Attempt(call, request)
    call.attempt_begins()
    recorder.open_attempts.add(attempt)
    call.sending = True
    return attempt


def _without_sdk(recorder: Recorder, request: Any) -> Call | None:  # noqa: ANN401 - httpx or httpx2
    url = request.url
    if request.method != "POST" or not recorder.policy.is_own(url.host, url.port):
        return None
    endpoint = tabled_by_suffix(url.path)
    if endpoint is None:
        return None
    body = recorder.loads(request.content) if hasattr(request, "_content") else None
    ask = read_ask(body, endpoint)
    head = CallHead(
        call_id=recorder.new_id(),
        endpoint=endpoint,
        ask=ask,
        provider=recorder.policy.provider(url.host, url.port, azure="/openai/deployments/" in url.path),
        server_address=url.host,
        server_port=url.port or _default_port(url.scheme),
        attributes=recorder.policy.attribution(),
    )
    call = Call(recorder, head, endpoint.path, request, stream=ask.stream)
    call.alone = True
    recorder.closing.start()
    call.enter()
    return call


def _head(
    recorder: Recorder,
    client: Any,
    url: str,
    endpoint: Endpoint,
    ask: Ask,  # noqa: ANN401 - any SDK client
) -> tuple[CallHead, str]:
    base = urlsplit(url) if "://" in url else client.base_url
    host: str = (base.hostname if "://" in url else base.host) or ""
    azure = "/openai/" in base.path or any(kind.__name__ == _AZURE_CLIENT for kind in type(client).__mro__)
    head = CallHead(
        call_id=recorder.new_id(),
        endpoint=endpoint,
        ask=ask,
        provider=recorder.policy.provider(host, base.port, azure=azure),
        server_address=host,
        server_port=base.port or _default_port(base.scheme),
        attributes=recorder.policy.attribution(),
    )
    return head, base.path


def _may_ask(
    recorder: Recorder,
    head: CallHead,
    root: str,
    client: Any,
    body: object,  # noqa: ANN401 - any SDK client
) -> bool:
    """
    Tell whether this is a stream whose usage must be asked for, and may be.

    Only where the SDK was told to stream: a body that it reads at once could not be rid of the extra event.
    """
    stream = head.endpoint.stream
    if not head.ask.stream or stream is None or not stream.must_ask or not isinstance(body, Mapping):
        return False
    version = getattr(client, "_api_version", None)
    api_version = version if isinstance(version, str) else None
    return may_ask(body) and recorder.policy.may_ask_usage(head.provider, root, api_version)


def _asking(options: Any, args: Arguments, kwargs: Keywords) -> tuple[Any, Arguments, Keywords]:  # noqa: ANN401
    """Copy the options and let the copy ask; `extra_json` wins over `json_data`, as in the SDK's `_build_request`."""
    asking = copy.copy(options)
    extra = options.extra_json
    if isinstance(extra, Mapping) and "stream_options" in extra:
        asking.extra_json = with_usage_asked(extra)
    else:
        asking.json_data = with_usage_asked(options.json_data)
    if "options" in kwargs:
        return asking, args, {**kwargs, "options": asking}
    return asking, (args[0], asking, *args[2:]), kwargs


def _body(options: Any) -> object:  # noqa: ANN401 - the SDK's FinalRequestOptions
    body, extra = options.json_data, options.extra_json
    return {**body, **extra} if isinstance(body, Mapping) and isinstance(extra, Mapping) else body


def _path(url: str) -> str:
    """Return the path relative to the API's root; a whole URL loses its origin and its version."""
    if "://" in url:
        path = urlsplit(url).path
        return path[3:] if path.startswith("/v1/") else path
    path = url.partition("?")[0].rstrip("/")
    return path if path.startswith("/") else "/" + path


def _default_port(scheme: str) -> int:
    return 80 if scheme == "http" else 443
