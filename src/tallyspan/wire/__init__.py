"""The edge to the OpenAI client: what it sends and gets, watched where all its generations look alike."""
