"""Inputs that are indices where a cell's gradient flow is measured: columns with one 1, as in every run of the cell."""

from __future__ import annotations

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.mean_field import vanilla
from numeric.setting import Runs, Setting, initial_weights
from numeric.source import generate
from numeric.stream import normal_inputs
from numeric.study import study
from proofs.modules import load_source
from proofs.prediction import predicted

CELL = "index w\ne[t] = embed(E, w[t])\nh[t] = tanh(W @ h[t-1] + e[t])"
DERIVATION = derive(read_cell(CELL, "words"))
SIZES = dict(zip(DERIVATION.cell.dims, (6, 7), strict=True))


def test_an_index_is_a_column_with_one_1_whatever_the_scale() -> None:
    draw = normal_inputs(DERIVATION, SIZES, 0, 3.0)
    drawn = np.array([draw(t)["w"][:, 0] for t in range(1, 401)])
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert (drawn.sum(axis=1) == 1).all()
    assert drawn.sum(axis=0).min() > 400 / drawn.shape[1] / 2


def test_a_cell_with_an_index_is_studied_in_its_report() -> None:
    found = study(DERIVATION, load_source(generate(DERIVATION)))
    assert found.inputs == "any of the index's numbers, each as often"
    assert found.difference < 1e-12


def test_an_embedding_drives_by_one_of_its_columns() -> None:
    setting = Setting(n=30, m=40, init="normal", inputs=5.0)
    module = load_source(generate(DERIVATION))
    fixed = initial_weights(DERIVATION, setting, module.init_params(30, 40))
    run = Runs(DERIVATION, fixed, setting).stored(300)
    drive = float(np.mean(run.over_time("e") ** 2))
    told = predicted(DERIVATION, fixed, setting)
    assert told is not None
    assert told.rate == pytest.approx(vanilla(1.0, drive=drive).rate, abs=0.01)
