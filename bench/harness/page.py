"""docs/benchmarks.md: two parts, each of which is written when it is measured and else left as it stands."""

from pathlib import Path

MARK = "<!-- What follows is written by `make bench TOOLS=scale`. -->\n"


def write(page: Path, compared: str | None, scaled: str | None) -> None:
    """Replaces what was measured anew."""
    before, mark, after = page.read_text().partition(MARK) if page.exists() else ("", "", "")
    parts = [(compared or before).rstrip() + "\n"]
    if scaled or mark:
        parts += [MARK, (scaled or after).strip() + "\n"]
    page.write_text("\n".join(parts))
