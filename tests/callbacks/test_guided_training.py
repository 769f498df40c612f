"""Guided alignment in the real task: what rows are taught, what training on it draws, and which weights it is of."""

import pytest
import torch

from attnlab.tasks.translation.coverage import coverage_loss
from attnlab.tasks.translation.guided_alignment import check_pieces
from attnlab.types import ConfigError

GUIDED = "task.guided_alignment=0.5"
TRANSFORMER = ("attention=multi_head", "decoder.alignment_layer=1", "decoder.alignment_head=2", "model.dropout=0")


@pytest.mark.parametrize("shift", [False, True])
def test_rows_are_taught_the_links_of_their_words(lab, shift):
    task = lab.task(GUIDED, f"task.alignment_shift={shift}", linked=True)
    batch = next(iter(task.data.train_dataloader()))
    gold = task.guide.gold(batch)
    assert gold.shape == (*batch.target_mask.shape, batch.source.size(1))
    for place, row in enumerate(batch.index.tolist()):
        pair = task.data.text("train", row)
        expected = torch.zeros(gold.shape[1:])  # a piece is a word there
        for source, target in pair.alignment.possible:
            expected[target + shift, source] = 1
        expected /= expected.sum(1, keepdim=True).clamp(min=1)
        torch.testing.assert_close(gold[place], expected)


def test_training_on_links_draws_them(lab):
    def aer(*options):
        task = lab.task(*TRANSFORMER, "optimizer.lr=0.005", "task.alignment_shift=true", *options, linked=True)
        trainer = lab.trainer(max_epochs=4, limit_val_batches=0)
        trainer.fit(task, task.data)
        told = dict(trainer.logged_metrics)
        return trainer.test(task, task.data, verbose=False)[0]["test/aer"], told

    (plain, _), (guided, told) = aer(), aer(GUIDED)
    assert guided < plain - 0.2
    assert told["train/guided_alignment"] > 0


def test_the_alignment_is_that_of_the_layer_and_the_head(lab):
    task = lab.task(*TRANSFORMER)
    model, batch = task.model.eval(), next(iter(task.data.train_dataloader()))
    heads = model.weights_by_head(batch)
    torch.testing.assert_close(model(batch).weights, heads[:, 1, 2])
    model.train()
    assert model(batch).weights is None  # fused
    model.decoder.weights_in_training = True
    torch.testing.assert_close(model(batch).weights, heads[:, 1, 2])


def test_an_alignment_module_leaves_the_rest_as_it_is(lab):
    module = ("decoder.alignment_module=true", "decoder.alignment_head=null", "task.alignment_shift=true")
    task = lab.task(*TRANSFORMER, *module, GUIDED, linked=True)
    batch = next(iter(task.data.train_dataloader()))
    loss = task.loss(batch)
    own = dict(task.model.decoder.alignment_module.named_parameters())
    others = [value for name, value in task.model.named_parameters() if "alignment_module" not in name]
    plain = loss.told["train/loss"]
    for value, both, alone in zip(
        others, *(torch.autograd.grad(of, others, retain_graph=True) for of in (loss.objective, plain)), strict=True
    ):
        torch.testing.assert_close(both, alone, msg=f"{value.shape}")
    guided = torch.autograd.grad(loss.objective, list(own.values()))
    assert all(gradient.abs().max() > 0 for gradient in guided)


def test_the_weights_of_an_alignment_module_equal_loops(lab):
    task = lab.task(*TRANSFORMER, "decoder.alignment_module=true", "decoder.alignment_head=null")
    model, batch = task.model.eval(), next(iter(task.data.train_dataloader()))
    module, seen = model.decoder.alignment_module, {}
    module.register_forward_pre_hook(lambda _, asked: seen.update(states=asked[0]))
    found = model(batch).weights
    encoded = model.encode(batch.source, batch.source_mask)
    size = module.W_q.out_features // module.heads
    for b, length in enumerate(batch.source_mask.sum(1).tolist()):
        for t in range(found.size(1)):
            expected = torch.zeros(found.size(2))
            for head in range(module.heads):
                part = slice(head * size, (head + 1) * size)
                query = module.W_q(seen["states"][b, t])[part]
                scores = [query @ module.W_k(encoded.states[b, s])[part] / size**0.5 for s in range(length)]
                expected[:length] += torch.stack(scores).softmax(0) / module.heads
            torch.testing.assert_close(found[b, t], expected)


def test_the_coverage_loss_of_a_transformer(lab):
    task = lab.task(*TRANSFORMER, "task.coverage_loss=0.5").train()
    batch = next(iter(task.data.train_dataloader()))
    told = task.loss(batch).told
    torch.testing.assert_close(
        told["train/coverage_loss"], coverage_loss(task.model.weights_by_head(batch)[:, 1, 2], batch.target_mask)
    )


def test_what_cannot_be_guided_is_refused(lab):
    task = lab.task(GUIDED)
    with pytest.raises(ConfigError, match="those of counting have none: name a file of them"):
        lab.trainer(max_epochs=1).fit(task, task.data)
    for fixed in ("uniform", "last", "random_fixed"):
        with pytest.raises(ConfigError, match="this mechanism's are always the same"):
            lab.task(f"attention={fixed}", GUIDED)
    with pytest.raises(ConfigError, match="draws no alignment"):
        lab.task("attention=none", GUIDED)
    with pytest.raises(ConfigError, match="alignment_module is the alignment itself"):
        lab.task("attention=multi_head", "decoder.alignment_module=true", "decoder.alignment_head=0")
    with pytest.raises(ConfigError, match=r"alignment_head=4: the decoder has 4 heads, counted from 0"):
        lab.task("attention=multi_head", "decoder.alignment_head=4")


def test_links_of_pieces_that_are_cut_anew_are_refused(lab):
    task = lab.task(linked=True)
    task.data.bpe_dropout = 0.1
    with pytest.raises(ConfigError, match=r"teaches the links of fixed pieces, and data.bpe_dropout=0.1 .*one of them"):
        check_pieces(0.5, task.data)
    check_pieces(0.0, task.data)
