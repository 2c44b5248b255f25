"""How a model is told of in one line, and what taking it into use means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.wording.times import estimate

if TYPE_CHECKING:
    from app.model_catalogue import Model


def choice_note(model: Model) -> str:
    """Return a model in a few words: active, 23 MB, en, 256 tokens, apache-2.0, about 4 min here."""
    state = "active" if model.active else "here" if model.state != "offered" else f"{model.megabytes:,} MB to fetch"
    words = [state, model.language, f"{model.window} tokens", model.license]
    words += ["for paraphrases"] if model.remark else []
    words += [f"~{estimate(model.seconds)}"] if model.seconds is not None else []
    return " · ".join(words)


def what_use_means(model: Model) -> str:
    """Return what happens where a model is taken into use."""
    took = f", about {estimate(model.seconds)} on this machine as busy as it is now" if model.seconds else ""
    remark = f" It was {model.remark}." if model.remark else ""
    return (
        f"Every passage is embedded anew{took}. What the model before found is found meanwhile, by words at least."
        f" Going back is the same, the other way.{remark}"
    )
