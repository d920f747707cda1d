"""The one table of causes, and the page made from it."""

import re

from inline_snapshot import external_file

from tallyspan.reconcile.causes import CAUSES, Code, Family

HEAD = """# Causes

Generated from `tallyspan.reconcile.causes`; a test proves it current, and pytest's `--inline-snapshot=fix` writes it
anew.

Every finding of `tallyspan check` has one of these codes. *Proven*: predicted from the records before looking, exact,
without a rival, and with direct evidence. *Likely*: it fits, and nothing else does as well. *Possible*: it fits, so it
explains nothing yet. The verdict does not depend on a cause: an explained difference is a difference.
"""


def _section(family: Family) -> str:
    rows = [
        f"| `{code}` | {cause.title} | {cause.highest} | {cause.severity.name.lower()} | {cause.means} | {cause.do} |\n"
        for code, cause in CAUSES.items()
        if cause.family is family
    ]
    head = "| code | cause | at most | severity | what it is | what to do |\n| --- | --- | --- | --- | --- | --- |\n"
    return f"\n## {family.capitalize()}\n\n{head}{''.join(rows)}"


def test_the_page_of_causes_is_current() -> None:
    assert HEAD + "".join(_section(family) for family in Family) == external_file("../../docs/causes.md", format=".txt")


def test_a_code_is_the_letter_of_its_family_and_two_digits() -> None:
    letters = {Family.MISSING: "M", Family.EXTRA: "X", Family.SHIFTED: "S", Family.COVERAGE: "C"}
    for code, cause in CAUSES.items():
        assert re.fullmatch(letters.get(cause.family, "U") + r"\d\d", code)


def test_every_code_has_its_row() -> None:
    assert set(CAUSES) == set(Code)
