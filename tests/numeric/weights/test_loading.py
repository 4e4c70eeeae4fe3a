from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ArgumentError
from numeric.weights.conventions import gates_of, to_keras, to_onnx_tensors, to_torch
from numeric.weights.files import configurations
from numeric.weights.loading import chosen_layers, recurrent_layers
from numeric.weights.recurrent import recurrent_of
from proofs.weights_check import weights_check
from tests.numeric.weights.makers import keras_model, onnx_model, torch_model

SPECS = ("lstm", "lstm_peephole", "gru_reset_after", "gru_mirrored", "elman", "elman:g=relu")


def parameters(spec: str, n: int, m: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    gates = {"lstm": "fiog", "gru": "zrg"}.get(spec.split("_")[0], "")
    tails = [f"_{g}" for g in gates] or [""]
    found = {f"W{t}": rng.standard_normal((n, n)) for t in tails}
    found |= {f"U{t}": rng.standard_normal((n, m)) for t in tails}
    found |= {f"b{t}": rng.standard_normal(n) for t in tails}
    if spec == "lstm_peephole":
        found |= {f"p_{g}": rng.standard_normal(n) for g in "fio"}
    if spec == "gru_reset_after":
        found["a_g"] = rng.standard_normal(n)
    return found


@given(st.sampled_from(SPECS), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_a_layer_written_in_a_convention_and_read_again_is_the_same(
    spec: str, n: int, m: int, seed: int
) -> None:
    before = parameters(spec, n, m, seed)
    layer = recurrent_of(spec, before)
    assert layer.spec == spec
    written = to_onnx_tensors(layer)
    B = written["B"][0]
    half = len(B) // 2
    peep = written["P"][0] if "P" in written else None
    read = [
        gates_of("onnx", layer.kind, written["W"][0], written["R"][0], B[:half], B[half:], peep)
    ]
    if spec not in ("lstm_peephole", "gru_mirrored"):
        W, R, b, a = to_torch(layer).values()
        read.append(gates_of("torch", layer.kind, W, R, b, a))
    if spec != "lstm_peephole":
        kernel, recurrent, bias = to_keras(layer).values()
        b, a = bias if bias.ndim == 2 else (bias, None)
        read.append(gates_of("keras", layer.kind, kernel.T, recurrent.T, b, a))
    for gates in read:
        again = recurrent_of(spec, before).__class__(
            "again", "torch", layer.kind, gates, {},
            activation=layer.activation, reset_after=layer.reset_after,
        ).parameters  # fmt: skip
        assert set(again) == set(before)
        for name, value in before.items():
            np.testing.assert_allclose(again[name], value, rtol=1e-12, err_msg=name)


def test_layers_of_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    torch_model(tmp_path / "m.safetensors")
    layers = {layer.name: layer for layer in recurrent_layers(tmp_path / "m.safetensors")}
    specs = {name: layer.spec for name, layer in layers.items()}
    assert specs == {
        "enc.l0": "lstm",
        "enc.l0.reverse": "lstm",
        "enc.l1": "lstm",
        "enc.l1.reverse": "lstm",
        "gru.l0": "gru_reset_after",
        "plain.l0": "elman",
        "cell": "gru_reset_after",
    }
    assert layers["enc.l1.reverse"].reverse
    assert (layers["enc.l1"].n, layers["enc.l1"].m) == (5, 10)
    assert "enc.weight_hh_l1  20 × 5" in layers["enc.l1"].used()
    for layer in layers.values():
        check = weights_check(layer)
        assert check.ok, check


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_what_weights_of_keras_alone_do_not_tell_is_said(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    keras_model()  # chooses the backend
    import keras

    gru = keras.layers.GRU(4, use_bias=False, reset_after=False, name="bare")
    keras.Sequential([keras.Input((None, 3)), gru]).save_weights(str(tmp_path / "m.weights.h5"))
    [layer] = recurrent_layers(tmp_path / "m.weights.h5")
    assert any("reset gate is assumed to act after the product" in note for note in layer.notes)


def test_a_state_dict_in_npz_is_read_alike(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    model = torch_model(tmp_path / "m.safetensors")
    np.savez(tmp_path / "m.npz", **{k: v.numpy() for k, v in model.state_dict().items()})
    for a, b in zip(
        sorted(recurrent_layers(tmp_path / "m.npz"), key=lambda layer: layer.name),
        sorted(recurrent_layers(tmp_path / "m.safetensors"), key=lambda layer: layer.name),
        strict=True,
    ):
        assert a.name == b.name
        assert all(np.array_equal(a.parameters[k], b.parameters[k]) for k in b.parameters)


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # Keras with torch
@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_layers_of_keras(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("h5py")
    path = tmp_path / f"m.{ending}"
    model = keras_model()
    (model.save_weights if ending == "weights.h5" else model.save)(str(path))
    layers = {layer.name: layer for layer in recurrent_layers(path)}
    relu = "elman" if ending == "weights.h5" else "elman:g=relu"
    assert {name: layer.spec for name, layer in layers.items()} == {
        "memory": "lstm",
        "bi.forward_both": "gru_reset_after",
        "bi.backward_both": "gru_reset_after",
        "old": "gru_mirrored",
        "simple": relu,
    }
    assert layers["bi.backward_both"].reverse
    assert not layers["bi.forward_both"].reverse
    for layer in layers.values():
        check = weights_check(layer)
        assert check.ok, check


def test_layers_of_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    onnx_model(tmp_path / "m.onnx")
    layers = {layer.name: layer for layer in recurrent_layers(tmp_path / "m.onnx")}
    assert {name: (layer.spec, layer.reverse) for name, layer in layers.items()} == {
        "both.forward": ("lstm", False),
        "both.reverse": ("lstm", True),
        "peep": ("lstm_peephole", False),
        "after.forward": ("gru_reset_after", False),
        "after.reverse": ("gru_reset_after", True),
        "before": ("gru_mirrored", True),
        "plain": ("elman:g=relu", False),
    }
    for layer in layers.values():
        check = weights_check(layer)
        assert check.ok, check


def test_a_wrong_gate_order_is_seen(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    torch_model(tmp_path / "m.safetensors")
    (layer,) = chosen_layers(tmp_path / "m.safetensors", "gru")
    swapped = {**layer.gates, "z": layer.gates["r"], "r": layer.gates["z"]}
    wrong = layer.__class__(layer.name, "torch", "gru", swapped, layer.sources, raw=layer.raw)
    assert not weights_check(wrong).ok


def test_a_name_chooses_and_an_unknown_one_is_told_what_there_is(tmp_path: Path) -> None:
    n, m = 2, 3
    state = {"a.weight_ih_l0": np.ones((4 * n, m)), "a.weight_hh_l0": np.ones((4 * n, n)),
             "ab.weight_ih_l0": np.ones((3 * n, m)), "ab.weight_hh_l0": np.ones((3 * n, n))}  # fmt: skip
    np.savez(tmp_path / "m.npz", **state)
    assert [x.spec for x in chosen_layers(tmp_path / "m.npz", "a")] == ["lstm"]
    assert len(chosen_layers(tmp_path / "m.npz")) == 2
    with pytest.raises(ArgumentError, match=r"(?s)no recurrent layer 'c'.*a\.l0, ab\.l0"):
        chosen_layers(tmp_path / "m.npz", "c")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"weight_ih_l0": (5, 3), "weight_hh_l0": (5, 2)}, "shapes that no RNN"),
        ({"weight_ih_l0": (8, 3), "weight_hh_l0": (6, 2)}, "shapes that no RNN"),
        ({"weight_hh_l0": (8, 2)}, "has no matrix"),
        (
            {"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 2), "bias_ih_l0": (7,)},
            "shapes that no RNN",
        ),
        (
            {"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 2), "bias_ih_l0": (8,)},
            "no bias_hh_l0; expected both, or none",
        ),
        ({"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 2), "weight_hr_l0": (1, 2)}, "proj_size"),
        ({"W": (2, 2)}, "no recurrent layer"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, arrays: dict[str, tuple[int, ...]], says: str
) -> None:
    np.savez(tmp_path / "m.npz", **{k: np.ones(v) for k, v in arrays.items()})
    with pytest.raises(ArgumentError, match=says):
        chosen_layers(tmp_path / "m.npz")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda W: W.astype(np.int8), "weight_ih_l0 has the dtype int8; expected floating-point"),
        (lambda W: W.astype(np.complex64), "weight_ih_l0 has the dtype complex64"),
        (
            lambda W: np.where(np.arange(3) == 1, np.nan, W),
            r"holds nan at \[0, 1\]; expected finite",
        ),
    ],
)
def test_numbers_that_are_no_weights_are_refused(tmp_path: Path, change, says: str) -> None:
    arrays = {"weight_ih_l0": change(np.ones((8, 3))), "weight_hh_l0": np.ones((8, 2))}
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(ArgumentError, match=says):
        chosen_layers(tmp_path / "m.npz")
    single = {
        k: np.ones(v, np.float16) for k, v in {"weight_ih": (8, 3), "weight_hh": (8, 2)}.items()
    }
    np.savez(tmp_path / "half.npz", **single)
    assert chosen_layers(tmp_path / "half.npz")[0].spec == "lstm"


def _doubled(x):
    return 2 * x


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_cell_that_a_layer_of_keras_was_given_is_read_with_its_own_configuration(
    tmp_path: Path, ending: str
) -> None:
    pytest.importorskip("h5py")
    keras_model()  # chooses the backend
    import keras

    of = keras.layers
    cells = [
        of.LSTMCell(4, name="first"),
        of.GRUCell(4, reset_after=False, use_bias=False, name="second"),
        of.SimpleRNNCell(4, activation=_doubled, name="third"),
    ]
    layers = [
        of.RNN(cells, return_sequences=True, go_backwards=True, name="stack"),
        of.RNN(of.SimpleRNNCell(4, activation="relu"), return_sequences=True, name="good"),
        of.RNN(of.LSTMCell(4, activation="relu"), return_sequences=True, name="bad"),
        of.SimpleRNN(4, activation=_doubled, name="own"),
    ]
    path = tmp_path / f"m.{ending}"
    keras.Sequential([keras.Input((None, 3)), *layers]).save(str(path))
    [good] = chosen_layers(path, "good")
    assert (good.spec, good.reverse) == ("elman:g=relu", False)
    with pytest.raises(ArgumentError) as error:
        chosen_layers(path, "none")
    found = error.value.remedy.removeprefix("It has ").rstrip(".").split(", ")
    for name, spec in (("first", "lstm"), ("second", "gru_mirrored")):
        [layer] = chosen_layers(path, next(x for x in found if x.endswith(f".{name}")))
        assert (layer.spec, layer.reverse) == (spec, True)
    for name in ("bad", "own", next(x for x in found if x.endswith(".third"))):
        with pytest.raises(ArgumentError, match=r"shipped cells use tanh|elman knows tanh"):
            chosen_layers(path, name)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("was-executed"),))


@pytest.mark.parametrize("ending", ["pt", "pth", "npz", "bin"])
def test_nothing_in_a_file_is_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"m.{ending}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Evil()))
        buffer = io.BytesIO()
        np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
        archive.writestr("weight_hh.npy", buffer.getvalue())
    with pytest.raises(ArgumentError):
        chosen_layers(path)
    assert not (tmp_path / "was-executed").exists()


def test_a_file_that_unpacks_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(3):
            with archive.open(f"{k}.npy", "w", force_zip64=True) as member:
                for _ in range(16):
                    member.write(bytes(2**20))
    import numeric.weights.files as files

    old, files.LIMIT = files.LIMIT, 2**24
    try:
        with pytest.raises(ArgumentError, match="would unpack to"):
            chosen_layers(path)
    finally:
        files.LIMIT = old


HUGE = "1,099,511,627,776 bytes; at most 2,147,483,648 are read"


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_an_array_of_npz_that_says_to_be_huge_is_refused_with_its_size_and_the_limit(
    version: tuple[int, int], tmp_path: Path
) -> None:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (131072, 1048576)}\n"
    count = len(head).to_bytes(2 if version == (1, 0) else 4, "little")
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("W.npy", b"\x93NUMPY" + bytes(version) + count + head + bytes(64))
    with pytest.raises(ArgumentError, match=rf"W\.npy in .*m\.npz has {HUGE}"):
        chosen_layers(tmp_path / "m.npz")


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("F64", [2**17, 2**20]), ("BF16", [2**39]), ("BOOL", [2**40]), ("F8_E4M3", [2, 2**39])],
)
def test_a_tensor_of_safetensors_that_says_to_be_huge_is_refused_with_its_size_and_the_limit(
    dtype: str, shape: list[int], tmp_path: Path
) -> None:
    pytest.importorskip("safetensors")
    entry = {"dtype": dtype, "shape": shape, "data_offsets": [0, 2**40]}
    head = json.dumps({"__metadata__": {"of": "a test"}, "rnn.weight": entry}).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(64))
    with pytest.raises(ArgumentError, match=rf"rnn\.weight in .*m\.safetensors has {HUGE}"):
        chosen_layers(path)
    path.write_bytes((2**40).to_bytes(8, "little") + head)
    with pytest.raises(ArgumentError, match=rf"the head of .*m\.safetensors has {HUGE}"):
        chosen_layers(path)


