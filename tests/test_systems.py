"""Every system of the README's table: what its row shows is there, and tests that would fail without it."""

from __future__ import annotations

import ast
import importlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

import numeric
import throughtime
from throughtime.cli import cli

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

TORCH = "numeric/test_network_kinds_torch.py::test_values_and_gradients_of_every_kind_of_network_equal_torch_autograd"
ONNX = "numeric/test_network_onnx.py::test_forward_values_in_both_directions_equal_onnxruntime"
STEPS = (
    "numeric/test_network_source.py::test_gradients_of_every_kind_of_network_equal_complex_steps"
)
SHARES = "numeric/test_study.py::test_the_shares_add_up_to_the_gradient_of_the_generated_code"

TESTS = {
    "A1": [TORCH, ONNX, "derive/test_catalog.py::test_every_option_of_a_shipped_cell_loads_with_every_value"],
    "A2": [TORCH, ONNX, "numeric/test_source_torch.py::test_torch_s_own_lstm_has_the_same_gradients"],
    "A3": [TORCH, ONNX, "derive/test_catalog.py::test_the_two_update_conventions_of_the_gru_differ"],
    "A4": [TORCH],
    "A5": [TORCH, "derive/test_catalog.py::test_the_skip_reaches_as_far_as_asked"],
    "A6": [TORCH, "numeric/test_network_torch.py::test_two_bidirectional_layers_equal_torch"],
    "A7": [ONNX, "numeric/test_network_torch.py::test_two_bidirectional_layers_equal_torch"],
    "A8": [
        TORCH,
        STEPS,
        "numeric/test_network_torch.py::test_encoder_and_free_running_decoder_equal_torch_autograd",
    ],
    "A9": [TORCH],
    "A10": [
        TORCH,
        "numeric/test_network_source.py::test_value_and_grad_is_that_of_the_declared_loss_summed_over_steps_and_samples",
    ],
    "A11": [TORCH, "numeric/test_indices.py::test_an_embedding_forms_no_column_of_the_vocabulary"],
    "A12": [
        TORCH,
        "numeric/test_network_ragged.py::test_garbage_beyond_the_end_changes_no_output_and_no_gradient_in_any_bit",
        "numeric/test_network_ragged.py::test_each_sample_is_as_if_it_were_alone_at_its_own_length",
    ],
    "A13": [TORCH, "numeric/test_source.py::test_sizes_do_not_matter"],
    "A14": [
        "numeric/test_source.py::test_a_sequence_in_two_stretches_is_the_whole",
        "numeric/test_source.py::test_single_steps_are_the_whole",
        "numeric/test_network_step.py::test_step_after_step_equals_forward",
        "numeric/test_truncated.py::test_state_carried_from_batch_to_batch_is_truncation_with_windows_end_to_end",
    ],
    "A15": [
        "derive/test_backward.py::test_the_equations_of_a_shipped_cell_are_its_gradients",
        "numeric/test_checkpointed.py::test_memory_grows_with_the_root_of_the_length",
    ],
    "A16": [
        "numeric/test_truncated.py::test_truncated_gradients_are_torchs_with_detach",
        "numeric/test_truncated.py::test_truncation_keeps_exactly_the_lags_below_k2",
    ],
    "A17": [
        "numeric/test_training.py::test_clipping_by_norm_keeps_the_direction_and_bounds_the_length",
        "numeric/test_training.py::test_clipping_leaves_short_gradients_and_its_arguments_alone",
        "numeric/test_training.py::test_clipping_by_value_bounds_every_entry",
        "proofs/test_training_checks.py::test_a_broken_clipping_withholds_the_word_verified",
    ],
    "A18": [
        "numeric/test_training.py::test_windows_overlap_and_are_followed_by_their_targets",
        "proofs/test_training_checks.py::test_a_mistake_is_noticed_by_its_check",
        "test_examples.py::test_temperature_beats_tomorrow_as_today",
    ],
    "A19": [SHARES],
    "A20": ["throughtime/test_cli_study.py::test_a_comparison_shows_every_cell_with_its_costs"],
    "A21": ["numeric/test_ledger.py::test_the_direct_path_of_an_lstm_is_the_product_of_its_forget_gates"],
    "A22": ["throughtime/test_cli_study.py::test_a_comparison_shows_every_cell_with_its_costs"],
    "A23": [
        "test_examples.py::test_an_lstm_agrees_across_a_clause",
        "test_examples.py::test_sentiment_beats_a_bag_of_words",
        "test_examples.py::test_tagging_beats_each_words_commonest_tag",
        "test_examples.py::test_the_next_character_beats_single_characters",
        "test_examples.py::test_rain_beats_climate_and_persistence_but_not_the_truth",
        "test_examples.py::test_temperature_beats_tomorrow_as_today",
        "test_examples.py::test_copying_beats_a_guess_in_letters_and_in_whole_sequences",
    ],
}  # fmt: skip
"""By number of the row: the tests that fail if the system is lost or wrong."""


def rows() -> dict[str, str]:
    """What stands in the last column of the table, by number."""
    return dict(re.findall(r"(?m)^\| (A\d+) \|[^|]+\|([^|]+)\|$", README))


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def checked(span: str) -> bool:
    """Whether a code span of the table names something that can be looked for; fails if it is not there."""
    words = span.split()
    if words[:1] == ["throughtime"]:
        command = cli.commands[words[1]]
        options = {
            name for option in command.params for name in option.opts if name.startswith("--")
        }
        for before, word in pairwise(words[1:]):
            if word.startswith("--"):
                assert word in options, f"{span}: no option {word}"
            elif not before.startswith("--") and not word.isupper():
                assert throughtime.load(word).derive().to_dict()
        return True
    if words[:2] == ["python", "-m"]:
        assert callable(importlib.import_module(words[2]).main)
        return True
    known = span in {entry["name"] for entry in throughtime.shipped()}
    if (
        re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", span) and not known
    ):  # else it is a name in generated code
        known = any(
            span in path.read_text("utf-8") for path in Path(numeric.__file__).parent.glob("*.py")
        )
        assert known, f"{span} is no cell or network that ships, and no name of generated code"
    return known


def test_every_row_has_its_tests_and_every_test_its_row() -> None:
    assert list(TESTS) == list(rows())


@pytest.mark.parametrize("number", TESTS)
def test_the_tests_of_a_row_are_there(number: str) -> None:
    assert TESTS[number]
    for place in TESTS[number]:
        path, name = place.split("::")
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


@pytest.mark.parametrize("number", TESTS)
def test_what_a_row_shows_is_there(number: str) -> None:
    row = rows()[number]
    found = [checked(span) for span in spans(row)]
    assert any(found) or not re.search(r"throughtime|python -m", row)


def test_a_network_of_the_table_is_generated_by_the_command_that_the_row_shows() -> None:
    result = CliRunner().invoke(cli, ["derive", "tagger"])
    assert result.exit_code == 0
    assert "Segment b, along t, reversed" in result.stdout


@pytest.mark.parametrize(
    "span", ["throughtime report lstmm", "throughtime generate lstm --trainig", "lstm_stackt"]
)
def test_a_row_that_names_what_is_not_there_is_noticed(span: str) -> None:
    with pytest.raises((AssertionError, throughtime.ThroughtimeError)):
        checked(span)
