from pathlib import Path

import pytest
import torch

from qe_core.recogniser.fit import FitSettings, Training
from qe_core.recogniser.network import NUM_POSITIONS, Network, Shape
from qe_core.recogniser.speech import Speech
from qe_core.recogniser.tokens import Tokens
from qe_core.recogniser.windows import WindowMaker

pytestmark = pytest.mark.slow


def tiny(tokens: Tokens) -> Shape:
    return Shape(tokens.size, width=32, heads=2, encoder_layers=2, decoder_layers=1, hidden=64)


def training(
    folder: Path, speech: list[Speech], tokens: Tokens, *, steps: int, save_every_s: float = 0.0
) -> Training:
    settings = FitSettings(steps=steps, warmup_steps=2, threads=1, save_every_s=save_every_s)
    maker = WindowMaker(speech, [], tokens, seed=9)
    return Training(folder, maker, tokens, settings, tiny(tokens))


def test_learning_lowers_the_loss(tmp_path: Path, speech: list[Speech], tokens: Tokens) -> None:
    run = training(tmp_path, speech, tokens, steps=60)
    run.run(until=0.1)
    run.run()
    first, *_, last = run.curve
    assert last.step >= 60
    assert last.tokens < 0.9 * first.tokens
    assert last.phones < 0.6 * first.phones


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, speech: list[Speech], tokens: Tokens
) -> None:
    whole = training(tmp_path / "whole", speech, tokens, steps=20)
    whole.run(until=0.5)
    whole.run()
    training(tmp_path / "parts", speech, tokens, steps=20).run(until=0.5)
    resumed = training(tmp_path / "parts", speech, tokens, steps=20)
    assert 0.5 <= resumed.progress < 1.0
    resumed.run()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_a_budget_of_minutes_is_used_up_over_all_starts(
    tmp_path: Path, speech: list[Speech], tokens: Tokens
) -> None:
    settings = FitSettings(minutes=0.02, threads=1)
    maker = WindowMaker(speech, [], tokens, seed=9)
    seen: list[float] = []
    Training(tmp_path, maker, tokens, settings, tiny(tokens)).run(
        on_point=lambda share, _: seen.append(share)
    )
    assert seen[-1] == 1.0
    assert Training(tmp_path, maker, tokens, settings, tiny(tokens)).progress == 1.0


def test_it_does_not_matter_how_far_a_window_is_padded(tokens: Tokens) -> None:
    torch.manual_seed(1)
    network = Network(tiny(tokens)).eval()
    mel = torch.randn(1, 1000, 80)
    mel[:, 300:] = 0
    read = torch.randint(0, 300, (1, 8))
    with torch.no_grad():
        short, long = network(mel[:, :320], read), network(mel, read)
    assert (short.logits - long.logits).abs().max() < 0.3
    assert (short.logits - long.logits).abs().mean() < 0.05
    assert short.attention.shape == (1, 2, 8, 160)


def test_a_network_hears_as_much_padding_as_the_window_has(tokens: Tokens) -> None:
    network = Network(tiny(tokens))
    for num_frames in (200, 1000, 1200):
        _, _, bias = network.encoder(torch.zeros(1, num_frames, 80))
        assert bias.exp().sum().item() == pytest.approx(NUM_POSITIONS, rel=1e-4)
