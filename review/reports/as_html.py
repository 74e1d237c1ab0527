"""The analysis as one HTML page that needs nothing else: for a browser, a mail's attachment, a printer. No script is in it."""

from functools import cache
from pathlib import Path

from review.reports.page import page
from review.reports.report import Reported

MOST_FINDINGS = 2_000
"""Some 3 MB; a browser is slow with more, and nobody reads them."""


class Html:
    """Fulfils Report."""

    name = "html"
    media_type = "text/html; charset=utf-8"
    ending = "html"

    def write(self, reported: Reported) -> bytes:
        """See Report."""
        written: str = _template().render(page=page(reported, MOST_FINDINGS), most=MOST_FINDINGS)
        return written.encode("utf-8", "backslashreplace")


@cache
def _template():  # type: ignore[no-untyped-def]
    """Late: not every command writes HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html")
