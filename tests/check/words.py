#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""words.py FILE...: where text uses words to avoid (tests/check/words.sh). Of C the string literals and
comments are read, of a manual page the text lines, of everything else all of it."""

import re
import sys

AVOID = re.compile(
    r"\bwhoever\b|\bshall\b|\bof late\b|\bat one go\b|\bc[ao]m(?:e|es|ing) about\b|\bnobody's\b"
    r"|\bso many\b|\bknock(?:s|ed|ing)?\b|\bkernel's own way\b"
    r"|(?<!there )\b(?:is|are|was|were) no (?!longer\b|more than\b)[a-z]+",
    re.IGNORECASE,
)
OPENING = re.compile(r"[\s#*>-]*(What|Who|Of)\b")
TOKEN = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*|'(?:\\.|[^'\\])'""", re.DOTALL
)
C_NAMES = (".c", ".h", ".def")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def pieces_of_c(text):
    """(offset, text) of each comment and literal; those that stand in a row are one."""
    for m in TOKEN.finditer(text):
        piece = m.group(0)
        if piece.startswith('"'):
            yield m.start(), re.sub(r'"\s*"', blank, piece[1:-1]).replace("\\n", ". ")
        elif piece.startswith("/"):
            yield m.start(), re.sub(r"^\s*(/\*+|\*/|\*|//)|\*/$", blank, piece, flags=re.MULTILINE)


def pieces_of_text(text, macros):
    """Paragraphs. A line that starts with a dot is roff's, and ends one."""
    at = 0
    for piece in re.split(r"(\n\s*\n|^\.[^\n]*$)" if macros else r"(\n\s*\n)", text, flags=re.MULTILINE):
        yield at, piece
        at += len(piece)


def sentences(piece):
    at = 0
    for sentence in re.split(r"((?<=[.!?])\s+)", piece):
        yield at, sentence
        at += len(sentence)


def faults(piece):
    for at, sentence in sentences(piece):
        opening = OPENING.match(sentence)
        if opening and not sentence.rstrip().endswith("?"):
            yield at + opening.start(1), f"a sentence starts with {opening.group(1)}"
    flat = " ".join(piece.split())
    for m in AVOID.finditer(flat):
        there = re.search(r"\s+".join(map(re.escape, m.group(0).split())), piece)
        yield there.start() if there else 0, m.group(0)


def check(name):
    with open(name, encoding="utf-8", errors="replace") as f:
        text = f.read()
    pieces = pieces_of_c(text) if name.endswith(C_NAMES) else pieces_of_text(text, "/man/" in f"/{name}")
    for start, piece in pieces:
        for at, fault in faults(piece):
            print(f"{name}:{text.count(chr(10), 0, start + at) + 1}: {fault}")


for path in sys.argv[1:]:
    check(path)
