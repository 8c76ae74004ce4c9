"""Bundles made by somebody else: each fault is refused in one sentence, and nothing is unpacked or touched."""

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest

from tasks.engine import sealed
from tests.faults.test_hostile_runs import ANSWER, FAULTS, KERAS, SHIPPED, cost, result, snapshot, words_for

RUN = SHIPPED["mnist"]
NAMES = [path.relative_to(RUN).as_posix() for path in RUN.rglob("*") if path.is_file()]
IN_FORM = [  # faults of what a run holds, in a bundle whose form is good
    *("config.json is deep", "config.json is huge", "config.json has other settings", "codec.json is empty"),
    *("environment.json is deep", "check sums are a list", "classes are too few", "codec.json has many lists"),
    *("onnx is cut", "onnx is empty", "onnx has a flipped byte", "onnx is of another task", "onnx names another file"),
    *("model.keras is cut", "model.keras is a bomb", "model.keras has a link to a file", "history.csv has NaN"),
    "a file that answers is missing",
]


def members(run=RUN):
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def zipped(files):
    """Return a bundle of some files, in good form."""
    file = io.BytesIO()
    sealed.write_sealed(file, files, files.__getitem__)
    return file.getvalue()


def with_member(name, content=b"import os\n"):
    return zipped(members() | {name: content})


def without(name):
    return zipped({one: content for one, content in members().items() if one != name})


def repacked(**how):
    """Return the members of a good bundle as another program packs them."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(zipped(members()))) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name), **how)
    return file.getvalue()


def changed(old, new, count=-1):
    """Return a good bundle with other bytes in place of some, which it has."""
    content = zipped(members())
    assert old in content
    return content.replace(old, new, count)


def headers(place, value, name=b"codec.json"):
    """Return a good bundle in whose directory a byte of a member is another."""
    content = bytearray(zipped(members()))
    start = content.rindex(name) - sealed.CENTRAL.size
    assert content[start : start + 4] == b"PK\1\2"
    content[start + place] = value
    return bytes(content)


def doubled():
    """Return a bundle whose directory names a member twice."""
    content = zipped(members())
    count, size, start = sealed.END.unpack(content[-sealed.END.size :])[4:7]
    directory = content[start : start + size]
    entry = directory[: sealed.CENTRAL.size + len("README.md")]
    return content[:start] + entry + directory + sealed.end_record(count + 1, size + len(entry), start)


def shuffled():
    """Return a bundle whose directory names all members at one place, as a bomb does."""
    content = zipped(members())
    count, size, start = sealed.END.unpack(content[-sealed.END.size :])[4:7]
    directory = bytearray(content[start : start + size])
    cursor = 0
    for _ in range(count):
        directory[cursor + 42 : cursor + 46] = bytes(4)
        cursor += sealed.CENTRAL.size + directory[cursor + 28]
    return content[:start] + bytes(directory) + sealed.end_record(count, size, start)


def counted(count):
    return zipped(members())[: -sealed.END.size] + sealed.end_record(count, 1 << 20, 0)


def many():
    """Return a zip with as many members as its form allows."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for number in range(65_000):
            target.writestr(f"figures/{number}.png", b"")
    return file.getvalue()


def in_form(files):
    """Return a zip of some members as a bundle stores them, in the given order."""
    file, directory = io.BytesIO(), []
    for name, content in files.items():
        facts = name.encode(), len(content), sealed.crc32(content)
        directory.append(sealed.central_header(*facts, file.tell()))
        file.write(sealed.local_header(*facts) + content)
    end = sealed.end_record(len(directory), sum(map(len, directory)), file.tell())
    return file.getvalue() + b"".join(directory) + end


def listed():
    """Return the members of a good bundle in their order, with the list of check sums."""
    with zipfile.ZipFile(io.BytesIO(zipped(members()))) as source:
        return {name: source.read(name) for name in source.namelist()}


def with_crc(name):
    """Return a good bundle with another CRC-32 of a member, the same in both of its headers."""
    content = listed()[name]
    old, new = (sealed.Struct("<I").pack(sealed.crc32(content) ^ flipped) for flipped in (0, 1))
    bundle = changed(old, new)
    assert bundle.count(new) == 2
    return bundle


