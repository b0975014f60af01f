"""Compare Aftersend with other projects' code, in an environment of its own (`make benchmark`)."""
