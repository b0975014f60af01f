"""Keep e-mail templates and custom verification e-mail templates."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.ses.rendering import Content, check_template
from local.ses.responses import RequestError


@dataclass(frozen=True)
class Template:
    content: Content
    created_at: datetime


@dataclass
class Templates:
    """The templates of the account, by name."""

    templates: dict[str, Template] = field(default_factory=dict)
    verification: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Custom verification e-mail templates, as their requests have them."""

    def create(self, name: str, content: Content) -> None:
        if name in self.templates:
            raise RequestError("AlreadyExists", f"Template {name} already exists.")
        self._put(name, content)

    def update(self, name: str, content: Content) -> None:
        self.get(name)
        self._put(name, content)

    def get(self, name: str) -> Content:
        """Return a template.

        Raises:
            RequestError: if it does not exist.
        """
        if name not in self.templates:
            raise RequestError("TemplateDoesNotExist", f"Template {name} does not exist.")
        return self.templates[name].content

    def get_verification(self, name: str) -> dict[str, Any]:
        if name not in self.verification:
            code = "CustomVerificationEmailTemplateDoesNotExist"
            raise RequestError(code, f"Custom verification email template {name} does not exist.")
        return self.verification[name]

    def _put(self, name: str, content: Content) -> None:
        if content.subject is None:
            raise RequestError("InvalidTemplate", "The subject must be specified.")
        check_template(content)
        self.templates[name] = Template(content, datetime.now(UTC))
