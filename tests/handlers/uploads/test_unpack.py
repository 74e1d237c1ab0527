"""Unpacking what strangers send: sound archives as they are, every trick refused by name, and nothing ever whole in memory."""

import gzip
import io
import stat
import struct
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from handlers.api.problem import Code, Problem
from handlers.uploads.bounds import MIB, Bounds
from handlers.uploads.spool import Part, Received
from handlers.uploads.unpack import Stopped, unpack
from tests.builders_uploads import CODE, a_tar, a_tar_entry, a_tar_gz, a_zip, a_zip_entry

pytestmark = pytest.mark.unit

BOUNDS = Bounds(total=20 * MIB, files=50, one=15 * MIB)


def unpacked(content: bytes, folder: Path, *, name: str = "sent", bounds: Bounds = BOUNDS) -> dict[str, bytes]:
    """What is in the zip that is made of one part."""
    received = Received(io.BytesIO(content), [Part(name, 0, len(content))])
    packed = unpack(received, bounds, folder, threading.Event())
    with packed.file, zipfile.ZipFile(packed.file) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
        assert [(file.filename, file.size) for file in packed.files] == [(n, len(c)) for n, c in files.items()]
    return files


def refused(content: bytes, folder: Path, *, name: str = "sent", bounds: Bounds = BOUNDS) -> Problem:
    with pytest.raises(Problem) as caught:
        unpacked(content, folder, name=name, bounds=bounds)
    assert list(folder.iterdir()) == []
    return caught.value


@pytest.mark.parametrize(
    "archive",
    [
        a_zip(), a_zip(store=True), b"".join((a_zip(), b"\0" * 100)), a_tar_gz(), a_tar_gz(format=tarfile.GNU_FORMAT),
        a_tar_gz(format=tarfile.USTAR_FORMAT), a_tar_gz() + b"\0" * 512,
    ],
    ids=["deflated", "stored", "zeros behind the zip", "pax", "gnu", "ustar", "zeros behind the gzip"],
)  # fmt: skip
def test_a_sound_archive_is_taken_as_it_is(archive: bytes, tmp_path: Path) -> None:
    assert unpacked(archive, tmp_path) == CODE


@pytest.mark.parametrize("make", [a_zip, a_tar_gz])
def test_long_names_names_beyond_ascii_and_the_top_folder_are_kept(make: Callable[..., bytes], tmp_path: Path) -> None:
    deep = "/".join(["x" * 120] * 8) + "/file.py"
    files = {"top/ü/名前 😀.py": b"1", deep: b"2", "Makefile": b"3", "makefile": b"4"}
    assert unpacked(make(files), tmp_path) == files


@pytest.mark.parametrize("make", [a_zip, a_tar_gz])
def test_folders_gits_own_files_and_what_macos_adds_are_left_out(make: Callable[..., bytes], tmp_path: Path) -> None:
    files = {"./a/b.py": b"1", "a/.git/config": b"x", ".git": b"x", "__MACOSX/a/._b.py": b"x", "a/.DS_Store": b"x"}
    assert unpacked(make(files), tmp_path) == {"a/b.py": b"1"}


@pytest.mark.parametrize("root", [".", "./", "././"])
def test_the_archives_own_folder_as_tar_lists_it_is_passed_over(root: str, tmp_path: Path) -> None:
    assert unpacked(a_tar_entry(root, b"", type=tarfile.DIRTYPE), tmp_path) == {"plain.py": b"x = 1\n"}
    assert unpacked(a_zip({"./": b"", "./a.py": b"1"}), tmp_path) == {"a.py": b"1"}


