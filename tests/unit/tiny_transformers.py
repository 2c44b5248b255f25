"""Sentence-transformers directories of each kind, with chance weights, saved by that library itself."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.embedding.out_of_domain import background_passages
from engine.errors import ModelError

WIDTH = 64
WORDS = 1_500
TOKENS = "token_embeddings"  # what a module of a model for late interaction reads and gives
LANGUAGES = (
    "Der Teig ruht über Nacht im Kühlschrank, dann wird er gefaltet und gebacken.",
    "La pâte repose une nuit au frais ; on la plie, puis on la cuit à four très chaud.",
    "Тесто отдыхает ночь в холодильнике, потом его складывают и пекут.",
    "面团在冰箱里静置一夜，然后折叠并烘烤。",
    "生地を一晩冷蔵庫で休ませ、折りたたんで焼きます。",
    "La masa reposa una noche en la nevera; después se pliega y se hornea. ¿CUÁNTO TIEMPO?",
    "Η ζύμη ξεκουράζεται όλη τη νύχτα στο ψυγείο.",
    "Feed the Starter TWICE a day, with flour & water (100 g each); don't seal the jar!",
)


def texts() -> list[str]:
    """Return what the tokenizers learn from."""
    return [*background_passages(), *LANGUAGES] * 2


@cache
def tokenizer(kind: str) -> Any:
    """Return a tokenizer as transformers has it: pieces, cased pieces, bytes (BPE), or unigram."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    if kind in ("pieces", "cased pieces"):
        learnt = tokenizers.BertWordPieceTokenizer(lowercase=kind == "pieces")
        ends = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]  # padding second, where MPNet always looks for it
        learnt.train_from_iterator(texts(), vocab_size=WORDS, special_tokens=ends, show_progress=False)
        named = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    else:
        learnt = (
            tokenizers.ByteLevelBPETokenizer(add_prefix_space=False)
            if kind == "bytes"
            else tokenizers.SentencePieceUnigramTokenizer()
        )
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        more = {} if kind == "bytes" else {"unk_token": "<unk>"}
        learnt.train_from_iterator(texts(), vocab_size=WORDS, special_tokens=special, show_progress=False, **more)
        ends = [("<s>", learnt.token_to_id("<s>")), ("</s>", learnt.token_to_id("</s>"))]
        learnt._tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=ends
        )
        named = {
            "unk": "<unk>",
            "pad": "<pad>",
            "cls": "<s>",
            "sep": "</s>",
            "mask": "<mask>",
            "bos": "<s>",
            "eos": "</s>",
        }
    return PreTrainedTokenizerFast(
        tokenizer_object=learnt._tokenizer, **{f"{name}_token": token for name, token in named.items()}
    )


KINDS = {  # kind: (transformers' name, its tokenizer)
    "bert": ("Bert", "pieces"),
    "cased bert": ("Bert", "cased pieces"),
    "roberta": ("Roberta", "bytes"),
    "xlm-roberta": ("XLMRoberta", "unigram"),
    "mpnet": ("MPNet", "pieces"),
    "distilbert": ("DistilBert", "pieces"),
}


def _bare(folder: Path, kind: str, *, half: bool) -> Path:
    """Write a transformer with its tokenizer beside `folder`, and return where."""
    import torch
    import transformers

    family, pieces = KINDS[kind]
    torch.manual_seed(3)
    known = tokenizer(pieces)
    sizes: dict[str, Any] = {"vocab_size": len(known), "pad_token_id": known.pad_token_id, "initializer_range": 0.25}
    if family == "DistilBert":
        sizes |= {"dim": WIDTH, "hidden_dim": 128, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 512}
    else:
        sizes |= {"hidden_size": WIDTH, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
        sizes |= {"max_position_embeddings": 514 if family in ("Roberta", "XLMRoberta", "MPNet") else 512}
    model = getattr(transformers, f"{family}Model")(getattr(transformers, f"{family}Config")(**sizes)).eval()
    bare = folder.with_name(f"{folder.name}-bare")
    (model.half() if half else model).save_pretrained(bare)
    known.save_pretrained(bare)
    return bare


def make(
    folder: Path,
    kind: str,
    *,
    pooling: str = "mean",
    window: int = 256,
    prompts: dict[str, str] | None = None,
    dense: int = 0,
    normalise: bool = True,
    half: bool = False,
) -> Path:
    """Write the directory of a model and return it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    bare = _bare(folder, kind, half=half)
    parts: list[Any] = [modules.Transformer(str(bare), max_seq_length=window), modules.Pooling(WIDTH, pooling)]
    parts += [modules.Dense(WIDTH, dense, activation_function=torch.nn.Tanh())] if dense else []
    parts += [modules.Normalize()] if normalise else []
    SentenceTransformer(modules=parts, prompts=prompts, device="cpu").save(str(folder))
    return folder


def make_late(
    folder: Path,
    kind: str,
    *,
    dense: tuple[int, ...] = (24,),
    window: int = 256,
    prompts: dict[str, str] | None = None,
    skipped: str = "",
    skipped_in: tuple[str, ...] = ("document",),
    half: bool = False,
    residual: bool = False,
    **asked: Any,
) -> Path:
    """Write the directory of a model for late interaction; `asked` are lengths and the filling up of questions."""
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    bare = _bare(folder, kind, half=half)
    parts: list[Any] = [Transformer(str(bare), max_seq_length=window, **asked)]
    for before, width in zip((WIDTH, *dense), dense, strict=False):
        layer = Dense(before, width, bias=False, module_input_name="token_embeddings", use_residual=residual)
        parts.append(layer if residual else Dense(before, width, False, torch.nn.Identity(), module_input_name=TOKENS))
    parts += [MultiVectorMask(list(skipped), skiplist_tasks=list(skipped_in)), Normalize(TOKENS)]
    MultiVectorEncoder(modules=parts, prompts=prompts, device="cpu").save_pretrained(str(folder))
    return folder


def copied(model: Path, place: Path) -> Path:
    """Copy the directory of a model, to be spoilt, and return the copy."""
    return Path(shutil.copytree(model, place / "model"))


def assert_refused(folder: Path, place: Path, said: str) -> None:
    """Have a model built of a directory: it is refused with a reason and what to do, and nothing is made in `place`."""
    from training.export import export

    with pytest.raises(ModelError) as refused:
        export(folder, place / "made" / "out")
    assert said in str(refused.value) and refused.value.fix
    assert not (place / "made").exists()
