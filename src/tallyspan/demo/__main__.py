"""Run the stand-in as a program: `python -m tallyspan.demo --out DIR`."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tallyspan.demo import exports
from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.clock import SECOND
from tallyspan.demo.faults import FAULTS
from tallyspan.demo.standin import StandIn
from tallyspan.demo.worlds import Booking, Share, World


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then write the ledger and its exports."""
    options = _parser().parse_args(arguments)
    world = World(
        booking=Booking(options.booking),
        aborted=Share(options.aborted),
        unanswered_billed=not options.unanswered_free,
        server_errors_billed=options.server_errors_billed,
        settle_seconds=options.settle,
    )
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with StandIn(seed=options.seed, world=world, port=options.port) as api:
        sys.stdout.write(f"{api.base_url}\n")
        sys.stdout.flush()
        signal.sigwait(stops)
        if options.out is not None:
            write_books(api.ledger, options.out)
    return 0


def write_books(ledger: Sequence[LedgerRow], folder: Path) -> list[Path]:
    """Write `ledger.jsonl` and the exports of all days in it; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ledger.jsonl"
    path.write_text("".join(json.dumps(row.flat()) + "\n" for row in ledger), encoding="utf-8")
    if not ledger:
        return [path]
    days = [datetime.fromtimestamp(row.booked_ns // SECOND, UTC).date() for row in ledger]
    chosen = exports.Selection(min(days), max(days))
    made = (
        exports.completions_usage(ledger, chosen),
        exports.embeddings_usage(ledger, chosen),
        exports.cost(ledger, chosen),
    )
    return [path, *(export.write(folder) for export in made)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tallyspan.demo",
        description="A local stand-in of the OpenAI API. Prints its base URL.",
        epilog="Faults (header X-Stand-In-Fault or prompt marker [[fault:NAME,NAME+NAME:NUMBER]]):\n"
        + "\n".join(f"  {name:14} {says}" for name, (_, says) in FAULTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for ledger and exports, written at the end")
    parser.add_argument("--booking", choices=list(Booking), default=Booking.COMPLETION)
    parser.add_argument("--aborted", choices=list(Share), default=Share.WHOLE)
    parser.add_argument("--unanswered-free", action="store_true")
    parser.add_argument("--server-errors-billed", action="store_true")
    parser.add_argument("--settle", type=int, default=0, help="seconds until usage shows")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