HOSTILE_NAMES = [
    "../evil.py", "a/../../evil.py", "/etc/passwd", "C:/evil.py", "c:evil.py", "a\\..\\evil.py", "a//b.py", "..", "a/..",
    "a/\x1b[2Jb.py", "a\nb.py", "\u202egnp.py", "x/" * 32 + "deep.py", "n" * 256, ("n" * 200 + "/") * 6 + "long.py", ".",
    "é" * 128,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_refused_wherever_it_stands(name: str, tmp_path: Path) -> None:
    for content in (a_zip_entry(name), a_tar_entry(name)):
        problem = refused(content, tmp_path)
        assert problem.code is Code.UNSAFE_ARCHIVE
        assert problem.details["entry"].isprintable()
    assert refused(b"plain", tmp_path, name=name).code is Code.UNSAFE_ARCHIVE


@pytest.mark.parametrize("name", [".git/../../evil.py", "__MACOSX/../evil.py"])
def test_what_is_left_out_must_have_a_decent_name_as_well(name: str, tmp_path: Path) -> None:
    assert refused(a_zip_entry(name), tmp_path).code is Code.UNSAFE_ARCHIVE


def test_a_nul_in_a_name_of_a_zip_does_not_cut_it_short(tmp_path: Path) -> None:
    content = a_zip({"plain.py": b"1", "evil.py_..txt": b"2"}, store=True).replace(b"evil.py_", b"evil.py\0")
    assert refused(content, tmp_path).details == {"entry": "evil.py\\x00..txt"}


def test_names_that_are_utf_8_without_saying_so_are_read_and_others_refused(tmp_path: Path) -> None:
    unmarked = a_zip({"aaaa.py": b"1"}, store=True)
    assert unpacked(unmarked.replace(b"aaaa", "éé".encode()), tmp_path) == {"éé.py": b"1"}
    assert "not UTF-8" in refused(unmarked.replace(b"aaaa", b"a\xe9\xe9a"), tmp_path).message
    latin = io.BytesIO()
    with tarfile.open(fileobj=latin, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        archive.addfile(tarfile.TarInfo("a\udce9\udce9a.py"))
    assert "not UTF-8" in refused(gzip.compress(latin.getvalue()), tmp_path).message


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_devices_and_pipes_in_a_zip_are_refused(kind: int, tmp_path: Path) -> None:
    problem = refused(a_zip_entry("odd", b"/etc/passwd", mode=kind), tmp_path)
    assert (problem.code, problem.details) == (Code.UNSAFE_ARCHIVE, {"entry": "odd"})


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V", b"M"]
)
def test_links_devices_pipes_and_unknown_kinds_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    problem = refused(a_tar_entry("odd", b"", type=kind, linkname="/etc/passwd"), tmp_path)
    assert (problem.code, problem.details) == (Code.UNSAFE_ARCHIVE, {"entry": "odd"})


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    holes = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "holes", "GNU.sparse.realsize": "99999999999"}
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    assert refused(a_tar_entry("holes", content, pax_headers=holes), tmp_path).code is Code.UNSAFE_ARCHIVE


@pytest.mark.parametrize(
    ("files", "entry"),
    [([("a.py", b"1"), ("a.py", b"2")], "a.py"), ([("a.py", b"1"), ("./a.py", b"2")], "a.py"),
     ([("a", b"1"), ("a/b.py", b"2")], "a/b.py"), ([("a/b.py", b"2"), ("a", b"1")], "a")],
)  # fmt: skip
def test_a_name_that_is_there_twice_or_is_file_and_folder_is_refused(
    files: list[tuple[str, bytes]], entry: str, tmp_path: Path
) -> None:
    both = io.BytesIO()
    with tarfile.open(fileobj=both, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert refused(gzip.compress(both.getvalue()), tmp_path).details == {"entry": entry}


def test_an_encrypted_zip_and_other_compressions_are_refused(tmp_path: Path) -> None:
    assert "encrypted" in refused(a_zip_entry("secret.py", flags=0x1), tmp_path).message
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.py", b"1" * 1000)
    assert "deflate" in refused(made.getvalue(), tmp_path).message


def test_a_zip_in_zip64_form_is_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("a.py", "w", force_zip64=True) as member:
        member.write(b"x = 1\n")
    assert unpacked(made.getvalue(), tmp_path) == {"a.py": b"x = 1\n"}


def test_archives_within_archives_stay_closed(tmp_path: Path) -> None:
    inner = a_zip({"../evil": b"1"})
    assert unpacked(a_zip({"inner.zip": inner}), tmp_path) == {"inner.zip": inner}


BOMB = b"\0" * (12 * MIB)


@pytest.mark.parametrize("content", [a_zip({"bomb": BOMB}), a_tar_gz({"bomb": BOMB})], ids=["zip", "tar.gz"])
def test_what_unpacks_to_a_hundred_times_its_size_is_refused(content: bytes, tmp_path: Path) -> None:
    problem = refused(content, tmp_path)
    assert problem.code is Code.UNSAFE_ARCHIVE
    assert "100 times" in problem.message


@pytest.mark.parametrize("make", [a_zip, a_tar_gz])
def test_too_many_files_too_large_files_and_too_much_in_all_are_too_large(make: Callable[..., bytes], tmp_path: Path) -> None:
    for files, bounds in (
        ({str(n): b"" for n in range(51)}, BOUNDS),
        ({"large": b"x" * 2000}, Bounds(MIB, 50, one=1999)),
        ({"a": b"x" * 40_000, "b": b"y" * 40_000}, Bounds(70_000, 50)),
    ):
        assert refused(make(files), tmp_path, bounds=bounds).code is Code.TOO_LARGE
    assert unpacked(make({str(n): b"" for n in range(50)}), tmp_path).keys() == {str(n) for n in range(50)}


def test_a_bomb_in_what_is_left_out_or_behind_the_header_of_a_tar_is_counted_too(tmp_path: Path) -> None:
    assert refused(a_tar_gz({".git/pack": BOMB, "a.py": b"1"}), tmp_path).code is Code.UNSAFE_ARCHIVE


def with_sizes(content: bytes, size: int) -> bytes:
    """The same zip of one entry, which claims that its file has so many bytes unpacked."""
    written = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", written, written.index(signature) + offset, size)
    return bytes(written)


@pytest.mark.parametrize("claimed", [10, 100_000])
def test_a_zip_whose_sizes_lie_is_refused(claimed: int, tmp_path: Path) -> None:
    problem = refused(with_sizes(a_zip({"liar": b"x" * 5000}), claimed), tmp_path)
    assert (problem.code, problem.details) == (Code.UNSAFE_ARCHIVE, {"entry": "liar"})


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """David Fifield's bomb in small: many entries of the list point into the same compressed bytes."""
    kernel = zlib.compress(b"\0" * 5000, wbits=-15)
    written, central = b"", b""
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, zlib.crc32(b"\0" * 5000), len(kernel), 5000, 4, 0)
    written += local + b"aaaa" + kernel
    for _ in range(10):
        central += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, zlib.crc32(b"\0" * 5000), len(kernel), 5000,
                               4, 0, 0, 0, 0, 0, 0) + b"aaaa"  # fmt: skip
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 10, 10, len(central), len(written), 0)
    problem = refused(written + central + end, tmp_path)
    assert "shares its bytes" in problem.message


