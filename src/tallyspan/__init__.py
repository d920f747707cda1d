"""Record every token the OpenAI client spends, and check it against OpenAI's own exports."""
