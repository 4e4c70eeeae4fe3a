"""generate --tune: measured once, the same file from the same cache, and no cache that is not this machine's own."""

from __future__ import annotations

import json
from itertools import count

import pytest
from click.testing import CliRunner

from derive.errors import ArgumentError
from numeric.tuning import Shape, settings_in
from reports.files import OutputError
from throughtime import load, tuning
from throughtime.cli import cli
from throughtime.tuning import default_cache, read_cache, tuned
from throughtime.verifying import verify_file

SMALL = (Shape(5, 3, 4, 2), Shape(4, 1, 2, 3))
CHOSEN = {"STRETCH_ROWS": 12, "PIECE_SIZE": 4_000_000, "BLOCK_BYTES": 300_000, "MATRIX_SIZE": 200}


@pytest.fixture(scope="module")
def elman():
    return load("elman")


@pytest.fixture(scope="module")
def fast(elman) -> str:
    return elman.generate(optimize="speed").source


def never() -> float:
    raise AssertionError("nothing is to be measured")


def kept(path, **changes) -> dict:
    """A cache as it stands, changed and written back."""
    data = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(data))
    return data


@pytest.fixture
def cache(tmp_path, elman, fast):
    """A cache with one entry, whose sizes are none that anybody would measure."""
    path = tmp_path / "a folder" / "tuning.json"
    first = tuned(elman, fast, shapes=SMALL, cache=path, clock=count().__next__)
    assert first.measured
    entries = json.loads(path.read_text())["entries"]
    for entry in entries.values():
        entry["settings"] = CHOSEN
    kept(path, entries=entries)
    return path


def test_the_same_cache_gives_the_same_file_and_nothing_is_measured_again(elman, fast, cache):
    before = cache.read_bytes()
    found = [tuned(elman, fast, shapes=SMALL, cache=cache, clock=never) for _ in range(2)]
    assert found[0] == found[1]
    assert not found[0].measured
    assert "\nSTRETCH_ROWS = 12\n" in found[0].source
    assert "\nBLOCK_BYTES = 300_000\n" in found[0].source
    assert cache.read_bytes() == before


def test_what_is_measured_is_written_into_the_file_and_the_cache(elman, fast, tmp_path):
    path = tmp_path / "tuning.json"
    found = tuned(elman, fast, shapes=SMALL, cache=path, clock=count().__next__)
    assert found.settings == settings_in(found.source)
    (entry,) = read_cache(path).values()
    assert entry == {"name": "elman", "settings": found.settings, "shapes": [str(s) for s in SMALL]}


def test_other_runs_and_other_code_are_other_entries(elman, fast, cache):
    other = elman.generate(optimize="speed", checkpoint=True).source
    assert tuned(elman, fast, shapes=SMALL[:1], cache=cache, clock=count().__next__).measured
    assert tuned(elman, other, shapes=SMALL, cache=cache, clock=count().__next__).measured
    assert len(read_cache(cache)) == 3
    assert tuned(elman, fast, shapes=SMALL, cache=cache, clock=never).settings == CHOSEN


@pytest.mark.parametrize(
    "name", ["lru", "gru_reset_after", "tagger", "encoder_decoder", "many_to_one"]
)
def test_cells_and_networks_of_all_kinds_are_measured(name, tmp_path):
    model = load(name)
    source = model.generate(optimize="speed").source
    path = tmp_path / "tuning.json"
    found = tuned(model, source, shapes=SMALL[:1], cache=path, clock=count().__next__)
    assert found.measured
    assert found.settings.keys() == settings_in(source).keys()


def test_compiled_files_are_tuned_too(tmp_path):
    pytest.importorskip("numba", reason="numba is not installed: make frameworks")
    model, path = load("elman"), tmp_path / "tuning.json"
    source = model.generate(backend="numba").source
    found = tuned(model, source, shapes=SMALL[:1], cache=path, clock=count().__next__)
    assert found.settings.keys() == {"STRETCH_ROWS", "SMALL_STEP", "PIECE_SIZE"}


