"""A recogniser that writes the same words whatever it hears."""

from qe_core.errors import EngineError
from qe_core.types import Transcript
from tests.builders import transcript


class Typist:
    """Counts how often it is asked; without words it falls over."""

    def __init__(self, owner: tuple[str, str], words: str) -> None:
        self.name, self.model = owner
        self.version = "1"
        self.words = words
        self.num_calls = 0

    def transcribe(self, *_: object, **__: object) -> Transcript:
        self.num_calls += 1
        if not self.words:
            raise EngineError("It fell over.", suggestion="Try again.")
        return transcript(self.words, engine=self.name, model=self.model, version=self.version)
