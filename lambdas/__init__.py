"""Handle the invocations of the Lambda functions, one thin file each: gather, decide, apply."""
