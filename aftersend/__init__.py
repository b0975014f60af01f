"""What happens after Amazon SES says yes: events read, recorded once, decided on and counted."""

__version__ = "0.1.0"
