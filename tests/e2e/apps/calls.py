"""A plain user of the openai package: what each word of the command line asks for, in turn."""

import os
import signal
import sys
from collections.abc import Callable

import openai
from openai.types.chat import ChatCompletionUserMessageParam

MESSAGES = [ChatCompletionUserMessageParam(role="user", content="Is it raining?")]
client = openai.OpenAI()


def chat() -> None:
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)


def stream() -> None:
    for _ in client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
        pass


def leave() -> None:
    """Keep a stream open until the process exits."""
    words = iter(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))
    next(words)
    kept.append(words)


def fork() -> None:
    child = os.fork()
    if child == 0:
        chat()
        sys.exit(0)
    os.waitpid(child, 0)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def twice() -> None:
    from tallyspan import TallyspanInstrumentor  # noqa: PLC0415

    TallyspanInstrumentor().instrument()
    chat()


def off() -> None:
    from tallyspan import TallyspanInstrumentor  # noqa: PLC0415

    TallyspanInstrumentor().uninstrument()
    TallyspanInstrumentor().uninstrument()
    chat()


def on() -> None:
    from tallyspan import TallyspanInstrumentor  # noqa: PLC0415

    TallyspanInstrumentor().instrument()


kept: list[object] = []
STEPS: dict[str, Callable[[], None]] = {
    step.__name__: step for step in (chat, stream, leave, fork, kill, twice, off, on)
}
for word in sys.argv[1:]:
    STEPS[word]()
