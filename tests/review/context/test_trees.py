"""Our evaluation of the trees gives what lightgbm gave for the same rows, unknown values among them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from review.context.trees import MODEL, ranking_model, read_trees

pytestmark = pytest.mark.unit

SAMPLES = json.loads((Path(__file__).parents[2] / "data" / "ranking_samples.json").read_text())
"""Written when the model was trained."""


def columns() -> dict[str, np.ndarray]:
    rows = np.array([[math.nan if value is None else value for value in row] for row in SAMPLES["rows"]])
    return {name: rows[:, at] for at, name in enumerate(SAMPLES["features"])}


def test_our_trees_give_what_lightgbm_gave() -> None:
    assert np.isnan(np.column_stack(list(columns().values()))).any()
    assert ranking_model().scores(columns()) == pytest.approx(SAMPLES["scores"], abs=1e-3)


def test_no_rows_have_no_scores() -> None:
    assert ranking_model().scores({name: values[:0] for name, values in columns().items()}).shape == (0,)


def test_the_model_is_small_and_says_what_it_was_trained_on() -> None:
    assert MODEL.stat().st_size < 400_000
    assert len(ranking_model().trained_on) >= 10
    assert "pallets/flask" not in ranking_model().trained_on  # the documented figures are of this one


def test_a_feature_that_is_not_there_is_an_error_and_no_guess() -> None:
    known = columns()
    del known[ranking_model().features[0]]
    with pytest.raises(KeyError):
        ranking_model().scores(known)


def test_a_file_of_another_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="layout"):
        read_trees(json.loads(MODEL.read_text()) | {"version": 0})
