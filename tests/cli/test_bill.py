"""`tallyspan bill` on what OpenAI wrote, and on files that it can not read."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tallyspan import cli

REAL = Path(__file__).parents[1] / "statements" / "real" / "2025-04-23-incident"
ACTIVITY = str(REAL / "activity-2025-04-23-2025-04-24.csv")
COST = str(REAL / "cost_2025-03-24_2025-04-23.csv")
HEADER = "start_time,end_time,num_model_requests,model,input_tokens,output_tokens"
ROW = "1745366400,1745452800,{},gpt-4o,1000,10"


def ran(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    assert cli.main(["bill", *argv]) == code
    out, err = capsys.readouterr()
    assert (out == "") is (code == 2)
    assert err.count("\n") == (1 if code else 0)
    return err if code else out


def test_the_real_incident_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    text = ran(capsys, ACTIVITY, COST, "--charged", "132.42")
    for line in (
        "tts-1 alone equals the charge of $132.42 to the cent ($132.42405)",
        "  tts-1: 33 requests, 267,523 characters a request, 2025-04-23",
        "    8,828,270 characters \N{MULTIPLICATION SIGN} $15.00 per 1,000,000 = $132.42405",
        "  no other of 47 combinations of lines does (0.0004 would match by pure chance)",
        "  left on the same days: $1.0192647; with it, $1.02 more than was charged;",
        "  when and how that was charged is not in these files",
        "- costs: nothing about 2025-04-23 (1 day); activity there: 111 requests",
        "- costs for 2025-04-23 (1 day), grouped by line item: they hold what was charged for this usage",
    ):
        assert line in text.splitlines()
    assert "25 images \N{MULTIPLICATION SIGN} $0.04 each = $1.00 if standard quality, list price ($2.00 if hd" in text
    assert "list price, not in the file: genai-prices" in text
    assert "as written they sum to 0.504867999999999999 usd, as the decimals that they stand for to 0.504868" in text
    assert "its last bucket ends 2025-04-22 24:00 UTC" in text
    assert "@" not in text


def test_the_order_of_files_never_matters(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [
        json.loads(ran(capsys, *files, "--charged", "$132.42", "--format", "json"))
        for files in ((ACTIVITY, COST), (COST, ACTIVITY))
    ]
    assert reports[0]["charged"] == reports[1]["charged"]
    assert reports[0]["totals"]["subjects"] == reports[1]["totals"]["subjects"]


def test_json_has_every_figure_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(ran(capsys, ACTIVITY, COST, "--charged", "132.42", "--format", "json"))
    assert list(report) == ["schema_version", "window", "totals", "lines", "days", "charged", "notes"]
    assert report["totals"]["subjects"]["costs"]["amounts"] == {"usd": "0.504867999999999999"}
    (match,) = report["charged"]["matches"]
    assert Decimal(match["amount"]) == Decimal("132.42405")
    assert [line["label"] for line in match["lines"]] == ["tts-1"]
    assert report["charged"]["search_complete"] is True
    assert Decimal(report["charged"]["left_on_same_days"]["amount"]) == Decimal("1.0192647")
    speech = next(line for line in report["lines"] if line["label"] == "tts-1")
    assert speech["counts"] == {"characters": 8828270, "requests": 33}
    assert speech["per_request"] == {"characters": "267523.33"}
    assert {note["topic"] for note in report["notes"]} >= {"coverage", "precision", "file", "next"}


def test_the_same_input_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (ran(capsys, ACTIVITY, COST, "--charged", "132.42", "-v") for _ in range(2))
    assert first == second
    assert all(line == line.rstrip() for line in first.splitlines())


def test_a_charge_that_nothing_equals_is_not_forced(capsys: pytest.CaptureFixture[str]) -> None:
    text = ran(capsys, ACTIVITY, COST, "--charged", "99.99")
    assert "no combination of lines equals the charge of $99.99 to the cent" in text
    assert "more than was charged" in text


def costs(folder: Path, *lines: str) -> str:
    file = folder / "cost_2025-04-23_2025-04-23.csv"
    header = "start_time,end_time,amount_value,amount_currency,line_item,quantity,quantity_unit"
    file.write_text("\n".join([header, *(f"1745366400,1745452800,{line}" for line in lines), ""]))
    return str(file)


def test_lines_with_money_are_tried_as_exported_and_rivals_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = costs(tmp_path, "20.00,usd,tts,5,characters", "20.00,usd,whisper,,", "7.5,usd,files,,", "3,eur,other,,")
    text = ran(capsys, file, "--charged", "20.00")
    assert "tts alone equals the charge of $20.00 to the cent ($20.00)" in text
    assert "  tts: 2025-04-23, $20.00 as exported" in text
    assert "1 other of 7 combinations of lines fit, too (0.0006 would match by pure chance): which one it was" in text
    assert "    files: $7.50 as exported, 2025-04-23" in text
    assert "3.00 EUR + $47.50" in text


def test_a_fit_by_chance_is_not_called_an_explanation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = costs(tmp_path, *(f"0.0{n % 9 + 1},usd,item {n},," for n in range(40)))
    text = ran(capsys, file, "--charged", "1.23")
    assert "would by chance alone: that tells nothing" in text
    assert "item 39" in text


def test_a_charge_needs_lines_with_money_or_a_price(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no line has money or a price" in ran(capsys, costs(tmp_path, "3,eur,other,,"), "--charged", "1.23")


def test_long_tables_are_cut_and_whole_with_v(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = costs(tmp_path, *(f"{n + 1},usd,item {n},," for n in range(40)))
    assert "9 more, shown with -v" in ran(capsys, file)
    assert "more, shown with -v" not in ran(capsys, file, "-v")


def test_costs_alone_are_a_bill(capsys: pytest.CaptureFixture[str]) -> None:
    text = ran(capsys, COST)
    assert "(not grouped by line item)" in text
    assert "again, grouped by line item" in text


def test_a_window_cuts_days(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(ran(capsys, COST, "--since", "2025-04-21", "--until", "2025-04-21", "--format", "json"))
    assert report["totals"]["subjects"]["costs"]["amounts"] == {"usd": "0.23616135"}
    assert (report["window"]["start"], report["window"]["end"]) == ("2025-04-21T00:00:00Z", "2025-04-22T00:00:00Z")


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bill", ACTIVITY, "-q"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no-such-file.csv"], "no-such-file.csv: can not be opened (No such file or directory); check the path"),
        ([str(REAL)], "can not be opened (Is a directory)"),
        ([ACTIVITY, "--charged", "a lot"], "--charged: found 'a lot', expected US dollars such as 132.42"),
        ([ACTIVITY, "--charged", "1.234"], "--charged: found '1.234'"),
        ([ACTIVITY, "--since", "yesterday"], "--since: found 'yesterday', expected a UTC day such as 2025-04-23"),
        ([ACTIVITY, "--since", "2025-05-01"], "the window is empty"),
        ([ACTIVITY, "--kind", "cost"], "--kind: found 'cost', expected FILE=KIND"),
        ([ACTIVITY, "--kind", "other.csv=cost"], "--kind other.csv: not one of the files given"),
        ([ACTIVITY, "--since", "2025-04-24", "--until", "2025-04-23"], "both days are included"),
        ([ACTIVITY, "--kind", f"{ACTIVITY}=cost"], "no column amount_value"),
        ([ACTIVITY, "--newest", "other.csv"], "--newest other.csv: not one of the files given"),
    ],
)
def test_what_can_not_run_is_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    assert said in ran(capsys, *argv, code=2)


def test_one_bad_file_of_two_leaves_nothing_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bad = tmp_path / "usage.csv"
    bad.write_text(f"{HEADER}\n{ROW.format('1O')}\n")
    assert f"{bad}:2 column num_model_requests: found '1O'" in ran(capsys, ACTIVITY, str(bad), code=2)


def test_files_that_differ_need_a_word_from_the_user(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [tmp_path / f"completions_usage_{name}.csv" for name in "ab"]
    for requests, file in enumerate(files, 1):
        file.write_text(f"{HEADER}\n{ROW.format(requests)}\n")
    names = [str(file) for file in files]
    assert "--newest FILE" in ran(capsys, *names, code=2)
    report = json.loads(ran(capsys, *names, "--newest", names[0], "--format", "json"))
    assert report["totals"]["subjects"]["completions"]["counts"]["requests"] == 1
