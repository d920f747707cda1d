"""`tallyspan check` as it is called: files in any order, exit codes, and one line where it could not run."""

import gzip
import json
import os
from pathlib import Path

import pytest

from tallyspan import cli

CASES = Path(__file__).parents[1] / "reconcile" / "cases"
USAGE = "completions_usage_2026-11-19_2026-11-19.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path, "agrees")


def laid_out(folder: Path, case: str) -> Path:
    (folder / "books.jsonl").write_bytes((CASES / case / "books.jsonl").read_bytes())
    (folder / USAGE).write_bytes((CASES / case / "usage.csv").read_bytes())
    return folder


def check(*words: str | Path) -> int:
    return cli.main(["check", *map(str, words)])


def test_files_are_known_by_content_in_any_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books, usage = folder / "books.jsonl", folder / USAGE
    outs: list[str] = []
    for words in ([books, usage], [usage, books], [folder], [books, usage, books, folder]):
        assert check(*words) == 0
        outs.append(capsys.readouterr().out.split("\n\n")[1])
    assert outs == ["✓ AGREES  1 of 1 buckets identical"] * len(outs)


def test_coverage_comes_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(folder)
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "2026-11-19 UTC · books cover 1 of 1 days · 3 of 3 requests · 100.0 % of tokens"


def test_a_packed_file_is_read(folder: Path) -> None:
    plain = folder / "books.jsonl"
    (folder / "books.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert check(folder) == 0


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("agrees", 0),
        ("retry_charged_twice", 0),
        ("foreign_key", 1),
        ("books_of_another_time", 1),
        ("nothing_at_all", 3),
    ],
)
def test_the_exit_code_is_the_verdict(tmp_path: Path, case: str, code: int) -> None:
    assert check(laid_out(tmp_path, case)) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--fail-on", "never"], 0),
        (["--tol-requests", "12", "--tol-tokens", "10800"], 0),
        (["--tol-requests", "100%", "--tol-tokens", "99.5%"], 0),
        (["--tol-tokens", "10800"], 1),
    ],
)
def test_the_gate_is_set_by_flags(tmp_path: Path, words: list[str], code: int) -> None:
    assert check(laid_out(tmp_path, "foreign_key"), *words) == code


def test_unknowns_are_gated_by_flag(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, "retry_charged_twice")
    assert check(folder, "--max-unknown", "600") == 0
    assert check(folder, "--max-unknown", "599") == 1


def test_json_is_one_document_with_every_key_of_its_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(laid_out(tmp_path, "foreign_key_and_retry"), "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 0
    assert {
        *("schema_version", "verdict", "exit_code", "window", "coverage", "totals", "buckets", "findings"),
        "unexplained",
    } <= set(document)
    assert (document["verdict"], document["exit_code"]) == ("disagrees", 1)
    for finding in document["findings"]:
        assert {"code", "family", "title", "certainty", "amount", "bounds", "evidence", "do"} <= set(finding)
    (bucket,) = document["buckets"]
    parts = [part["amount"]["input"] for part in bucket["parts"]]
    assert sum(parts) + bucket["residual"]["input"] == bucket["variance"]["input"] == 800


def test_quiet_is_short(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(folder, "-q")
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_without_books_the_bill_is_printed_and_nothing_was_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder / USAGE) == 3
    captured = capsys.readouterr()
    assert "tallyspan bill" in captured.out
    assert "nothing was compared" in captured.err


def test_without_an_export_nothing_was_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder / "books.jsonl") == 3
    assert "NOTHING TO COMPARE" in capsys.readouterr().out


def test_a_window_narrows_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = laid_out(tmp_path, "day_without_books")
    assert check(folder) == 1
    assert check(folder, "--until", "2026-11-19") == 0
    assert check(folder, "--since", "2026-11-20") == 1
    assert "C06" in capsys.readouterr().out


