"""Parse Amazon SES events, record each once, decide who is suppressed, and count message tags."""
