"""What one browser tab works on: takes what the desk says to the use cases and answers it."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from qe_core.errors import ConflictError, WerkbenchError
from storage.records import Review, SecondReview
from ui.desk.events import Command, DeskEvents, DraftMessage, VerdictMessage
from ui.desk.results import result_line
from ui.desk.rows import joined
from workbench import review
from workbench.review import QueueFilter, QueueItem, ReviewTask
from workbench.runtime import Runtime

__all__ = ["DeskSession", "DeskView", "Problem", "Reply", "Result"]

_Message = TypeVar("_Message", DraftMessage, VerdictMessage, Command)
_NUM_ANSWERS_KEPT = 50
_NUM_QUEUE_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one message of the browser, by its id."""

    id: str
    kind: str
    is_ok: bool = True
    code: str = ""
    message: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the wanted clip cannot be worked on."""

    clip_id: str | None
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Result:
    """The quiet line about the verdict before."""

    text: str
    can_reopen: bool


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the desk shows after a run.

    Args:
        reviewer: who works here
        clip_id: the clip on the desk, ``None`` when nothing waits
        task: the clip with everything about it; ``None`` when the browser has it already
        replies: answers to what the browser sent
        problem: why the wanted clip is not to be had
        result: the line about the last verdict
        queue_length: clips without a review
        queue: the clips that wait, most rewarding first; ``None`` unless it was asked for
        is_autoplay: the clip came because the one before was finished
    """

    reviewer: str
    clip_id: str | None
    task: ReviewTask | None = None
    replies: tuple[Reply, ...] = ()
    problem: Problem | None = None
    result: Result | None = None
    queue_length: int | None = None
    queue: tuple[QueueItem, ...] | None = None
    is_autoplay: bool = False


