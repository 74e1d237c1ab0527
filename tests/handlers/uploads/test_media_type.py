"""The type of a file is what it holds; its name only tells one text from another."""

import time

import pytest

from handlers.uploads.media_type import SNIFFED, media_type

pytestmark = pytest.mark.unit

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("main.py", b"import os\n", "text/x-python"),
        ("tool", b"#!/usr/bin/env python3\n", "text/x-python"),
        ("run", b"#!/bin/bash -e\n", "text/x-bash"),
        ("app.ts", b"let a = 1\n", "text/x-typescript"),
        ("a.cpp", b"int a;\n", "text/x-c++"),
        ("A.cs", b"class A {}\n", "text/x-csharp"),
        ("Makefile", b"all:\n", "text/x-makefile"),
        ("app.js", b"let a = 1\n", "text/javascript"),
        ("data.json", b"{}", "application/json"),
        ("README", b"Hello\n", "text/plain"),
        ("umlaut.py", "# ü".encode("latin-1"), "text/x-python"),
        ("empty.go", b"", "text/x-go"),
        ("main.py", PNG, "image/png"),
        ("main.py", b"%PDF-1.7\n", "application/pdf"),
        ("main.py", b"\x7fELF\x02\x01\x01\x00", "application/x-elf"),
        ("main.py", b"PK\x03\x04\x00\x00", "application/zip"),
        ("main.py", b"\x00\x01\x02\x03", "application/octet-stream"),
        ("main.py", b"BM\x00\x00", "application/octet-stream"),
        ("photo.png", b"just text\n", "text/plain"),
        ("main.py", b"\n<!-- c --><!DOCTYPE html>\n<script>", "text/html"),
        ("main.py", b'<?xml version="1.0"?><!-- c -->\n<svg onload="x">', "image/svg+xml"),
        ("main.py", b'<?xml version="1.0"?>\n<a/>', "application/xml"),
        ("main.py", b"#!", "text/x-python"),
        ("odd", b"#!/usr/bin/env -S\n", "text/plain"),
    ],
)
def test_what_a_file_is_stands_in_it(name: str, content: bytes, expected: str) -> None:
    assert media_type(name, content) == expected


@pytest.mark.parametrize("piece", [b"<!---->", b"<!--", b"<?xml >", b"<?xml", b" ", b"<!doctype>", b"<!doctype"])
def test_no_text_makes_it_look_for_long(piece: bytes) -> None:
    started = time.process_time()
    media_type("a.py", (piece * SNIFFED)[:SNIFFED])
    assert time.process_time() - started < 0.5
