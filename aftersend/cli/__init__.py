"""Provide the command `aftersend` for operators."""
