"""Turn Amazon SES events into a suppression list and exact counters per message tag."""

__version__ = "0.1.0"