def sums(change):
    """Return a good bundle with another list of check sums."""
    files = dict(sorted(members().items()))
    listed = [f"{sealed.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    return in_form(files | {sealed.SUMS: "".join(change(listed)).encode()})


def with_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("codec.json", bytes(1 << 28))
    return file.getvalue()


MAKERS = {  # the fault, and how a file that has it is made
    "is empty": lambda: b"",
    "is text": lambda: b"PK\3\4 is how a zip begins",
    "is cut": lambda: zipped(members())[:-100],
    "is cut in the middle": lambda: zipped(members())[:100_000],
    "is two zips": lambda: zipped(members()) * 2,
    "has bytes before it": lambda: b"#!/bin/sh\n" + zipped(members()),
    "has bytes after it": lambda: zipped(members()) + b"x",
    "has a comment": lambda: zipped(members())[:-2] + b"\1\0x",
    "has a member with ..": lambda: with_member("../run.py"),
    "has an absolute member": lambda: with_member("/etc/passwd"),
    "has a folder": lambda: with_member("onnx/", b""),
    "has code": lambda: with_member("run.py"),
    "has code in a folder": lambda: with_member("onnx/step.py"),
    "has a name with control characters": lambda: with_member("onnx/\x1b[2J.onnx"),
    "has a name in capitals": lambda: with_member("CONFIG.JSON", b"{}"),
    "has a checkpoint": lambda: with_member("checkpoint/1-1/state.json", b"{}"),
    "has a member twice": doubled,
    "has members that overlap": shuffled,
    "has a link": lambda: headers(41, 0xA1),
    "has an encrypted member": lambda: headers(8, 1),
    "has a compressed member": lambda: headers(10, 8),
    "has another date": lambda: headers(12, 1),
    "has a size that is too large": lambda: headers(27, 0x70),
    "has an offset outside": lambda: headers(45, 0x70),
    "has a long name": lambda: headers(28, 0xFF),
    "has an extra field": lambda: headers(30, 4),
    "has a member comment": lambda: headers(32, 4),
    "has another header at a member": lambda: changed(b"PK\3\4\n\0\0\0", b"PK\3\4\n\0\1\0", 1),
    "is compressed": lambda: repacked(compress_type=zipfile.ZIP_DEFLATED),
    "is packed by another program": repacked,
    "is a bomb": with_bomb,
    "has a giant member": lambda: with_member("codec.json", bytes(17 << 20)),
    "has 65,000 members": many,
    "says 65,000 members": lambda: counted(65_000),
    "has wrong content": lambda: changed(b'"format"', b'"formal"'),
    "has another sum": lambda: sums(lambda lines: ["0" * 64 + lines[0][64:], *lines[1:]]),
    "has no sums": lambda: sums(lambda lines: []),
    "has sums that are not sums": lambda: sums(lambda lines: ["x" * 2000]),
    "has a sum twice": lambda: sums(lambda lines: [*lines, lines[0]]),
    "has a sum of a member that is missing": lambda: sums(lambda lines: [*lines, lines[0].replace("README", "other")]),
    "has a member without a sum": lambda: sums(lambda lines: lines[1:]),
    "has no list of sums": lambda: in_form(members()),
    "has members in another order": lambda: in_form(dict(sorted(listed().items(), reverse=True))),
    "has two members swapped": lambda: in_form({"config.json": b"", **listed()} | listed()),
    "has sums in the middle": lambda: in_form(dict(sorted(listed().items(), key=lambda item: item[0].casefold()))),
    "has another CRC-32": lambda: with_crc("codec.json"),
    "has another CRC-32 of the sums": lambda: with_crc(sealed.SUMS),
    "has no config.json": lambda: without("config.json"),
    "has no codec.json": lambda: without("codec.json"),
}


def refused(bundle, words):
    """Check that a bundle is refused in one sentence, and that nothing is left on the disk."""
    scratch = Path(tempfile.gettempdir())
    before = snapshot(bundle.parent), set(scratch.glob("fourlayers-*"))
    code, out, said = result(words)
    assert code == 65, said or out
    assert (snapshot(bundle.parent), set(scratch.glob("fourlayers-*"))) == before
    said = said if "--verify" not in words else out
    assert bundle.name in said
    assert said.isprintable() or "--verify" in words
    assert "bug" not in said


@pytest.mark.parametrize("fault", MAKERS)
def test_a_hostile_bundle_is_refused_in_one_sentence(fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundle = tmp_path / "hostile.zip"
    bundle.write_bytes(MAKERS[fault]())
    refused(bundle, [*ANSWER["mnist"], "--run", bundle])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("has members in another order", "its members are not in the order of their names, with SHA256SUMS after them"),
        ("has two members swapped", "its members are not in the order of their names"),
        ("has sums in the middle", "its members are not in the order of their names"),
        ("has another CRC-32", "the check sum of its member 'codec.json' is wrong"),
        ("has another CRC-32 of the sums", "the check sum of its member 'SHA256SUMS' is wrong"),
    ],
)
def test_another_form_than_that_which_is_written_is_named(fault, said):
    with pytest.raises(sealed.SealError, match=said):
        sealed.checked_members(io.BytesIO(MAKERS[fault]()), lambda name: 1 << 30)


