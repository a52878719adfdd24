"""Through the real converters into the real ``faster_whisper.WhisperModel``."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from qe_core.asr.whisper import WhisperEngine
from qe_core.config import EngineSettings
from qe_core.errors import TrainingError
from qe_core.recogniser.export import convert_checkpoint, save_checkpoint
from qe_core.recogniser.network import Network, Shape
from qe_core.recogniser.tokens import Tokens

pytestmark = [
    pytest.mark.slow,
    # transformers announces its own future changes while it loads.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def network(tokens: Tokens) -> Network:
    torch.manual_seed(2)
    return Network(Shape(tokens.size, width=32, heads=2, encoder_layers=2, hidden=64)).eval()


@pytest.fixture(scope="module")
def checkpoint(network: Network, tokens: Tokens, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "checkpoint"
    save_checkpoint(network, tokens, folder)
    return folder


def test_hugging_face_computes_the_same(network: Network, checkpoint: Path) -> None:
    from transformers import WhisperForConditionalGeneration

    model = WhisperForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    mel = torch.randn(1, 3000, 80)
    mel[:, 992:] = 0
    read = torch.randint(0, 300, (1, 8))
    with torch.no_grad():
        ours = network(mel[:, :1000], read).logits
        theirs = model(input_features=mel.transpose(1, 2), decoder_input_ids=read).logits
    # Only the rounding to half precision is between them.
    assert (ours - theirs).abs().max() < 0.02


def test_the_converted_model_runs_in_faster_whisper(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    convert_checkpoint(checkpoint, folder)
    engine = WhisperEngine(folder, model="tiny", settings=EngineSettings(cpu_threads=1))
    assert engine._whisper.feature_extractor.chunk_length == 10
    config = json.loads((folder / "config.json").read_text())
    assert config["alignment_heads"] == [[1, 0], [1, 1]]
    features = engine._whisper.feature_extractor(np.zeros(16_000, np.float32))
    assert features.shape[0] == 80
    # Converted again, it replaces what was there.
    convert_checkpoint(checkpoint, folder)
    assert not folder.with_name("model.part").exists()


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be converted"):
        convert_checkpoint(tmp_path, tmp_path / "model")
    assert not (tmp_path / "model").exists()
