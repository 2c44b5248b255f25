"""A model's directory is read, and none of the code in it is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import ModelError
from training.source_model import read_source


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("its_own.Transformer", {}),
        ("sentence_transformers.models.Transformer", {"auto_map": {"AutoModel": "its_own.X"}}),
    ],
)
def test_a_model_with_code_of_its_own_is_refused_in_plain_words(
    kind: str, config: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "its_own.py").write_text("raise SystemExit('it was run')")
    (tmp_path / "modules.json").write_text(json.dumps([{"path": "", "type": kind}]))
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError) as refused:
        read_source(tmp_path)
    assert "needs code of its own" in refused.value.cause