def test_days_that_no_export_covers_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--since", "2026-11-17", "--until", "2026-11-19") == 0
    out = capsys.readouterr().out
    assert "C02 window wider than the export" in out
    assert "no export covers 2026-11-17 to 2026-11-18: 2 UTC days" in out


def test_a_window_outside_the_export_is_nothing_to_compare(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--since", "2027-01-01") == 3
    out = capsys.readouterr().out
    assert "NOTHING TO COMPARE  no export covers" in out or "NOTHING TO COMPARE  neither" in out


def test_several_exports_are_one(tmp_path: Path) -> None:
    laid_out(tmp_path, "agrees")
    (tmp_path / "again.csv").write_bytes((tmp_path / USAGE).read_bytes())
    assert check(tmp_path) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "yesterday"], "--since: found 'yesterday', expected a UTC day"),
        (["--since", "2026-11-20", "--until", "2026-11-19"], "--since 2026-11-20 is after --until 2026-11-19"),
        (["--tol-tokens", "few"], "--tol-tokens: found 'few', expected a whole number or a percentage"),
        (["--max-unknown", "$5"], "dollars are not compared by this version"),
        (["--settle", "1d"], "--settle: found '1d', expected whole hours"),
        (["--kind", "books.jsonl"], "--kind: found 'books.jsonl', expected FILE=KIND"),
        (["--tol-token", "5"], "did you mean '--tol-tokens'?"),
        (["--newest", "other.csv"], "--newest other.csv: not one of the exports given"),
        (["missing.csv"], "missing.csv: can not be opened"),
    ],
)
def test_what_can_not_run_is_one_line(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert said in captured.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            USAGE,
            b"start_time,end_time,num_model_requests,model,input_tokens,output_tokens\n1,2,3,m,12x,1\n",
            f"{USAGE}:2",
        ),
        ("books.jsonl", b"nothing of the kind\n", "books.jsonl:1"),
        (
            USAGE,
            b"start_time,end_time,num_model_requests,model,input_tokens,output_tokens\n1795046401,1795132801,3,m,1,1\n",
            "expected one inside a UTC day",
        ),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_printed(
    folder: Path, name: str, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(content)
    assert check(folder) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_a_named_file_that_is_neither_is_an_error_and_one_in_a_folder_is_skipped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = folder / "note.txt"
    note.write_text("hello")
    assert check(folder) == 0
    assert "note.txt: neither books nor an export, skipped" in capsys.readouterr().err
    assert check(folder, note) == 2


def test_lines_of_json_beside_the_books_are_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "batch_input.jsonl").write_text('{"custom_id": "a", "method": "POST"}\n')
    assert check(folder) == 0
    assert "batch_input.jsonl: neither books nor an export, skipped" in capsys.readouterr().err


def test_a_pipe_is_refused_and_never_waited_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = folder.parent / "pipe"
    os.mkfifo(pipe)
    assert check(pipe, folder / USAGE) == 2
    assert capsys.readouterr().err.startswith(f"{pipe}: found a pipe or a device, expected a file")


def test_a_kind_of_a_file_that_was_not_given_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--kind", "boks.txt=books") == 2
    assert capsys.readouterr().err == "--kind boks.txt: not one of the files given\n"


def test_json_is_json_where_no_export_can_be_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--format", "json") == 0
    compared = json.loads(capsys.readouterr().out)
    assert check(folder / "books.jsonl", "--format", "json") == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["exit_code"]) == ("nothing_to_compare", 3)
    assert document.keys() == compared.keys()


def test_a_wrong_choice_is_answered_with_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--fail-on", "foo") == 2
    assert "(choose from 'error', 'warning', 'never')" in capsys.readouterr().err


def test_the_user_may_say_what_a_file_is(folder: Path) -> None:
    books = folder / "books.jsonl"
    renamed = books.rename(folder / "books.txt")
    renamed.write_bytes(b"torn" * 2000 + b"\n" + renamed.read_bytes())
    assert check(renamed, folder / USAGE) == 2
    assert check(renamed, folder / USAGE, "--kind", f"{renamed}=books") == 0
