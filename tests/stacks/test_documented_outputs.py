"""Hold that the outputs with functions' names, which the documentation names, exist."""

import re
from pathlib import Path

from aws_cdk.assertions import Template

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_outputs_that_the_documentation_names_exist(full_templates: dict[str, Template]):
    outputs = {name for template in full_templates.values() for name in template.to_json().get("Outputs", {})}
    text = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    named = set(re.findall(r"`(\w+FunctionName)(…?)`", text))
    assert len(named) > 4
    for name, rest in named:
        assert any(output.startswith(name) if rest else output == name for output in outputs), name
