// Changes that reach beyond one row's typing: split, merge, replace everywhere, take words over.

Object.assign(Editor.prototype, {
  // Cut the row at the caret; false when there is nothing on one side of it.
  split() {
    const row = this.rows[this.current];
    if (!row || row.area.readOnly) return false;
    const caret = row.area.selectionStart;
    const left = row.value.slice(0, caret).trimEnd();
    const right = row.value.slice(caret).trimStart();
    if (!left || !right) return false;
    const from = row.value.length - right.length;
    const { start_s, end_s } = row.segment;
    const before = row.words.findLast((word) => word.end <= caret);
    const behind = row.words.find((word) => word.start >= caret);
    const cut_s = clamp(((before?.end_s ?? start_s) + (behind?.start_s ?? end_s)) / 2, start_s, end_s);
    const anchors = [
      row.anchors.filter((anchor) => anchor.end <= left.length),
      row.anchors.filter((anchor) => anchor.start >= from)
        .map((anchor) => ({ ...anchor, start: anchor.start - from, end: anchor.end - from })),
    ];
    const sides = [
      { segment: { start_s, end_s: cut_s }, text: left, anchors: anchors[0] },
      { segment: { start_s: cut_s, end_s }, text: right, anchors: anchors[1] },
    ];
    for (const side of sides) side.segment.doubt = doubtOf(side.anchors);
    const at = this.current;
    this.change(at, sides, { row: at + 1, offset: 0 }, 1);
    this.select(at + 1, 0, 0);
    return true;
  },

  // Put the row and the one below it together; false on the last row.
  merge(at = this.current) {
    const [row, next] = [this.rows[at], this.rows[at + 1]];
    if (!row || !next || row.area.readOnly) return false;
    const caret = at === this.current ? row.area.selectionStart : row.value.length;
    const start = row.value.length + glue(row.value, next.value).length;
    const moved = next.anchors.map((anchor) =>
      ({ ...anchor, start: anchor.start + start, end: anchor.end + start }));
    const anchors = [...row.anchors, ...moved];
    const segment = {
      start_s: row.segment.start_s, end_s: next.segment.end_s, doubt: doubtOf(anchors),
    };
    const text = row.value + glue(row.value, next.value) + next.value;
    this.change(at, [{ segment, text, anchors }], { row: at, offset: caret }, 2);
    this.select(at, caret, caret);
    return true;
  },

  // Every place of a text: {row, start, end}.
  places(wanted, { isCase = false, isWord = false } = {}) {
    if (!wanted) return [];
    const escaped = wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const whole = `(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`;
    const pattern = new RegExp(isWord ? whole : escaped, isCase ? "gu" : "giu");
    return this.rows.flatMap((row, index) => Array.from(row.value.matchAll(pattern), (match) =>
      ({ row: index, start: match.index, end: match.index + match[0].length })));
  },

  // The next place behind the caret, round the end of the clip; selected.
  selectNext(places) {
    const offset = this.rows[this.current]?.area.selectionEnd ?? 0;
    const next = places.find(({ row, start }) =>
      row > this.current || (row === this.current && start >= offset)) ?? places[0];
    if (next) this.select(next.row, next.start, next.end);
    return next;
  },

  // Replace all places in one step that one undo takes back.
  replaceAll(places, text) {
    if (!places.length || this.rows[0].area.readOnly) return 0;
    const [first, last] = [places[0].row, places[places.length - 1].row];
    const sides = this.rows.slice(first, last + 1).map((row) => this.side(row));
    for (const { row, start, end } of [...places].reverse()) {
      sides[row - first] = replaced(sides[row - first], start, end, oneLine(text));
    }
    this.change(first, sides, { row: first, offset: places[0].start });
    return places.length;
  },

  // Replace one stretch of the current row, and select what came.
  replaceIn(index, start, end, text) {
    const row = this.rows[index];
    if (!row || row.area.readOnly) return;
    const caret = { row: index, offset: start + text.length };
    this.change(index, [replaced(this.side(row), start, end, text)], caret);
    this.select(index, start, start + text.length);
  },
});

function replaced({ segment, text, anchors }, start, end, inserted) {
  return {
    segment,
    text: text.slice(0, start) + inserted + text.slice(end),
    anchors: shiftAnchors(anchors, { at: start, removed: end - start, inserted }),
  };
}
