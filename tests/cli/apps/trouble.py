"""A user of the openai package on a bad day: attempts that fail in every way that leaves the bill in doubt."""

import contextlib

import openai

client = openai.OpenAI(max_retries=1)


def ask(model: str, faults: str, *, stream: bool = False, read: int | None = None) -> None:
    """Ask once; of a stream, read so many chunks."""
    answer = client.with_options(timeout=0.4).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": f"Will it hold? [[fault:{faults}]]"}],
        max_tokens=120,
        stream=stream,
    )
    if isinstance(answer, openai.Stream):
        for number, _ in enumerate(answer):
            if number == read:
                answer.close()
                break


ask("gpt-4o", "ok")
ask("gpt-4o-mini", "timeout,ok")
ask("gpt-4.1", "500,ok")
ask("gpt-4.1-mini", "ok", stream=True, read=2)
ask("gpt-4o", "drop-body,ok")
with contextlib.suppress(openai.APIError):
    ask("gpt-4.1-nano", "timeout")
with contextlib.suppress(Exception):
    ask("gpt-4o-mini", "cut:3", stream=True)
