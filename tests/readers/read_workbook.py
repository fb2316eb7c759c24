"""Reads a workbook from standard input with PyPI's openpyxl and writes its first sheet as JSON: real days and moments
as {"day": …} and {"moment": …}, everything else as text."""

import datetime
import io
import json
import sys

from openpyxl import load_workbook

book = load_workbook(io.BytesIO(sys.stdin.buffer.read()))
sheet = book.worksheets[0]


def said(cell):
    value = cell.value
    if isinstance(value, datetime.datetime):
        whole = value.time() == datetime.time() and "h" not in (cell.number_format or "")
        return {"day": value.date().isoformat()} if whole else {"moment": value.isoformat()}
    return "" if value is None else str(value)


print(
    json.dumps(
        {
            "sheet": sheet.title,
            "formats": sorted({cell.number_format for row in sheet.iter_rows() for cell in row}),
            "rows": [[said(cell) for cell in row] for row in sheet.iter_rows()],
            "fit": [sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight, sheet.page_setup.paperSize],
        },
        ensure_ascii=False,
    )
)