@given(st.sampled_from(["npz", "safetensors", "keras", "h5", "onnx"]), st.binary(max_size=200))
def test_damaged_files_get_an_error_that_names_them(
    tmp_path_factory: pytest.TempPathFactory, ending: str, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"m.{ending}"
    path.write_bytes(content)
    with pytest.raises(ArgumentError):
        chosen_layers(path)


def test_a_layer_is_read_though_another_of_the_file_is_no_shipped_cell(tmp_path: Path) -> None:
    shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 4)}
    tensors = {f"gru.{name}": np.ones(shape) for name, shape in shapes.items()}
    tensors |= {f"lstm.{name}": np.ones((16, 4)) for name in shapes}
    tensors["lstm.weight_hr_l0"] = np.ones((2, 4))
    np.savez(tmp_path / "m.npz", **tensors)
    (layer,) = chosen_layers(tmp_path / "m.npz", "gru")
    assert (layer.name, layer.spec) == ("gru.l0", "gru_reset_after")
    for name in (None, "lstm"):
        with pytest.raises(ArgumentError, match=r"lstm\.l0 projects its state"):
            chosen_layers(tmp_path / "m.npz", name)
    with pytest.raises(ArgumentError, match="has no recurrent layer 'rnn'") as told:
        chosen_layers(tmp_path / "m.npz", "rnn")
    assert "It has gru.l0, lstm.l0." in str(told.value)


