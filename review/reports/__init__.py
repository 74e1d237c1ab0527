"""The table of report formats."""

from review.reports.as_html import Html
from review.reports.as_json import Json
from review.reports.as_markdown import Markdown
from review.reports.as_pdf import Pdf
from review.reports.as_sarif import Sarif
from review.reports.report import Report

REPORTS: tuple[Report, ...] = (Json(), Markdown(), Sarif(), Html(), Pdf())
