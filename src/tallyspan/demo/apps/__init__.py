"""The applications of the demo: plain users of the openai package, which know nothing of tallyspan."""
