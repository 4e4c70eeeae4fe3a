from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import throughtime
from derive.errors import ArgumentError
from numeric.weights.loading import recurrent_layers
from proofs import weights_check
from proofs.modules import load_source
from proofs.weights_check import weights_gradient_check
from throughtime.cli import cli


def started(spec: str, *sizes: int) -> dict[str, np.ndarray]:
    model = throughtime.load(spec)
    return load_source(model.generate().source).init_params(*sizes, seed=3)


@pytest.mark.parametrize("spec", ["lstm", "gru_reset_after", "elman", "elman:g=relu"])
def test_a_torch_layer_with_the_state_dict_computes_the_same(spec: str) -> None:
    torch = pytest.importorskip("torch")
    model, params = throughtime.load(spec), started(spec, 5, 3)
    kind = {"l": torch.nn.LSTM, "g": torch.nn.GRU, "e": torch.nn.RNN}[spec[0]]
    options = {"nonlinearity": spec.partition("=")[2] or "tanh"} if spec[0] == "e" else {}
    layer = kind(3, 5, **options).double()
    state = model.state_dict(params, "torch")
    layer.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    x = np.random.default_rng(0).standard_normal((6, 2, 3))
    outputs, _, _ = load_source(model.generate().source).forward(params, x)
    np.testing.assert_allclose(
        outputs["h"], layer(torch.from_numpy(x))[0].detach().numpy(), atol=1e-13
    )


@pytest.mark.parametrize("spec", ["lstm", "lstm_peephole", "gru_mirrored", "gru_reset_after"])
def test_an_exported_onnx_model_is_read_back(tmp_path: Path, spec: str) -> None:
    onnx = pytest.importorskip("onnx")
    params = {k: v.astype(np.float32) for k, v in started(spec, 4, 3).items()}
    onnx.save(throughtime.load(spec).to_onnx(params), str(tmp_path / "m.onnx"))
    (layer,) = recurrent_layers(tmp_path / "m.onnx")
    assert layer.spec == spec
    for name, value in params.items():
        np.testing.assert_allclose(layer.parameters[name], value, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [("lstm", {"n": 3, "m": 2}), ("skip:d=3", {"n": 2, "m": 3}), ("rwkv", {"n": 3, "m": 2})],
)
def test_a_torch_module_has_the_gradients_of_the_generated_code(
    spec: str, sizes: dict[str, int]
) -> None:
    torch = pytest.importorskip("torch")
    model = throughtime.load(spec)
    module = model.to_torch(seed=1, **sizes)
    torch.manual_seed(0)
    x = torch.randn(4, 2, sizes["m"], dtype=torch.float64, requires_grad=True)

    def outputs(*_: object) -> tuple[object, ...]:
        found, final = module(x)
        return (*found.values(), *final.values())

    assert torch.autograd.gradcheck(outputs, (*module.parameters(), x))


def test_a_torch_module_equals_torchs_own_lstm_with_a_start_and_in_training() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    own = torch.nn.LSTM(3, 5).double()
    model = throughtime.load("lstm")
    module = model.to_torch(n=5, m=3)
    params = {k: v.detach().numpy() for k, v in module.named_parameters()}
    own.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict(params).items()})
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    h, c = torch.randn(2, 1, 2, 5, dtype=torch.float64)
    ys = own(x, (h, c))[0]
    outputs, final = module(x, state={"h": h[0], "c": c[0]})
    torch.testing.assert_close(outputs["h"], ys)
    torch.testing.assert_close(final["h"], ys[-1])
    (outputs["h"] ** 2).sum().backward()
    (ys**2).sum().backward()
    grads = {k: v.grad.numpy() for k, v in module.named_parameters()}
    for name, value in model.state_dict(grads).items():
        if name != "bias_hh_l0":  # our one bias stands for both
            torch.testing.assert_close(
                torch.from_numpy(value), dict(own.named_parameters())[name].grad
            )


def test_what_cannot_be_exported_is_told() -> None:
    with pytest.raises(ArgumentError, match="No framework has the cell rwkv"):
        throughtime.load("rwkv").state_dict({})
    mine = throughtime.read("h[t] = sin(W @ h[t-1] + U @ x[t] + b)", "lstm")
    with pytest.raises(ArgumentError, match="No framework has the cell lstm"):
        mine.state_dict({})
    params = started("gru_mirrored", 3, 2)
    with pytest.raises(ArgumentError, match="resets after"):
        throughtime.load("gru_mirrored").state_dict(params, "torch")
    with pytest.raises(ArgumentError, match="b_z is missing"):
        throughtime.load("gru_mirrored").state_dict(
            {k: v for k, v in params.items() if k != "b_z"}, "keras"
        )
    with pytest.raises(ArgumentError, match=r"W_r has shape \(2, 2\)"):
        throughtime.load("gru_mirrored").state_dict(params | {"W_r": np.ones((2, 2))}, "keras")
    with pytest.raises(ArgumentError, match="no convention 'mxnet'"):
        throughtime.load("lstm").state_dict(started("lstm", 2, 2), "mxnet")
    pytest.importorskip("torch")
    with pytest.raises(ArgumentError, match="sizes n, m"):
        throughtime.load("lstm").to_torch(n=3)


def onnx_file(folder: Path, spec: str = "lstm") -> Path:
    onnx = pytest.importorskip("onnx")
    model = throughtime.load(spec)
    onnx.save(model.to_onnx(started(spec, 4, 3)), str(folder / "model.onnx"))
    return folder / "model.onnx"


def test_weights_are_verified_from_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    done = CliRunner().invoke(cli, ["verify", "--weights", str(onnx_file(tmp_path)), "--json"])
    assert done.exit_code == 0, done.output
    (layer,) = json.loads(done.stdout)["layers"]
    verdicts = {check["name"]: check["verdict"] for check in layer["verification"]["checks"]}
    assert verdicts["loaded weights"] == verdicts["gradients at loaded weights"] == "holds"
    assert len(verdicts) > 20


def test_wrong_gradients_at_loaded_weights_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (layer,) = throughtime.load_weights(onnx_file(tmp_path))
    assert weights_gradient_check(layer).ok
    right = weights_check.generate
    wrong = "c_bar[t] * i[t] * (1.0 - g[t] ** 2)"
    assert wrong in right(throughtime.load("lstm").derive())
    monkeypatch.setattr(
        weights_check, "generate", lambda d: right(d).replace(wrong, wrong.replace("i[t]", "f[t]"))
    )
    assert not weights_gradient_check(layer).ok


def test_what_does_not_go_with_weights_is_told(tmp_path: Path) -> None:
    for more in (["gru"], ["--renew"], ["--mutants"]):
        done = CliRunner().invoke(cli, ["verify", "--weights", "model.onnx", *more])
        assert done.exit_code == 2
        assert "--weights goes without" in done.output
    assert "Give F.py, CELL, or --weights FILE" in CliRunner().invoke(cli, ["verify"]).output
