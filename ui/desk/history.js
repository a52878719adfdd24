// Undo and redo over all rows of a clip, without limit. Browsers keep their own undo per text
// field and lose it whenever a script sets a value, so the desk keeps the one that counts.

class History {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  // change: {row, before, after}, each side {text, anchors, caret}; kind joins a run of typing.
  push(change, kind) {
    const last = this.done[this.done.length - 1];
    const now = performance.now();
    const joins =
      last && kind !== "other" && last.kind === kind && last.row === change.row &&
      now - last.at < 1000 && last.after.caret === change.before.caret &&
      !/\s$/.test(last.after.text.slice(0, last.after.caret));
    if (joins) {
      last.after = change.after;
      last.at = now;
    } else {
      this.done.push({ ...change, kind, at: now });
    }
    this.undone = [];
  }

  undo() {
    const change = this.done.pop();
    if (!change) return null;
    this.undone.push(change);
    return { row: change.row, side: change.before };
  }

  redo() {
    const change = this.undone.pop();
    if (!change) return null;
    this.done.push({ ...change, kind: "other" });
    return { row: change.row, side: change.after };
  }
}
