"""A worker that is killed while it waits for an answer."""

import openai


def main() -> None:
    """Ask for something that takes long."""
    openai.OpenAI().chat.completions.create(
        model="gpt-4.1-mini",
        messages=[{"role": "user", "content": "Translate the catalogue. [[fault:timeout]]"}],
        max_tokens=200,
    )


if __name__ == "__main__":
    main()
