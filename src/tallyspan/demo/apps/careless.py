"""A colleague's script: streams that decline to say what they used, and a time limit that is too short."""

import sys

import openai


def main() -> None:
    """Decline usage, then be impatient."""
    client = openai.OpenAI()
    for number in range(6):
        words = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": f"Sum up page {number}."}],
            stream=True,
            stream_options={"include_usage": False},
            max_tokens=200,
        )
        sys.stdout.write(f"{sum(1 for _ in words)} chunks\n")
    client.with_options(timeout=0.5).chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "Read this contract. [[fault:timeout,ok]]"}],
        max_tokens=200,
    )


if __name__ == "__main__":
    main()
