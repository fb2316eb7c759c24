#!/usr/bin/env python3
"""Writes or checks the sample rotas and wish sheets that tests/it/rota_sheets.rs reads.

    rota_sheets.py DIRECTORY           writes the files
    rota_sheets.py --check DIRECTORY   exit status 1 when one of them is not what is written here

They are kept as offices keep theirs: titles and notes around the table, joined cells, era dates beside real
ones, full-width digits, names with and without 先生, months below each other, and cells that nobody can read.
People and places are invented.
"""

import datetime
import io
import re
import sys
import zipfile
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

WEEK = "月火水木金土日"
WIDE = str.maketrans("0123456789/()", "０１２３４５６７８９／（）")
MADE = datetime.datetime(2026, 9, 1, 9, 0, 0)

# In the order of the rota: 青木 is written by the clinic, 髙橋 in the form that Shift_JIS has, and so on.
DOCTORS = ["青木先生", "上田　健", "榎本", "大野 誠", "伊藤 美咲 先生", "小林医師", "木村", "髙橋", "鈴木裕子", "渡辺"]


def wide(text):
    return str(text).translate(WIDE)


def day_text(day, n):
    """One day in the forms that stand side by side in one office's list."""
    weekday = WEEK[day.weekday()]
    return [
        f"令和{wide(8)}年{wide(day.month)}月{wide(day.day)}日",
        datetime.datetime(day.year, day.month, day.day),
        f"R8.{day.month}.{day.day}",
        wide(f"{day.month}/{day.day}"),
        wide(day.day),
        f"{day.day}日（{weekday}）",
        f"{day.month}月{day.day}日",
    ][n % 7]


def doctor(n):
    return DOCTORS[n % len(DOCTORS)]


def rota_workbook():
    book = Workbook()
    book.properties.created = book.properties.modified = MADE
    cover = book.active
    cover.title = "お知らせ"
    listed = book.create_sheet("R8.10")
    head(listed)
    first = datetime.date(2026, 10, 1)
    row = 6
    for n in range(31):
        day = first + datetime.timedelta(days=n)
        if n == 15:
            # As on every printed page.
            row += 1
        listed.cell(row, 1, day_text(day, n))
        if isinstance(listed.cell(row, 1).value, datetime.datetime):
            listed.cell(row, 1).number_format = '[$-411]ggge"年"m"月"d"日"'
        listed.cell(row, 2, WEEK[day.weekday()])
        listed.cell(row, 3, doctor(n))
        listed.cell(row, 4, doctor(n + 3))
        listed.cell(row, 5, doctor(n + 5))
        listed.cell(row, 6, doctor(n + 7))
        row += 1
    rows = {n: 6 + n + (1 if n >= 15 else 0) for n in range(31)}
    # Three nights of one doctor, joined into one cell.
    for n in (6, 7):
        listed.cell(rows[n], 5).value = None
    listed.merge_cells(start_row=rows[5], end_row=rows[7], start_column=5, end_column=5)
    # Another hand wrote over it.
    listed.cell(rows[8], 3, "伊藤→小林")
    listed.cell(rows[9], 4, "未定")
    # What nobody can read: two doctors of that name, nobody of that name, a day of another weekday, no day.
    listed.cell(rows[11], 5, "佐藤先生")
    listed.cell(rows[13], 6, "田中")
    listed.cell(rows[20], 1, "21日（金）")
    listed.cell(rows[23], 1, "10月３２日")
    listed.cell(rows[25], 3, "青木・上田・榎本・大野")
    listed.cell(rows[27], 7, "事務局会議")
    listed.cell(row + 1, 1, "※ 変更は前日の正午までに事務局へお電話ください。")
    grid_sheet(book.create_sheet("月表"))
    return saved(book)


def head(sheet):
    sheet.merge_cells("A1:G1")
    sheet["A1"] = "令和８年１０月　在宅当番医表（青葉市医師会）"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["G2"] = "令和８年９月１日作成"
    for columns, text in [("A4:A5", "日　付"), ("B4:B5", "曜"), ("G4:G5", "備　考"), ("C4:D4", "昼　間"), ("E4:F4", "夜　間")]:
        sheet.merge_cells(columns)
        sheet[columns.split(":")[0]] = text
    for column, text in zip("CDEF", ["正", "副"] * 2):
        sheet[f"{column}5"] = text


def grid_sheet(sheet):
    """A month as a calendar hangs on the wall: two columns a weekday, the number in the first."""
    sheet["A1"] = "１０月 夜間当番表"
    for n, name in enumerate("日月火水木金土"):
        sheet.merge_cells(start_row=3, end_row=3, start_column=2 + 2 * n, end_column=3 + 2 * n)
        sheet.cell(3, 2 + 2 * n, name)
    first = datetime.date(2026, 10, 1)
    lead = (first.weekday() + 1) % 7
    for n in range(31):
        week, column = divmod(lead + n, 7)
        top = 4 + 3 * week
        sheet.cell(top, 2 + 2 * column, wide(n + 1))
        if n + 1 == 12:
            sheet.cell(top, 3 + 2 * column, "スポーツの日")
        for below, who in [(1, doctor(n)), (2, doctor(n + 4))]:
            sheet.merge_cells(
                start_row=top + below, end_row=top + below, start_column=2 + 2 * column, end_column=3 + 2 * column
            )
            sheet.cell(top + below, 2 + 2 * column, who)
            sheet.cell(top + below, 2 + 2 * column).alignment = Alignment(horizontal="center")
    for week in range(5):
        sheet.cell(5 + 3 * week, 1, "夜 正")
        sheet.cell(6 + 3 * week, 1, "夜 副")
    # The last row is somebody else's handwriting.
    sheet.cell(5, 10, "田中")


