"""Tiny random models of the library ``transformers``."""

import pytest
import torch

WORDS = [
    "[UNK]", "[PAD]", "[CLS]", "[SEP]", "</s>", "the", "dog", "sleeps", "un", "##happy", "der", "Hund", "schläft",
    "[MASK]",
]  # fmt: skip


@pytest.fixture(scope="module")
def transformers():
    import transformers

    return transformers


def tokenizer(transformers, template, **names):
    """Words between blanks, with what the model has around them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [(word, WORDS.index(word)) for word in ("[CLS]", "[SEP]", "</s>")]
    made.post_processor = processors.TemplateProcessing(**template, special_tokens=special)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", **names)


def bert_of(transformers, folder, name, seed=0):
    """BERT with this head."""
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 8}
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), max_position_embeddings=10, num_labels=3, initializer_range=0.5, **sizes
    )
    getattr(transformers, name)(config).save_pretrained(folder)
    template = {"single": "[CLS] $A [SEP]", "pair": "[CLS] $A [SEP] $B:1 [SEP]:1"}
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer(transformers, template, **names).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(transformers, tmp_path_factory):
    return bert_of(transformers, tmp_path_factory.mktemp("models") / "bert", "BertModel")


@pytest.fixture(scope="module")
def classifier(transformers, tmp_path_factory):
    return bert_of(transformers, tmp_path_factory.mktemp("models") / "classifier", "BertForSequenceClassification")


@pytest.fixture(scope="module")
def tuned(transformers, tmp_path_factory):
    return bert_of(transformers, tmp_path_factory.mktemp("models") / "tuned", "BertForSequenceClassification", seed=1)


@pytest.fixture(scope="module")
def filler(transformers, tmp_path_factory):
    return bert_of(transformers, tmp_path_factory.mktemp("models") / "filler", "BertForMaskedLM")


@pytest.fixture(scope="module")
def marian(transformers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "marian"
    sides = {f"{side}_{what}": size for side in ("encoder", "decoder") for what, size in
             (("layers", 2), ("attention_heads", 2), ("ffn_dim", 8))}  # fmt: skip
    ids = {"pad_token_id": 1, "eos_token_id": 4, "decoder_start_token_id": 1, "forced_eos_token_id": 4}
    torch.manual_seed(0)
    config = transformers.MarianConfig(
        vocab_size=len(WORDS), d_model=8, max_position_embeddings=12, init_std=0.5, **sides, **ids
    )
    transformers.MarianMTModel(config).save_pretrained(folder)
    tokenizer(transformers, {"single": "$A </s>"}, eos_token="</s>").save_pretrained(folder)
    return folder
