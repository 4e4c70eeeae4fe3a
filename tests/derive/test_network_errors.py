"""Networks that do not fit: the line, the caret, what is wrong and what to do."""

from __future__ import annotations

import pytest

from derive.errors import CellError
from tests.networks import read

# A text; what the caret stands under; words of the problem; words of the remedy.
CASES = {
    "a scan as a quantity": ("f = scan(lstm, x[t])\ny[t] = V @ f[t]", "f[t]", "f is a scan", "Write f.h[t]"),
    "a quantity called like a scan": (
        "f = scan(elman, x[t])\nf[t] = V @ f.h[t]", "f[t]", "is a scan and no quantity", "another name"
    ),
    "a field without an index": (
        "f = scan(lstm, x[t])\ny[t] = V @ f.c", "f.c", "f.c changes with time", "f.c[t], or f.c[end]"
    ),
    "a cell that is nearly one": ("f = scan(LTSM, x[t])", "LTSM", "Did you mean lstm?", ".cell beside"),
    "a field defined twice": (
        "f = scan(elman, x[t])\nf.h[t] = x[t]", "f.h[t]", "first on line 4 of elman.cell", "another name"
    ),
    "an index as the prediction": (
        "index tag\nf = scan(elman, x[t])\ny[t] = softmax(V @ f.h[t])\nloss[t] = cross_entropy(tag[t], y[t])",
        "tag[t]", "no prediction", "cross_entropy(y[t], tag[t])",
    ),
    "an earlier input where lengths differ": (
        "ragged t\nf = scan(elman, x[t])\ny[t] = V @ x[t-1] + f.h[t]", "x[t-1]",
        "x[t-1] is an input at an earlier step", "an input of its own",
    ),
    "unknown cell": ("f = scan(lstmm, x[t])", "lstmm", "No cell is called lstmm", ".cell beside"),
    "a cell as a function": ("f = lstm(x[t])", "lstm", "a cell and no function", "f = scan(lstm, x[t])"),
    "a cell as a function within a line": (
        "y[t] = V @ LSTM(x[t]) + b", "LSTM", "a cell and no function", "read its state"
    ),
    "a cell with its ending": ("f = scan(lstm.cell, x[t])", "lstm.cell", "no scan", "without its ending: lstm"),
    "an option as on the command line": ("f = scan(elman:g=relu, x[t])", ":", "no meaning", "scan(elman(g=relu), …)"),
    "a cell in quotes": ("f = scan('lstm', x[t])", "'", "no meaning", "without quotes"),
    "one option too many": ("f = scan(lstm(2), x[t])", "lstm", "1 option;", "Remove"),
    "both directions": (
        "f = scan(lstm, x[t], bidirectional)", "bidirectional", "one way", "b = scan(lstm, x[t], reverse)"
    ),
    "layers": ("f = scan(lstm, x[s], layers=2)", "layers", "one layer", "along f.h[s]"),
    "a truth value": ("f = scan(lstm, x[t], reverse=True)", "True", "a word of Python", "stands alone"),
    "a start by =": ("f = scan(lstm, x[t], start=g)", "start", "starts from", "start(g)"),
    "sharing by =": ("f = scan(lstm, x[t], share=g)", "share", "by the word share", "share(g)"),
    "dropout": ("f = scan(lstm, x[t], dropout=0.5)", "dropout", "Nothing is dropped", "mask[t] * x[t]"),
    "too many inputs": ("f = scan(gru, x[t], z[t])", "gru", "2 sequences are given", "one sequence for each"),
    "no input": ("f = scan(gru)", ")", "Expected an input", "Write name = scan"),
    "no index": ("f = scan(gru, x)", ")", "Expected a time index: x[t]", "Write name = scan"),
    "no index in an equation": ("y = W @ x[s]", "y", "has a time index", "Write y[s] = …"),
    "no index in a line of the end": (
        "f = scan(elman, x[t])\nloss = squared_error(f.h[end], d[end])", "loss", "has a time index",
        "Write loss[end] = …",
    ),
    "scans that need each other at once": (
        "f = scan(elman, g.h[t])\ng = scan(elman, f.h[t])", "f.h[t]", "Within one step f_h[t] needs g_h[t]",
        "e.g. f.h[t-1]",
    ),
    "reversed feedback": (
        "f = scan(gru, y[t-1], reverse)\ny[t] = V @ f.h[t]", "f", "need each other step by step", "remove the feedback"
    ),
    "earlier step of a reversed scan": (
        "g = scan(gru, x[t], reverse)\ny[t] = W @ g.h[t-1]", "g", "t reversed", "whole sequences only"
    ),
    "an earlier step beside what a reversed scan made of it": (
        "f = scan(gru, x[t])\nb = scan(gru, f.h[t], reverse)\nd[t] = f.h[t] - f.h[t-1]\nu[t] = b.h[t] + f.h[t-1]",
        "f.h[t-1]", "b runs along t reversed, f along t", "p[t] = h[t-1]",
    ),
    "an earlier step in a scan, beside what comes after the first": (
        "f = scan(gru, x[t])\nz[end] = f.h[end]\ng = scan(two, a=f.h[t-1], b=z[end])", "g",
        "z runs along end, f along t", "p[t] = h[t-1]",
    ),
    "two axes in a line": ("f = scan(gru, x[t])\ny[s] = V @ f.h[t]", "t", "axes s and t meet", "[end]"),
    "another axis": ("f = scan(gru, x[t])\ny[s] = V @ f.h[s]", "f.h[s]", "runs along the axis t", "start"),
    "the end along time": ("k[end] = V @ x[end]\nq[t] = k[t] * 2", "k[t]", "axis end", "[end]"),
    "a value of the end with an index": ("k[end] = V @ x[end]\nq[t] = k[t] * 2", "k[t]", "axis end", "k[end]"),
    "a value of the end with both": (
        "k[end] = V @ x[end]\nq[t] = k[end] * k[t]", "t", "meet in one line", "all, columns"
    ),
    "a step before the end": (
        "k[end] = V @ x[end]\nq[t] = k[end-1]", "end", "meet in one line", "no step comes before"
    ),
    "the last of a sequence along another axis": (
        "f = scan(gru, x[t])\nq[s] = V @ f.h[end]", "f.h[end]", "last value of a sequence", "z[end] = f.h[end]"
    ),
    "columns along an axis": (
        "f = scan(gru, x[t])\nq[s] = V @ columns(f.h[t]) @ w[s]", "columns(f.h[t])", "after all steps only",
        "K[end] = columns(f.h[t])",
    ),
    "columns of an expression": (
        "f = scan(gru, x[t])\nq[end] = V @ columns(W @ f.h[t])", "columns(W @ f.h[t])", "one named sequence", "u[s] = "
    ),
    "columns of what is given": ("q[end] = columns(x[t])", "columns(x[t])", "no such sequence", "u[t] = "),
    "columns along another axis": (
        "f = scan(gru, x[t])\nq[end] = columns(f.h[s])", "columns(f.h[s])", "runs along t", "or the one that it has"
    ),
    "columns of one value": (
        "z[end] = V @ x[end]\nq[end] = columns(z[t])", "columns(z[t])", "is one value", "the index of a sequence"
    ),
    "two lengths": (
        "f = scan(gru, x[t])\ng = scan(gru, z[s])\nq[end] = columns(f.h[t]) + columns(g.h[s])", "columns(g.h[s])",
        "T_s", "one shape",
    ),
    "a parameter for every step": (
        "f = scan(gru, x[t])\nq[end] = columns(f.h[t]) @ w", "w",
        "T_t is how many steps there are; d_w is a size of parameters", "from outside, w[end]",
    ),
    "a sequence that is not transposed": (
        "f = scan(gru, x[s])\nH[end] = columns(f.h[s])\na[t] = softmax(H[end] @ q[t])\nc[t] = H[end] @ a[t]",
        "softmax(H[end] @ q[t])", "T_s comes from line 4: c[t] = H[end] @ a[t]", "parameters, which are the same",
    ),
    "a sequence times itself": (
        "f = scan(gru, x[s])\nH[end] = columns(f.h[s])\ng[end] = H[end] @ H[end]", "columns(f.h[s])",
        "n comes from line 3: g[end] = H[end] @ H[end]", "change the expression",
    ),
    "inputs in another order": (
        "f = scan(gru, x[s])\nH[end] = columns(f.h[s])\nd = scan(attending, y[t-1], H[end])\ny[t] = V @ d.h[t]",
        "b", "d, line 3 of the network, gives y[t-1] as K and H[end] as x.",
        "appear in the cell's equations, or by name, scan(attending, K=y[t-1], …)",
    ),
    "a scan of one value": (
        "f = scan(gru, x[s])\nv[end] = W @ f.h[end]\ng = scan(gru, v[t])", "g", "v runs along the axis end", "v[end]"
    ),
    "all steps within the steps": (
        "f = scan(gru, y[t-1])\nH[end] = columns(f.h[t])\ny[t] = H[end] @ softmax(H[end].T @ x[t])", "H[end]",
        "need each other step by step", "[end] comes after all steps",
    ),
    "an embedding of a sequence": (
        "f = scan(gru, x[s])\nH[end] = columns(f.h[s])\nc[t] = embed(H[end], w[t])", "H[end]", "no parameter",
        "K[t] @ word[t] after the line `index word`",
    ),
    "a scan along no axis": (
        "z[end] = V @ x[end]\nf = scan(gru, z[end])", "f", "along a time axis", "given a sequence"
    ),
    "steps above others": (
        "ragged t\nf = scan(gru, x[t])\na[end] = softmax(concat(columns(f.h[t]).T @ q, b))",
        "concat(columns(f.h[t]).T @ q, b)", "stand above something else", "of their own",
    ),
    "a scan after the scans": ("f = scan(gru, k[end])", "f", "along a time axis", "one letter"),
    "start without the state": (
        "f = scan(gru, x[t])\ng = scan(lstm, z[s], start(f))", "f", "f has no state c", "the same names"
    ),
    "start of another depth": (
        "f = scan(skip(3), x[t])\ng = scan(skip(2), z[s], start(f))", "g", "remembers 2 steps", "as far"
    ),
    "start from nothing": ("f = scan(gru, x[t], start(g))", "g", "no scan defined above", "earlier line"),
    "no such option": (
        "f = scan(elman(foo=relu), x[t])", "foo=relu", "elman has no option foo", "the option g"
    ),
    "an option twice": ("f = scan(skip(2, d=3), x[t])", "skip", "2 options; it has the option d.", "is too much"),
    "no such input": ("f = scan(gru, y=u[t])", "y=u[t]", "gru has no input y", "the input x"),
    "a misspelt input": (
        "f = scan(attending, x=y[t-1], k=H[end])", "k=H[end]", "no input k. Did you mean K?", "the inputs K and x"
    ),
    "an input twice": (
        "f = scan(attending, H[end], K=z[t])", "K=z[t]", "input K of attending is given twice", "in order"
    ),
    "an input in order behind one by name": (
        "f = scan(attending, x=z[t], H[end])", "H[end]", "stands before what is given by name", "one of K and x"
    ),
    "an input that is missing": (
        "f = scan(attending, x=z[t])", "attending", "1 sequence is given, none for K", "one sequence for each"
    ),
    "an expression by name": ("f = scan(gru, x=W @ u[t])", "W @ u[t]", "a named sequence", "v[t] = W @ u[t]"),
    "a name in an equation": ("y[t] = sum(a=x[t])", "=", "stands within brackets", "Close the `(`"),
    "two losses": (
        "f = scan(gru, x[t])\nloss[t] = sum(f.h[t])\nloss[end] = sum(f.h[end])", "loss[end]", "defined twice",
        "total[end]",
    ),
    "start of what is no state": (
        "s.q[end] = W @ z[end]\nf = scan(gru, x[t], start(s))", "s.q[end]", "f starts from s and has no state q", "h."
    ),
    "start at every step": (
        "s.h[t] = W @ z[t]\nf = scan(gru, x[t], start(s))", "s.h[t]", "one value only", "s.h[end]"
    ),
    "start of two steps": (
        "s.h[end] = W @ z[end]\nf = scan(skip(2), x[t], start(s))", "f", "remembers 2 steps", "as far"
    ),
    "start from what runs together": (
        "f = scan(gru, g.h[t-1])\ng = scan(gru, x[t], start(f))", "g", "f cannot end first: they run together",
        "of an earlier step",
    ),
    "start from an earlier step besides": (
        "f = scan(gru, x[t])\ng = scan(gru, f.h[t-1], start(f))", "g", "f cannot end first", "Remove the start"
    ),
    "start from what comes after": (
        "f = scan(gru, u[t])\ng = scan(gru, x[t], start(f))\nu[t] = W @ g.h[t]", "g", "uses what comes of g",
        "Remove the start",
    ),
    "sharing between cells": (
        "f = scan(gru, x[t])\ng = scan(lstm, x[t], share(f))", "f", "f is a scan of gru", "same cell"
    ),
    "sharing between options": (
        "f = scan(elman(relu), x[t])\ng = scan(elman, x[t], share(f))", "f",
        "f is a scan of elman(relu), and g of elman.", "the same options",
    ),
    "a row in a softmax": (
        "f = scan(gru, x[t])\nH[end] = columns(f.h[t])\na[end] = softmax(H[end].T @ H[end])", "H[end].T @ H[end]",
        "H[end].T @ H[end] must have 1 column", "exp(a) / sum(exp(a))",
    ),
    "two scans of a name": ("f = scan(gru, x[t])\nf = scan(gru, z[t])", "f", "defined twice", "Rename"),
    "two equations of a name": (
        "y[t] = W @ x[t]\ny[t] = V @ x[t]", "y[t]", "defined twice: first on line 1", "another name"
    ),
    "no scan": ("y[t] = W @ g.h[t]", "g.h", "g is no scan", "name.state"),
    "nothing of the cell": ("f = scan(gru, x[t])\ny[t] = W @ f.q[t]", "f.q[t]", "gru computes no q", "z, r, g and h"),
    "nothing of the cell in a scan": (
        "f = scan(gru, x[t])\ng = scan(gru, f.q[t])", "f.q[t]", "computes no q", "It computes"
    ),
    "two memories of an input": (
        "f = scan(gru, x[t-1])\ng = scan(elman, x[t-2])", "g", "both look at earlier steps of x", "sequence of its own"
    ),
    "a word twice": ("f = scan(gru, x[t], reverse, reverse)", "reverse", "reverse once", "Write name"),
    "an expression": (
        "f = scan(gru, W @ x[t])", "W @ x[t]", "along a named sequence", "u[t] = W @ x[t], and scan u[t]"
    ),
    "a stack": (
        "f = scan(gru, x[s])\nb = scan(gru, x[s])\ng = scan(lstm, concat(f.h[s], b.h[s]), reverse)",
        "concat(f.h[s], b.h[s])", "along a named sequence", "u[s] = concat(f.h[s], b.h[s]), and scan u[s]"
    ),
    "a sum": ("f = scan(skip(2), x[t] + z[t])", "x[t] + z[t]", "along a named sequence", "u[t] = x[t] + z[t]"),
    "a multiple": ("f = scan(gru, -2 * x[t])", "-2 * x[t]", "along a named sequence", "u[t] = -2 * x[t]"),
    "its own output at lag 0": ("f = scan(gru, f.h[t-0])", "f.h[t-0]", "fed by its own output", ": f.h[t-1]"),
    "an end among steps": (
        "d = scan(gru, x[s])\nb = scan(gru, z[t])\ny[s] = V @ concat(d.h[s], b.h[end])", "b.h[end]",
        "the last value of a sequence", "z[end] = b.h[end], and write z[end] here",
    ),
    "a step among ends": (
        "d = scan(gru, x[s])\ny[end] = V @ d.h[s]", "s", "axes end and s meet", "[end] is one value"
    ),
    "no option": ("f = scan(gru(3), x[t])", "gru", "it has no options", "Remove"),
    "an unknown option": ("f = scan(elman(foo), x[t])", "elman", "foo is not offered", "one of tanh"),
    "an option of the network": ("option g = tanh\nf = scan(gru, x[t])", "g", "no options", "with the cell"),
    "a scan of its own output": (
        "f = scan(gru, f.h[t])", "f.h[t]", "fed by its own output", "an earlier step: f.h[t-1]"
    ),
    "a reversed scan of its own output": (
        "f = scan(gru, f.h[t-1], reverse)", "f.h[t-1]", "runs from the end and is fed by its own",
        "Remove the word reverse",
    ),
    "a reversed scan of an earlier step": (
        "f = scan(gru, x[t-1], reverse)", "x[t-1]", "in time, or in the scan's order", "u[t] = x[t-1]"
    ),
    "a circle within a step": ("f = scan(gru, y[t])\ny[t] = V @ f.h[t]", "f.h[t]", "needs", "previous step"),
    "a loss of many entries": (
        "f = scan(gru, x[t])\nloss[t] = f.h[t]", "loss[t]", "must be one number", "sum or the mean"
    ),
    "an index that is a state": ("index h\nh[t] = tanh(W @ h[t-1])", "h", "is a state", "Remove the declaration"),
    "an index at an earlier step": ("index w\ny[t] = E @ w[t-1]", "w", "at an earlier step", "input of its own"),
    "an embedding of no parameter": ("y[t] = embed(E[t], w[t])", "E[t]", "no parameter", "embed(E, word[t])"),
    "an embedding of no input": ("y[t] = embed(E, w)", "w", "no input", "embed(E, word[t])"),
    "an embedding of three": ("y[t] = embed(E, w[t], v[t])", "embed(E, w[t], v[t])", "found 3", "embed(E, word[t])"),
    "a ragged axis that is none": ("ragged s\nf = scan(gru, x[t])", "s", "Nothing runs along s", "remove"),
    "a ragged axis with two steps": ("ragged t\nf = scan(skip(2), x[t])", "f", "2 steps back", "ragged t"),
    "a ragged axis with an earlier input": (
        "ragged t\nf = scan(gru, x[t-1])", "f", "an input at an earlier step", "input of its own"
    ),
    "a ragged nothing": ("ragged\nf = scan(gru, x[t])", "ragged", "Expected one axis", "ragged t"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_network_that_does_not_fit_is_told_where_and_what_to_do(case: str) -> None:
    text, under, problem, remedy = CASES[case]
    with pytest.raises(CellError) as caught:
        read(text)
    error = caught.value
    assert problem in error.problem
    assert remedy in f"{error.problem} {error.remedy}"
    place = error.place
    assert place is not None
    assert place.text[place.column : place.column + place.width] == under
    assert str(error).splitlines()[1].count("^") == len(under)


def test_shapes_that_do_not_fit_across_segments_are_told_with_both_places() -> None:
    with pytest.raises(CellError) as caught:
        read("f = scan(gru, x[t])\nz[t] = concat(x[t], x[t]) * f.h[t]\nq[t] = x[t] * f.h[t]")
    said = str(caught.value)
    assert "specimen.net, line 3: q[t] = x[t] * f.h[t]" in said
    assert "x[t] has m rows" in said
    assert "gru.cell, line 3" in said


def test_an_empty_network_is_refused() -> None:
    with pytest.raises(CellError, match="no scan and no equation"):
        read("# nothing\n")