def wishes_workbook():
    book = Workbook()
    book.properties.created = book.properties.modified = MADE
    sheet = book.active
    sheet.title = "希望調査"
    sheet.merge_cells("A1:AG1")
    sheet["A1"] = "令和８年１０月分　当番希望調査票"
    sheet["A2"] = "×：不可　△：できれば避けたい　○：希望"
    sheet.merge_cells("A4:A5")
    sheet["A4"] = "Ｎｏ."
    sheet.merge_cells("B4:B5")
    sheet["B4"] = "氏　名"
    first = datetime.date(2026, 10, 1)
    for n in range(31):
        sheet.cell(4, 3 + n, wide(n + 1))
        sheet.cell(5, 3 + n, WEEK[(first + datetime.timedelta(days=n)).weekday()])
    people = ["青木 一郎", "上田 健", "榎本先生", "大野", "佐藤（花）", "佐藤", "田中 次郎", "木村直子"]
    for n, name in enumerate(people):
        row = 6 + n
        sheet.cell(row, 1, n + 1)
        sheet.cell(row, 2, name)
        for at in range(n, 31, 9):
            sheet.cell(row, 3 + at, "×△○✕"[(at + n) % 4])
    # 青木 is away for five days, said once in a joined cell; 上田 says something about a part of a day.
    sheet.cell(6, 20, "学会")
    for at in range(21, 25):
        sheet.cell(6, at).value = None
    sheet.merge_cells("T6:X6")
    sheet.cell(7, 15, "午後×")
    sheet.cell(8, 16, "？？")
    sheet.cell(15, 2, "合計")
    sheet.cell(15, 3, 3)
    lists = book.create_sheet("はがき")
    lists["A1"] = "令和８年１０月　ご都合の悪い日"
    for at, text in enumerate(["番号", "氏名", "不可日", "希望日", "備考"]):
        lists.cell(3, 1 + at, text)
    rows = [
        (1, "青木 一郎", "３日、１０〜１２日", "", ""),
        (2, "上田先生", "毎週水曜", "１７日", "学会のため"),
        (3, "榎本　清子", "10/5(月)・10/6(火)", "", ""),
        (4, "大野", "なし", "２５日(日)", ""),
        (5, "佐藤", "８日", "", "どちらの佐藤先生か不明"),
        (6, "木村", "中旬はむずかしい", "", ""),
        (7, "鈴木裕子", "9日(木)", "", ""),
    ]
    for n, row in enumerate(rows):
        for at, text in enumerate(row):
            lists.cell(4 + n, 1 + at, text)
    return saved(book)


def rota_csv():
    """A quarter in one list, two rows a day, as an older program exports it."""
    lines = ["青葉市医師会　在宅当番表,,,,,", "令和８年１０月〜１２月,,,,,", "", "月日,曜日,区分,正当番,副当番,備考"]
    day = datetime.date(2026, 10, 1)
    n = 0
    while day.year == 2026:
        if day.day == 1:
            lines.append(f"{wide(day.month)}月,,,,,")
        weekday = WEEK[day.weekday()]
        first, second = doctor(n), doctor(n + 4)
        note = "①班" if day.day == 1 else ""
        lines.append(f"{wide(day.day)}日,{weekday},昼,{first},{second},{note}")
        lines.append(f",,夜,{doctor(n + 2)},{doctor(n + 6)},")
        day += datetime.timedelta(days=1)
        n += 1
    text = "\r\n".join(lines) + "\r\n"
    # A slip in December, a name that two have, a seat that is looked for.
    text = text.replace("２０日,日,昼,", "２０日,月,昼,", 1) if "２０日,日,昼," in text else text
    parts = text.split("１１月,,,,,", 1)
    parts[1] = parts[1].replace("大野 誠,", "佐藤,", 1).replace(",木村,", ",募集中,", 1)
    return "１１月,,,,,".join(parts).encode("cp932")


def saved(book):
    """The same bytes each time: no clock in the archive."""
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as made:
        again = io.BytesIO()
        with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(made.namelist()):
                content = made.read(name)
                if name == "docProps/core.xml":
                    # The library writes the moment of saving.
                    content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", MADE.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
                archive.writestr(zipfile.ZipInfo(name, (2026, 9, 1, 9, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return again.getvalue()


def parts(content):
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


FILES = {"rota-2026-10.xlsx": rota_workbook, "rota-2026-q4.csv": rota_csv, "wishes-2026-10.xlsx": wishes_workbook}


def main(arguments):
    check = arguments[:1] == ["--check"]
    (directory,) = arguments[1:] if check else arguments
    differing = []
    for name, make in FILES.items():
        path, content = Path(directory) / name, make()
        if not check:
            path.write_bytes(content)
        elif not path.exists() or parts(path.read_bytes()) != parts(content):
            differing.append(name)
    if differing:
        sys.exit(f"not what rota_sheets.py writes: {', '.join(differing)}")


if __name__ == "__main__":
    main(sys.argv[1:])
