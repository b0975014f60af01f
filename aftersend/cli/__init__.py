"""The operator's command line: `aftersend`."""
