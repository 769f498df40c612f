"""Every encoder of the configuration with every decoder: built, trained a step, and searched like it was trained."""

import pytest
import torch
from composing import CONF, compose
from hydra.utils import instantiate
from omegaconf import OmegaConf

ENCODERS, DECODERS = (sorted(path.stem for path in (CONF / group).glob("*.yaml")) for group in ("encoder", "decoder"))
FIXED_CONTEXT = ("cho", "sutskever")
ATTENTIONS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))
SMALL = ["model.embedding_dim=8", "model.initialization.scale=0.3"]


def build(encoder, decoder, *overrides, attention="luong_general"):
    attention = "none" if decoder in FIXED_CONTEXT else attention
    chosen = [f"encoder={encoder}", f"decoder={decoder}", f"attention={attention}", *SMALL, *overrides]
    config = compose(*chosen)
    for node in (config.encoder, config.decoder):
        if "hidden_dim" in node:
            node.hidden_dim = 8
    node = OmegaConf.create(OmegaConf.to_container(config.model, resolve=True))
    return instantiate(node)(source_vocabulary=11, target_vocabulary=13).double()


def train_and_search(model, batch):
    """A finite gradient for everything; and word by word, two hypotheses a sentence, what the parallel pass gives."""
    loss = model.loss(batch, model(batch))
    (loss.total if loss.extra is None else loss.total + loss.extra).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    model.eval()
    with torch.no_grad():
        expected = model.word_logits(model(batch)).log_softmax(-1)
        memory, state = model.initial_state(batch.source, batch.source_mask, beam=2)
        for step in range(expected.size(1)):
            found = model.advance(batch.target[:, step].repeat_interleave(2), memory, state)
            state = found.state
            wanted = expected[:, step].repeat_interleave(2, 0)
            torch.testing.assert_close(found.log_probs.double(), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_pair_trains_and_is_searched(encoder, decoder, batch):
    train_and_search(build(encoder, decoder), batch)


# What each preset of attention can be asked for in a Transformer, which asks from all words at once.
LOOK_BACK = ["coverage", "neural_coverage", "location_aware", "markov", "monotonic", "mocha"]
OF_ONE_DECODER = ["hard_sampled", "last", "luong_local_p"]  # its reward, its end


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_any_attention_over_the_source_of_a_transformer(attention, batch):
    if attention in (*LOOK_BACK, "none"):
        with pytest.raises(Exception, match=r"Take (decoder=bahdanau|attention=uniform)"):
            build("transformer", "transformer", attention=attention)
    else:
        train_and_search(build("transformer", "transformer", attention=attention), batch)


@pytest.mark.parametrize("attention", LOOK_BACK)
def test_what_looks_back_is_asked_step_by_step_behind_a_whole_recurrence(attention, batch):
    train_and_search(build("gru", "luong", attention=attention), batch)


@pytest.mark.parametrize("attention", sorted({*ATTENTIONS} - {"none"}))
def test_any_score_asked_of_the_sentence_itself(attention, batch):
    chosen = ("transformer", "transformer", "self_attention=same")
    if attention in (*LOOK_BACK, *OF_ONE_DECODER):
        with pytest.raises(Exception, match=r"Take (self_attention=scaled_dot|attention/normalizer@)"):
            build(*chosen, attention=attention)
    else:
        train_and_search(build(*chosen, attention=attention), batch)


@pytest.mark.parametrize("attention", ["scaled_dot", "bahdanau", "multi_head"])
def test_keys_and_values_shared_by_groups_of_heads(attention, batch):
    shared = ["encoder.layer.kv_heads=2", "decoder.layer.kv_heads=1"]
    shared += ["attention.kv_heads=2"] if attention == "multi_head" else []
    few = build("transformer", "transformer", *shared, attention=attention)
    many = build("transformer", "transformer", attention=attention)
    assert sum(p.numel() for p in few.parameters()) < sum(p.numel() for p in many.parameters())
    train_and_search(few, batch)


@pytest.mark.parametrize("position", sorted(path.stem for path in (CONF / "position").glob("*.yaml")))
def test_every_position_trains_and_is_searched(position, batch):
    train_and_search(build("transformer", "transformer", f"position={position}"), batch)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_sentence_alone_has_the_loss_that_it_has_in_a_batch(encoder, batch, make_batch):
    model = build(encoder, "transformer").eval()
    alone = [
        make_batch([(s[s != 0].tolist(), t[(t != 0)][1:-1].tolist())])
        for s, t in zip(batch.source, batch.target, strict=True)
    ]
    total = sum(model.loss(b, model(b)).total for b in alone)
    torch.testing.assert_close(model.loss(batch, model(batch)).total, total)