def test_a_tuned_file_is_verified_and_differs_in_nothing_from_what_is_generated(
    elman, fast, cache, tmp_path
):
    source = tuned(elman, fast, shapes=SMALL, cache=cache, clock=never).source
    file = tmp_path / "elman.py"
    elman.certified(source).write(file)
    found = verify_file(file)
    assert found.ok, found.table()
    assert found.differences == ()
    assert found.certificate == "certificate: the code is the one that was certified"
    file.write_text(file.read_text().replace("STRETCH_ROWS = 12", "STRETCH_ROWS = 13"))
    assert "was changed since" in verify_file(file).certificate


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no JSON"),
        (b'{"format": "throughtime tuning 1", "mach', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1, 2]", "does not say"),
        (b'{"format": "throughtime tuning 0"}', "does not say"),
    ],
)
def test_a_cache_that_cannot_be_read_is_refused_and_left_alone(elman, fast, tmp_path, content, why):
    path = tmp_path / "tuning.json"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=why) as found:
        tuned(elman, fast, shapes=SMALL, cache=path, clock=never)
    assert str(path) in str(found.value)
    assert "--tune-cache" in found.value.remedy
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "value",
    [-1, 1.5, "12", True, None, 10**13],
    ids=["negative", "part", "text", "bool", "none", "large"],
)
def test_an_entry_without_whole_numbers_is_refused(elman, fast, cache, value):
    key = next(iter(read_cache(cache)))
    kept(cache, entries={key: {"settings": {**CHOSEN, "STRETCH_ROWS": value}}})
    with pytest.raises(ArgumentError, match="whole numbers from 0"):
        tuned(elman, fast, shapes=SMALL, cache=cache, clock=never)


def test_a_cache_without_entries_or_with_other_sizes_is_refused(elman, fast, cache):
    key = next(iter(read_cache(cache)))
    kept(cache, entries={key: {"settings": {"STRETCH_ROWS": 12}}})
    with pytest.raises(ArgumentError, match="its sizes for elman are STRETCH_ROWS"):
        tuned(elman, fast, shapes=SMALL, cache=cache, clock=never)
    kept(cache, entries=[])
    with pytest.raises(ArgumentError, match="no entries"):
        tuned(elman, fast, shapes=SMALL, cache=cache, clock=never)


def test_another_machines_cache_is_refused(elman, fast, cache, monkeypatch):
    monkeypatch.setattr(tuning, "machine", lambda: "another")
    with pytest.raises(ArgumentError, match="and this is another"):
        tuned(elman, fast, shapes=SMALL, cache=cache, clock=never)


def test_a_folder_is_no_cache(elman, fast, tmp_path):
    with pytest.raises(OutputError, match="cannot be read"):
        tuned(elman, fast, shapes=SMALL, cache=tmp_path, clock=never)


def test_what_has_no_sizes_and_runs_that_are_too_large_are_refused(elman, fast, tmp_path):
    path = tmp_path / "tuning.json"
    with pytest.raises(ArgumentError, match="nothing to tune"):
        tuned(elman, elman.generate().source, cache=path, clock=never)
    for shape in (Shape(0, 1, 2, 3), Shape(10, 2, 30_000, 2), Shape(10**6, 10**3, 50, 2)):
        with pytest.raises(ArgumentError, match="Choose other sizes"):
            tuned(elman, fast, shapes=[shape], cache=path, clock=never)
    assert not path.exists()


def test_the_users_cache_lies_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "throughtime" / "tuning.json"


# ── the command line ──


def run(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--tune"], "--optimize readable"),
        (["--tune", "--optimize", "size"], "--optimize size"),
        (["--tune", "--backend", "array-api"], "--backend array-api"),
        (["--tune-for", "5,3,4,2", "--optimize", "speed"], "Add --tune, or leave out --tune-for"),
        (
            ["--tune-cache", "c.json", "--optimize", "speed"],
            "Add --tune, or leave out --tune-cache",
        ),
        (["--tune", "--tune-for", "5,3,4", "--optimize", "speed"], "write T,B,N,M"),
        (["--tune", "--tune-for", "5,3,x,2", "--optimize", "speed"], "write T,B,N,M"),
        (["--tune", "--tune-for", "5,3,0,2", "--optimize", "speed"], "Choose other sizes"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(options, named):
    found = run("generate", "elman", *options)
    assert found.exit_code == 2
    assert named in found.stderr


def test_the_command_writes_the_same_verified_file_from_the_same_cache(tmp_path):
    more = [
        "--tune-for",
        "5,3,4,2",
        "--tune-cache",
        str(tmp_path / "c.json"),
        "--optimize",
        "speed",
        "--json",
    ]
    first, again = (json.loads(run("generate", "elman", "--tune", *more).stdout) for _ in range(2))
    assert first["verified"]
    assert first["source"] == again["source"]
    assert first["tuning"].pop("measured") is True
    assert again["tuning"].pop("measured") is False
    assert first["tuning"] == again["tuning"]
    assert settings_in(first["source"]) == first["tuning"]["settings"]


def test_without_the_option_nothing_is_tuned(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = json.loads(run("generate", "elman", "--optimize", "speed", "--json").stdout)
    assert "tuning" not in found
    ordinary = {"STRETCH_ROWS": 512, "PIECE_SIZE": 1_000_000, "BLOCK_BYTES": 1_000_000}
    ordinary |= {"MATRIX_SIZE": 300}
    assert settings_in(found["source"]) == ordinary
    assert list(tmp_path.iterdir()) == []
