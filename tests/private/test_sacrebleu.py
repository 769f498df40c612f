"""What is used of sacreBLEU's insides."""

from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_ter import TercomTokenizer

from attnlab.private.sacrebleu import clear_caches


def test_the_caches_of_its_tokenizers_can_be_emptied():
    """Where sacreBLEU keeps what it has tokenized; what it says stays the same."""

    def told():
        return Tokenizer13a()("Hello, world."), TercomTokenizer()("Hello, world.")

    before = told()
    caches = [Tokenizer13a.__call__, TercomTokenizer.__call__]
    assert all(cache.cache_info().currsize > 0 for cache in caches)
    clear_caches()
    assert all(cache.cache_info().currsize == 0 for cache in caches)
    assert told() == before
