"""A shop's assistant: chats, streams, embeddings, and a call that is refused once and sent again."""

import sys

import openai

MODEL = "gpt-5-mini"


def main() -> None:
    """Serve some customers."""
    client = openai.OpenAI()
    for number in range(8):
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": f"Where is order {number}?"}])
    for number in range(4):
        words = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": f"Write to customer {number}."}], stream=True
        )
        sys.stdout.write(f"{sum(1 for _ in words)} chunks\n")
    client.embeddings.create(model="text-embedding-3-small", input=["blue shoes", "red hats"])
    client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Busy? [[fault:429,ok]]"}])


if __name__ == "__main__":
    main()
