"""Tuning: what is measured, where it is stored, and files that are ignored."""

import json
import os
import sys

import numpy as np
import pytest

import fastconv
from fastconv import _core, _measure, _tune
from fastconv.cli import main


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own; the shipped constants again afterwards."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FASTCONV_CACHE_DIR", str(folder))
    yield folder
    for entry in _core.levels():
        _core.set_costs(entry["name"], None)
    _tune._in_use(None, {})


@pytest.fixture
def measured(monkeypatch):
    """Costs by which transforms take nothing, in place of a measurement."""
    costs = {name: [0.5 for _ in values] for name, values in _core.costs(_core.level()).items()}
    for name in costs:
        if name.startswith(("lanes_", "matrix_")):
            costs[name] = [1e-6] * len(costs[name])
    monkeypatch.setattr(_measure, "measure", lambda level, budget_s, progress: costs)
    return costs


def stored(folder):
    (file,) = folder.iterdir()
    return file


def rewrite(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


# --- costs as data -----------------------------------------------------------------------


def test_costs_can_be_set_and_shipped_ones_come_back(cache):
    level = _core.level()
    shipped = _core.costs(level)
    halved = {name: [x / 2 for x in values] for name, values in shipped.items()}
    before = fastconv.explain(1000, 5).candidates[0].predicted_ns
    _core.set_costs(level, halved)
    assert _core.costs(level) == halved
    assert fastconv.explain(1000, 5).candidates[0].predicted_ns != before
    _core.set_costs(level, None)
    assert _core.costs(level) == shipped
    assert fastconv.explain(1000, 5).candidates[0].predicted_ns == before


def test_every_level_has_shipped_costs():
    for entry in _core.levels():
        costs = _core.costs(entry["name"])
        assert all(x > 0 for x in costs["direct_rate"] + costs["direct2d_rate"])
        assert len(costs["direct_rate"]) == len(_measure.PAIRS)


@pytest.mark.parametrize(
    "change",
    [
        {"direct_call": [-1.0]},
        {"direct_call": [float("nan")]},
        {"direct_call": [1.0, 2.0]},
        {"unknown": [1.0]},
    ],
)
def test_wrong_costs_are_refused_and_change_nothing(change):
    level = _core.level()
    before = _core.costs(level)
    with pytest.raises(ValueError, match=r"takes?\b"):
        _core.set_costs(level, before | change)
    assert _core.costs(level) == before


def test_fit_finds_what_made_the_times():
    rows = [[1, n, n * np.log2(n)] for n in (8, 64, 512, 4096)]
    assert _measure.fit(rows, np.array(rows) @ [30, 2, 0.5]) == pytest.approx([30, 2, 0.5])
    assert min(_measure.fit(rows, np.array(rows) @ [-3, 2, 0.5])) == 0


# --- tune --------------------------------------------------------------------------------


def test_a_measurement_has_every_field(monkeypatch):
    """A hasty one, at the level in use."""
    monkeypatch.setattr(_measure, "FAR_BYTES", 2**20)
    monkeypatch.setattr(_measure, "MID_BYTES", 2**19)
    level, shares = _core.level(), []
    costs = _measure.measure(level, 0.01, shares.append)
    shipped = _core.costs(level)
    assert {name: len(x) for name, x in costs.items()} == {n: len(x) for n, x in shipped.items()}
    assert all(np.isfinite(x).all() and min(x) >= 0 for x in costs.values())
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert _core.level() == level


def test_tune_stores_uses_and_finds_again(cache, measured, python):
    told = fastconv.tune(progress=False)
    file = stored(cache)
    assert told.file == str(file) == fastconv.show_config("dict")["tuning"]
    assert told.costs[told.level] == _core.costs(told.level) == measured
    assert fastconv.tune("show") == told
    assert str(file) in repr(told)
    assert told.cpu in repr(told)
    chosen = fastconv.explain(20_000, 40).method
    assert chosen != "direct", "what was measured is what is believed"
    code = "import fastconv; print(fastconv.show_config('dict')['tuning']); "
    code += "print(fastconv.explain(20_000, 40).method)"
    for _ in range(2):
        done = python(code, FASTCONV_CACHE_DIR=str(cache))
        assert done.stdout.split("\n")[:2] == [str(file), chosen], done.stderr
        assert not done.stderr


def test_levels_share_a_file(cache, measured):
    levels = [entry["name"] for entry in _core.levels() if entry["available"]]
    before = _core.level()
    try:
        for level in levels:
            _core.use_level(level)
            fastconv.tune(progress=False)
    finally:
        _core.use_level(before)
    assert set(json.loads(stored(cache).read_text())["levels"]) == set(levels)


def test_reset(cache, measured):
    shipped = _core.costs(_core.level())
    fastconv.tune(progress=False)
    told = fastconv.tune("reset")
    assert told.file is None
    assert not list(cache.iterdir())
    assert _core.costs(_core.level()) == shipped
    assert fastconv.tune("reset") == told, "nothing to remove is no error"


def test_arguments():
    with pytest.raises(ValueError, match=r"^action not understood: got 'fast', takes 'measure'"):
        fastconv.tune("fast")
    with pytest.raises(TypeError, match=r"^progress: got 1, takes True, False or None"):
        fastconv.tune(progress=1)


# --- the file ----------------------------------------------------------------------------


def broken(file):
    file.write_text('{"schema": 1, "vers')


def empty(file):
    file.write_text("")


def not_text(file):
    file.write_bytes(b"\xff\xfe\x00")


def no_tuning(file):
    file.write_text("[1, 2]")


def other_version(file):
    rewrite(file, version="0.0.1")


def other_cpu(file):
    rewrite(file, cpu="Another CPU")


def other_schema(file):
    rewrite(file, schema=0)


def short_field(file):
    levels = json.loads(file.read_text())["levels"]
    levels[_core.level()]["direct_rate"].pop()
    rewrite(file, levels=levels)


def words(file):
    levels = json.loads(file.read_text())["levels"]
    levels[_core.level()]["direct_call"] = ["fast"]
    rewrite(file, levels=levels)


def no_speed(file):
    levels = json.loads(file.read_text())["levels"]
    levels[_core.level()]["direct_rate"][0] = 0.0
    rewrite(file, levels=levels)


def huge(file):
    levels = json.loads(file.read_text())["levels"]
    levels[_core.level()]["direct_call"] = [10**400]
    rewrite(file, levels=levels)


def deep(file):
    file.write_text("[" * 100_000)


@pytest.mark.parametrize(
    "spoil",
    [
        no_speed,
        huge,
        deep,
        broken,
        empty,
        not_text,
        no_tuning,
        other_version,
        other_cpu,
        other_schema,
        short_field,
        words,
    ],
)
def test_a_file_that_is_not_ours_is_ignored_with_one_warning(cache, measured, spoil):
    shipped = _core.costs(_core.level())
    file = fastconv.tune(progress=False).file
    spoil(stored(cache))
    fastconv_forgets()
    with pytest.warns(RuntimeWarning, match=r"tuning file .* is ignored") as seen:
        _tune.load()
    assert len(seen) == 1
    assert file in str(seen[0].message)
    assert _core.costs(_core.level()) == shipped
    assert fastconv.show_config("dict")["tuning"] is None
    fastconv.tune(progress=False)
    fastconv_forgets()
    _tune.load()
    assert fastconv.show_config("dict")["tuning"] == file, "a new one takes its place"


def fastconv_forgets():
    for entry in _core.levels():
        _core.set_costs(entry["name"], None)
    _tune._in_use(None, {})


def test_a_level_of_another_build_is_left_alone(cache, measured):
    fastconv.tune(progress=False)
    levels = json.loads(stored(cache).read_text())["levels"]
    rewrite(stored(cache), levels=levels | {"avx1024": {"direct_call": [1.0]}})
    fastconv_forgets()
    _tune.load()
    assert fastconv.show_config("dict")["tuning"] == str(stored(cache))


def test_written_whole_or_not_at_all(cache, measured, monkeypatch):
    """Where the last step fails, the file before is as it was, and nothing is left beside it."""
    fastconv.tune(progress=False)
    before = stored(cache).read_bytes()

    def refuse(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match=r"in use but not stored: .*: No space left on device"):
            fastconv.tune(progress=False)
    assert stored(cache).read_bytes() == before


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, cache, measured, capsys):
    """One line, and what was measured is in use."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTCONV_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(OSError, match=r"in use but not stored"):
        fastconv.tune(progress=False)
    assert _core.costs(_core.level()) == measured
    assert main(["tune"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("fastconv: the tuning is in use but not stored")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("system", "variables", "where"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/fastconv"),
        ("linux", {"HOME": "/home/me"}, "/home/me/.cache/fastconv"),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Caches/fastconv"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/fastconv"),
        ("linux", {"FASTCONV_CACHE_DIR": "/own", "XDG_CACHE_HOME": "/x"}, "/own"),
    ],
)
def test_where_each_platform_keeps_it(monkeypatch, system, variables, where):
    for name in ("FASTCONV_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert _tune.folder().as_posix() == where


# --- the command -------------------------------------------------------------------------


def test_the_command(cache, measured, capsys):
    assert main(["tune"]) == 0
    assert str(stored(cache)) in capsys.readouterr().out
    assert main(["tune", "--show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["costs"][_core.level()] == measured
    assert main(["tune", "--reset"]) == 0
    cpu, speed, source = capsys.readouterr().out.splitlines()
    assert cpu == f"{_tune.cpu()}, level {_core.level()}"
    assert "multiply-adds per ns in float32" in speed
    assert source == "shipped constants"
    assert not list(cache.iterdir())


def test_a_bar_where_rich_is(cache, measured, capsys):
    pytest.importorskip("rich")
    fastconv.tune(progress=True)
    assert "measuring" in capsys.readouterr().err
