"""Find recipients' addresses in logs and outputs."""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote


def leaks(texts: Mapping[str, str], addresses: Iterable[str]) -> list[str]:
    """Return which lines of which texts name an address in any letter case, quoted for URLs or escaped for JSON."""
    forms = {form for address in addresses for form in (address.lower(), address.lower().replace("+", " "))}
    return [
        f"{name}, line {number}: {_readable(line)[:200]}"
        for name, text in texts.items()
        if any(form in _readable(text) for form in forms)
        for number, line in enumerate(text.splitlines(), 1)
        if any(form in _readable(line) for form in forms)
    ]


def _readable(text: str) -> str:
    return unquote(text).replace("\\u0040", "@").lower()