def test_a_list_of_contents_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    many = central * 60_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 60_000, 60_000, len(many), 4, 0)
    assert refused(b"PK\x03\x04" + many + end, tmp_path).code is Code.TOO_LARGE


def test_headers_of_a_tar_beyond_all_measure_are_not_read(tmp_path: Path) -> None:
    named = a_tar_entry("a", pax_headers={"comment": "x" * 2 * MIB})
    assert refused(named, tmp_path).code is Code.MALFORMED
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 0
    nested = header.tobuf(tarfile.GNU_FORMAT) * 3000
    assert refused(gzip.compress(nested), tmp_path).code is Code.MALFORMED


def test_a_tar_that_leads_backwards_comes_to_an_end(tmp_path: Path) -> None:
    info = tarfile.TarInfo("back")
    info.size = -5000
    content = a_tar({"a.py": b"1"})[:1024] + info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024
    assert refused(gzip.compress(content), tmp_path).code is Code.MALFORMED


@pytest.mark.parametrize("make", [a_zip, a_tar_gz])
def test_an_archive_that_is_cut_off_anywhere_is_refused_or_is_no_archive(make: Callable[..., bytes], tmp_path: Path) -> None:
    whole = make({"a.py": bytes(range(256)) * 20, "b.py": b"x = 1\n"})
    for length in range(5, len(whole) - 1, 7):
        try:
            files = unpacked(whole[:length], tmp_path)
        except Problem as problem:
            assert problem.code in (Code.MALFORMED, Code.UNSAFE_ARCHIVE), length
        else:
            assert files == {"sent": whole[:length]} or make is a_tar_gz, length


def test_a_changed_byte_anywhere_is_refused_harmless_or_no_archive_any_more(tmp_path: Path) -> None:
    """No bug for any single byte: every outcome is a Problem or files."""
    for whole in (a_zip(), gzip.compress(a_tar({"a.py": b"x = 1\n"}), mtime=0), a_zip_entry("b.py")):
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 0xA5
            try:
                unpacked(bytes(changed), tmp_path)
            except Problem as problem:
                assert problem.code in (Code.MALFORMED, Code.UNSAFE_ARCHIVE, Code.TOO_LARGE), (at, problem)


def test_a_changed_byte_in_a_tar_is_no_bug_either(tmp_path: Path) -> None:
    plain = a_tar({"a.py": b"x = 1\n", "n" * 120: b"2"})
    for at in range(0, 3072, 11):
        changed = bytearray(plain)
        changed[at] ^= 0x5A
        try:
            unpacked(gzip.compress(bytes(changed), 1), tmp_path)
        except Problem as problem:
            assert problem.code in (Code.MALFORMED, Code.UNSAFE_ARCHIVE, Code.TOO_LARGE), (at, problem)


@pytest.mark.parametrize("content", [a_zip({}), a_tar_gz({}), a_zip({".git/HEAD": b"x"}), a_zip({"folder/": b""})])
def test_an_archive_without_a_file_is_invalid(content: bytes, tmp_path: Path) -> None:
    assert refused(content, tmp_path).code is Code.INVALID


def test_who_does_not_wait_any_more_ends_the_work(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    content = a_zip()
    with pytest.raises(Stopped):
        unpack(Received(io.BytesIO(content), [Part("x", 0, len(content))]), BOUNDS, tmp_path, stop)


def test_several_parts_are_one_upload_within_the_same_bounds(tmp_path: Path) -> None:
    parts: Mapping[str, bytes] = {"a.zip": a_zip({"z/a.py": b"1"}), "b.py": b"2", "c.tgz": a_tar_gz({"t/c.py": b"3"})}
    body, placed = b"", []
    for name, content in parts.items():
        placed.append(Part(name, len(body), len(content)))
        body += content
    packed = unpack(Received(io.BytesIO(body), placed), BOUNDS, tmp_path, threading.Event())
    packed.file.close()
    assert [file.filename for file in packed.files] == ["z/a.py", "b.py", "t/c.py"]
