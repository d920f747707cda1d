"""The books at rest: files of OTLP JSON lines in, entries out."""

from tallyspan.ledger.files import Books, BooksError, Problem, named, read_books
from tallyspan.ledger.recognise import looks_like_books

__all__ = ["Books", "BooksError", "Problem", "looks_like_books", "named", "read_books"]