@pytest.mark.parametrize("fault", IN_FORM)
def test_a_hostile_run_in_a_good_bundle_is_refused(fault, tmp_path, monkeypatch):
    change, code, command = FAULTS[fault]
    assert code == 65
    run = shutil.copytree(RUN, tmp_path / "run")
    change(run, tmp_path)
    bundle = tmp_path / "hostile.zip"
    files = {name: b"" if (run / name).stat().st_size > 1 << 28 else (run / name).read_bytes() for name in members(run)}
    bundle.write_bytes(zipped(files))
    shutil.rmtree(run)
    monkeypatch.chdir(tmp_path)
    refused(bundle, words_for(command, bundle))


@pytest.mark.parametrize(
    "words",
    [
        KERAS,
        ["evaluate", "mnist", "--data", "builtin"],
        ["train", "mnist", "--data", "builtin", "--limit", "32", "--epochs", "1", "--init-from"],
        ["runs"],
        ["runs", "--verify"],
        ["report", "--out", "page.html"],
        ["compare", "small", "--task", "mnist"],
        ["bundle", "--task", "mnist", "again.zip"],
    ],
    ids=lambda words: words[0] + " " + words[-1],
)
def test_every_command_refuses_a_bundle_with_code(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundle = tmp_path / "hostile.zip"
    bundle.write_bytes(with_member("run.py"))
    if words[0] == "bundle":
        words = [*words[:-1], bundle, words[-1]]
    elif words[0] in ("predict", "evaluate"):
        words = [*words, "--run", bundle]
    else:
        words = [*words, bundle]
    code, out, said = result(words)
    assert (code, "hostile.zip" in said + out, "run.py" in said + out) == (65, True, True)
    assert sorted(path.name for path in tmp_path.iterdir()) in (["hostile.zip"], ["evaluations", "hostile.zip"])


def test_a_link_to_a_bundle_is_followed_and_a_pipe_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.zip").write_bytes(zipped(members()))
    (tmp_path / "link.zip").symlink_to("good.zip")
    os.mkfifo("pipe.zip")
    assert result([*ANSWER["mnist"], "--run", "link.zip"])[0] == 0
    code, _, said = result([*ANSWER["mnist"], "--run", "pipe.zip"])
    assert (code, "pipe.zip" in said) == (66, True)


def test_a_bundle_that_changes_while_it_is_used_is_refused(tmp_path):
    from tasks.engine.members import RunError, bundle_members, bundled_content

    bundle = tmp_path / "a.zip"
    bundle.write_bytes(zipped(members()))
    facts = bundle.stat()
    bundle_members(bundle)
    bundle.write_bytes(changed(b'"format"', b'"formal"'))
    os.utime(bundle, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # as if nobody had written it
    with pytest.raises(RunError, match=r"config\.json' has changed while it was read"):
        bundled_content(bundle, bundle / "config.json", 1 << 20)


def test_a_hostile_bundle_costs_little_more_than_a_good_run(tmp_path):
    code, seconds, megabytes = cost(RUN)
    assert code == 0
    bundle = tmp_path / "hostile.zip"
    for fault in ("is a bomb", "has 65,000 members", "has members that overlap", "is cut"):
        bundle.write_bytes(MAKERS[fault]())
        found = cost(bundle)
        assert found[0] == 65, fault
        assert found[1] < seconds + 1, fault
        assert found[2] < megabytes + 200, fault
    with bundle.open("wb") as file:
        file.truncate(1 << 36)  # takes no room on the disk
    assert cost(bundle)[0] == 65
