// Undo and redo over all rows of a clip, without limit. Browsers keep their own undo per text
// field and lose it whenever a script sets a value, so the desk keeps the one that counts.

class History {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  // change: {at, before, after, caretBefore, caretAfter}: rows from `at` on, as they were and as they
  // are, each {segment, text, anchors}; a caret is {row, offset}. kind joins a run of typing.
  push(change, kind) {
    const last = this.done[this.done.length - 1];
    const now = performance.now();
    const joins =
      last && kind !== "other" && last.kind === kind && last.at === change.at &&
      now - last.time < 1000 && last.caretAfter.offset === change.caretBefore.offset &&
      !/\s$/.test(last.after[0].text.slice(0, last.caretAfter.offset));
    if (joins) {
      Object.assign(last, { after: change.after, caretAfter: change.caretAfter, time: now });
    } else {
      this.done.push({ ...change, kind, time: now });
    }
    this.undone = [];
  }

  undo() {
    const change = this.done.pop();
    if (!change) return null;
    this.undone.push(change);
    return { at: change.at, from: change.after, to: change.before, caret: change.caretBefore };
  }

  redo() {
    const change = this.undone.pop();
    if (!change) return null;
    this.done.push({ ...change, kind: "other" });
    return { at: change.at, from: change.before, to: change.after, caret: change.caretAfter };
  }
}