@dataclass(slots=True)
class DeskSession:
    """Ids and the last result of one browser tab; everything else is in the database.

    Args:
        reviewer: who works here
        wanted: draw only clips that pass
    """

    reviewer: str
    wanted: QueueFilter = field(default_factory=QueueFilter)
    clip_id: str | None = None
    wanted_id: str | None = None
    result: Result | None = None
    _token: str = ""
    _previous: Review | None = None
    _queue_length: int | None = None
    _problem: Problem | None = None
    _task: ReviewTask | None = None
    _queue: tuple[QueueItem, ...] | None = None
    _is_autoplay: bool = False
    _is_fresh: bool = True
    _answers: OrderedDict[str, Reply] = field(default_factory=OrderedDict)

    def refresh(self) -> None:
        """Send everything at the next step: the browser may not have the clip."""
        self._is_fresh = True

    def step(self, runtime: Runtime, events: DeskEvents) -> DeskView:
        """Do what the browser asked for and see that a clip is on the desk.

        Args:
            runtime: the process's runtime
            events: what the browser sent since the last run

        Returns:
            what to show
        """
        self._task, self._queue, self._is_autoplay = None, None, False
        replies = []
        if events.draft is not None:
            replies.append(self._answer(events.draft, "draft", runtime, self._keep_draft))
        if events.verdict is not None:
            replies.append(self._answer(events.verdict, "verdict", runtime, self._judge))
        if events.command is not None:
            replies.append(self._answer(events.command, "command", runtime, self._obey))
        self._put_a_clip_on_the_desk(runtime)
        return DeskView(
            reviewer=self.reviewer,
            clip_id=self.clip_id,
            task=self._task,
            replies=tuple(replies),
            problem=self._problem,
            result=self.result,
            queue_length=self._queue_length,
            queue=self._queue,
            is_autoplay=self._is_autoplay,
        )

    def want(self, clip_id: str) -> None:
        """Open one particular clip at the next step, e.g. because a link names it."""
        self.wanted_id = clip_id

    def is_clip_waiting(self, runtime: Runtime) -> bool:
        """Whether there is a clip that could be drawn now."""
        return review.is_clip_waiting(runtime, self.reviewer, self.wanted)

    def leave(self, runtime: Runtime) -> None:
        """Give the clip on the desk back; its draft stays."""
        if self.clip_id is not None:
            review.release(runtime, self.clip_id, self._token)
        self._clear()

    def _answer(
        self,
        message: _Message,
        kind: str,
        runtime: Runtime,
        act: Callable[[Runtime, _Message], None],
    ) -> Reply:
        """Act once per message, however often the browser repeats it."""
        known = self._answers.get(message.id)
        if known is not None:
            return known
        try:
            act(runtime, message)
        except WerkbenchError as error:
            return Reply(message.id, kind, False, error.code, error.message, error.suggestion)
        reply = Reply(message.id, kind)
        self._answers[message.id] = reply
        while len(self._answers) > _NUM_ANSWERS_KEPT:
            self._answers.popitem(last=False)
        return reply

    def _keep_draft(self, runtime: Runtime, draft: DraftMessage) -> None:
        review.save_draft(
            runtime,
            draft.clip_id,
            self.reviewer,
            draft.text,
            position_s=draft.position_s,
            cursor=draft.cursor,
            layout=draft.layout,
        )
        if draft.clip_id == self.clip_id:
            self._renew(runtime, draft.clip_id)

    def _renew(self, runtime: Runtime, clip_id: str) -> None:
        """Hold on to the clip; one that was let go too long is taken back if it is still free."""
        try:
            review.renew(runtime, clip_id, self._token)
        except ConflictError as lost:
            if lost.code == "taken_over":
                self._problem = Problem(clip_id, lost.message, lost.suggestion)
                return
            try:
                self._take(review.open_clip(runtime, clip_id, self.reviewer))
            except ConflictError as taken:
                self._problem = Problem(clip_id, taken.message, taken.suggestion)

    def _judge(self, runtime: Runtime, message: VerdictMessage) -> None:
        if message.clip_id != self.clip_id:
            # This tab has moved on or was restarted; the text decides what becomes of it.
            self._open(runtime, message.clip_id)
        text = joined(message.text) if message.verdict == "correct" else ""
        if message.is_repeat and self._is_saved_already(message, text):
            review.release(runtime, message.clip_id, self._token)
        else:
            saved = review.submit(
                runtime,
                message.clip_id,
                reviewer=self.reviewer,
                claim_token=self._token,
                verdict=message.verdict,
                text=text,
                reject_reason=message.reject_reason,
                reject_note=message.reject_note,
                lead_time_s=message.lead_time_s,
                listened_share=message.listened_share,
                replays=message.replays,
            )
            is_second = isinstance(saved.review, SecondReview)
            self.result = Result(result_line(saved), can_reopen=not is_second)
        self._move_on()

    def _is_saved_already(self, message: VerdictMessage, text: str) -> bool:
        """The server saved it and went down before it could say so."""
        last = self._previous
        return (
            last is not None
            and (last.reviewer, last.verdict) == (self.reviewer, message.verdict)
            and (message.verdict != "correct" or last.text == text)
        )

    def _obey(self, runtime: Runtime, command: Command) -> None:
        if command.name == "renew" and self.clip_id is not None:
            self._renew(runtime, self.clip_id)
        elif command.name == "resend" and self.clip_id is not None:
            self._open(runtime, self.clip_id)
        elif command.name == "open" and command.clip_id is not None:
            self._is_autoplay = command.clip_id != self.clip_id
            self._open(runtime, command.clip_id)
        elif command.name == "queue":
            self._queue = tuple(review.queue(runtime, wanted=self.wanted, limit=_NUM_QUEUE_SHOWN))
        elif command.name == "reopen":
            task = review.reopen_last(runtime, self.reviewer)
            self._release_for(runtime, task)
            self._take(task)
            self.result, self._is_autoplay = None, True
        elif command.name == "escalate" and self.clip_id is not None:
            review.escalate(runtime, self.clip_id, self.reviewer, self._token, command.note)
            self.result = Result("Handed to a lead.", can_reopen=False)
            self._move_on()
        elif command.name in ("skip", "next"):
            self._skip(runtime)

    def _skip(self, runtime: Runtime) -> None:
        if self.clip_id is not None:
            review.skip(runtime, self.clip_id, self.reviewer, self._token)
        self.result = None
        self._move_on()

    def _move_on(self) -> None:
        self._clear()
        self._is_autoplay = True

    def _clear(self) -> None:
        self.clip_id, self._token, self._previous = None, "", None
        self.wanted_id, self._problem, self._task = None, None, None

    def _put_a_clip_on_the_desk(self, runtime: Runtime) -> None:
        wanted = self.wanted_id or self.clip_id
        is_missing = wanted != self.clip_id or (self._is_fresh and self._task is None)
        self._is_fresh = False
        try:
            if wanted is not None and is_missing:
                self._open(runtime, wanted)
            elif self.clip_id is None and self._problem is None:
                self._take(self._next(runtime))
        except WerkbenchError as error:
            self._problem = Problem(wanted, error.message, error.suggestion)
        self.wanted_id = None

    def _next(self, runtime: Runtime) -> ReviewTask | None:
        return review.next_clip(runtime, self.reviewer, wanted=self.wanted)

    def _open(self, runtime: Runtime, clip_id: str) -> None:
        task = review.open_clip(runtime, clip_id, self.reviewer)
        self._release_for(runtime, task)
        self._take(task)

    def _release_for(self, runtime: Runtime, task: ReviewTask | None) -> None:
        """Nobody holds two clips in one tab: the one before goes back to the queue."""
        if task is not None and self.clip_id not in (None, task.clip.id):
            review.release(runtime, str(self.clip_id), self._token)

    def _take(self, task: ReviewTask | None) -> None:
        self._task, self._problem = task, None
        if task is None:
            self.clip_id, self._queue_length = None, 0
            return
        self.clip_id, self._token = task.clip.id, task.claim_token
        self._previous, self._queue_length = task.previous, task.queue_length
