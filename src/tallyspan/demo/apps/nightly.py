"""A nightly job that nobody thought of: it has a key of its own, and no telemetry."""

import openai


def main() -> None:
    """Rate the day."""
    client = openai.OpenAI(api_key="sk-nightly-job-key-0000000042")
    for number in range(5):
        client.chat.completions.create(
            model="o3", messages=[{"role": "user", "content": f"Rate conversation {number}."}]
        )


if __name__ == "__main__":
    main()
