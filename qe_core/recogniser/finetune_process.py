"""Fine-tuning in a process of its own.

Training for hours beside the pages would take their time and memory. In its own process it runs at
a lower priority, can be stopped at any moment, and takes nothing down when it fails. The child
reads the task from its standard input, answers in lines of JSON, and ends when its input ends, so
it does not outlive its parent.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from qe_core.asr.base import Progress
from qe_core.errors import TrainingError, WerkbenchError
from qe_core.recogniser.finetune_task import Outcome, Task, fine_tune

__all__ = ["fine_tune_beside", "serve", "serve_standard_streams"]

_READ_BYTES = 1 << 16
# While the child is busy with one step, the callback is still asked whether to go on.
_TELL_EVERY_S = 0.5
_NICENESS = 10
_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from qe_core.recogniser.finetune_process import serve_standard_streams
serve_standard_streams()
"""


def fine_tune_beside(task: Task, on_progress: Progress | None = None) -> Outcome:
    """The same as :func:`fine_tune`, in a child process; what ``on_progress`` raises ends it.

    Raises:
        TrainingError: as :func:`fine_tune`, or the process ended in the middle of its work
        WerkbenchError: as :func:`fine_tune`
    """
    tell = on_progress or (lambda _share, _text: None)
    child = subprocess.Popen(  # noqa: S603 - this interpreter, this module
        [sys.executable, "-c", _CHILD, str(Path(__file__).resolve().parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is for the parent to handle
    )
    try:
        return _converse(child, task, tell)
    except OSError as error:
        raise TrainingError(
            "The fine-tuning stopped in the middle of its work.",
            suggestion="Check that there is memory left; lower finetune.micro_batch_size.",
            code="stopped",
        ) from error
    finally:
        child.kill()
        with contextlib.suppress(OSError):  # what was not read yet cannot be flushed any more
            child.communicate()


def serve(task: str | bytes, answers: BinaryIO) -> None:
    """What the child does: one task, a line for each step, a line for the end."""

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values).encode() + b"\n")
        answers.flush()

    try:
        outcome = fine_tune(
            Task.from_json(task), lambda share, text: answer(share=share, text=text)
        )
    except WerkbenchError as error:
        answer(error=error.message, suggestion=error.suggestion, code=error.code)
    else:
        answer(outcome=outcome.to_dict())


def serve_standard_streams() -> None:
    """Serve on standard input and output; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.nice(_NICENESS)
    task = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # the parent is gone
        serve(task, answers)


def _end_with_parent() -> None:
    """The parent keeps the pipe open and writes nothing more: its end is the parent's end."""
    sys.stdin.buffer.read()
    os._exit(1)


def _converse(child: "subprocess.Popen[bytes]", task: Task, tell: Progress) -> Outcome:
    if child.stdin is None:
        raise BrokenPipeError
    child.stdin.write(task.to_json().encode() + b"\n")
    child.stdin.flush()
    last = (0.0, "starting")
    for answer in _answers(child):
        if answer is not None and "outcome" in answer:
            return Outcome.from_dict(answer["outcome"])
        if answer is not None and "error" in answer:
            raise TrainingError(
                answer["error"], suggestion=answer["suggestion"], code=answer["code"]
            )
        if answer is not None:
            last = (float(answer["share"]), str(answer["text"]))
        tell(*last)
    raise BrokenPipeError  # the answers never end before the child does


def _answers(child: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any] | None]:
    """The child's lines as they come, and ``None`` for every while without one.

    Raises:
        BrokenPipeError: the child ended
    """
    if child.stdout is None:
        raise BrokenPipeError
    descriptor = child.stdout.fileno()
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(_TELL_EVERY_S):
                yield None
                continue
            block = os.read(descriptor, _READ_BYTES)
            if not block:
                raise BrokenPipeError
            *lines, pending = (pending + block).split(b"\n")
            for line in lines:
                yield json.loads(line)
