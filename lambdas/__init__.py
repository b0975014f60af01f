"""The Lambda functions, one thin file each: gather, decide, apply."""