def test_a_missing_file_and_an_unknown_ending_are_told(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no file"):
        recurrent_layers(tmp_path / "none.npz")
    with pytest.raises(ArgumentError, match=r"\.safetensors"):
        recurrent_layers(tmp_path / "weights.txt")


def test_configurations_of_layers_within_layers() -> None:
    inner = {"class_name": "GRU", "config": {"name": "forward_g", "reset_after": False}}
    outer = {"class_name": "Bidirectional", "config": {"name": "b", "layer": inner}}
    found = configurations({"class_name": "Sequential", "config": {"layers": [outer]}})
    assert found["forward_g"]["reset_after"] is False
    assert found["b"]["class_name"] == "Bidirectional"
    deep: object = inner
    for _ in range(500):
        deep = [deep]
    assert configurations(deep) == {}


@pytest.mark.parametrize(
    ("dims", "says"),
    [
        ([1, 2**40, 2**20], "9,223,372,036,854,775,808 bytes; at most 2,147,483,648 are read"),
        ([2, 3, 5], "says that it is 2 × 3 × 5, and holds something else"),
    ],
)
def test_a_constant_of_onnx_that_says_to_be_larger_than_it_is_is_refused(
    dims: list[int], says: str, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    onnx_model(tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    for constant in model.graph.initializer:
        constant.ClearField("dims")
        constant.dims.extend(dims)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ArgumentError, match=says):
        recurrent_layers(tmp_path / "m.onnx")
