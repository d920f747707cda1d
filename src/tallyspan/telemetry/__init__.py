"""What is recorded, told through the OpenTelemetry API: spans, metrics, and the books as log events."""
