"""What is written down: the record, its fields, its form in OTLP, and the rules of reading it again."""
