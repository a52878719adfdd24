// The transcript as rows of plain text. Each row is a real text area (so that input methods,
// right-to-left text, spelling aids and paste behave as everywhere) over a copy of its text that
// carries the marks: doubt under a word, light behind the word that sounds.

const DOUBT_STEPS = [0.3, 0.5, 0.7];

class Editor {
  constructor(box, { onChange, onWord, onMove }) {
    Object.assign(this, { box, onChange, onWord, onMove });
    this.rows = [];
    this.history = new History();
    this.threshold = 0.5;
    this.current = 0;
    this.now = null;
    this.lastTouch = 0;
  }

  load(clip, texts) {
    this.history = new History();
    this.current = 0;
    this.now = null;
    this.rows = clip.segments.map((segment, index) => this.createRow(segment, texts[index], clip));
    this.box.replaceChildren(...this.rows.map((row) => row.element));
    this.box.scrollTop = 0;
  }

  createRow(segment, text, clip) {
    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
    const row = {
      segment,
      value: text,
      element: make("div", "wb-row"),
      time: make("button", "wb-time"),
      back: make("div", "wb-back"),
      area: make("textarea", "wb-text"),
      pointerCaret: null,
    };
    const original = oneLine(segment.text);
    row.anchors = reattach(original, locate(original, segment.words), text);
    row.time.type = "button";
    row.time.tabIndex = -1;
    row.time.textContent = clock(segment.start_s);
    row.time.setAttribute("aria-label", `Play from ${clock(segment.start_s)}`);
    row.element.style.setProperty("--wb-row-doubt", segment.doubt.toFixed(2));
    row.back.setAttribute("aria-hidden", "true");
    row.back.dir = row.area.dir = "auto";
    row.area.rows = 1;
    row.area.value = text;
    row.area.spellcheck = false;
    row.area.autocapitalize = "off";
    row.area.lang = row.back.lang = clip.language || "";
    row.area.setAttribute(
      "aria-label", `Text from ${clock(segment.start_s)} to ${clock(segment.end_s)}`,
    );
    const cell = make("div", "wb-cell");
    cell.append(row.back, row.area);
    row.element.append(row.time, cell);
    this.listen(row);
    this.paint(row);
    return row;
  }

  listen(row) {
    const { area } = row;
    row.time.addEventListener("click", () => this.onWord(row, { start_s: row.segment.start_s }));
    area.addEventListener("beforeinput", (event) => this.beforeInput(row, event));
    area.addEventListener("input", (event) => this.input(row, event));
    area.addEventListener("keydown", (event) => this.keydown(row, event));
    area.addEventListener("focus", () => {
      this.current = this.rows.indexOf(row);
      this.onMove();
    });
    area.addEventListener("pointerdown", () => {
      const isFocused = area.getRootNode().activeElement === area;
      row.pointerCaret = isFocused ? area.selectionStart : null;
    });
    area.addEventListener("click", (event) => this.click(row, event));
    area.addEventListener("keyup", () => this.onMove());
  }

  beforeInput(row, event) {
    this.lastTouch = performance.now();
    if (event.inputType === "historyUndo" || event.inputType === "historyRedo") {
      event.preventDefault();
      if (event.inputType === "historyUndo") this.undo();
      else this.redo();
      return;
    }
    row.caretBefore = row.area.selectionStart;
  }

  input(row, event) {
    const { area } = row;
    let caret = area.selectionStart;
    if (/[\r\n\u2028\u2029]/.test(area.value)) {
      caret = oneLine(area.value.slice(0, caret)).length;
      area.value = oneLine(area.value);
      area.setSelectionRange(caret, caret);
    }
    const before = { text: row.value, anchors: row.anchors, caret: row.caretBefore ?? caret };
    if (before.text === area.value) return;
    row.anchors = shiftAnchors(row.anchors, difference(row.value, area.value, caret));
    row.value = area.value;
    const kinds = {
      insertText: "type", insertCompositionText: "type", deleteContentBackward: "delete",
    };
    const after = { text: row.value, anchors: row.anchors, caret };
    this.history.push({ row: this.rows.indexOf(row), before, after },
      kinds[event.inputType] ?? "other");
    this.paint(row);
    this.onChange();
  }

  // Write into a row as a key would have done.
  insert(area, text) {
    const row = this.rows.find((candidate) => candidate.area === area);
    if (!row || area.readOnly) return;
    row.caretBefore = area.selectionStart;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    this.input(row, { inputType: "insertText" });
  }

  // Arrow keys and Enter walk from row to row as in one text.
  keydown(row, event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const { area } = row;
    const index = this.rows.indexOf(row);
    if (event.key === "Enter") {
      event.preventDefault();
      if (index + 1 < this.rows.length) this.select(index + 1, 0, 0);
      return;
    }
    if (event.shiftKey || area.selectionStart !== area.selectionEnd) return;
    const caret = area.selectionStart;
    const backwards = event.key === "ArrowUp" || event.key === "ArrowLeft";
    if (!backwards && event.key !== "ArrowDown" && event.key !== "ArrowRight") return;
    const target = index + (backwards ? -1 : 1);
    if (!this.rows[target]) return;
    requestAnimationFrame(() => {
      if (area.selectionStart !== caret || area.selectionEnd !== caret) return;
      const length = this.rows[target].value.length;
      let place = Math.min(caret, length);
      if (event.key === "ArrowLeft") place = length;
      if (event.key === "ArrowRight") place = 0;
      this.select(target, place, place);
    });
  }

  click(row, event) {
    this.lastTouch = performance.now();
    this.onMove();
    const { area } = row;
    if (event.detail > 1 || event.shiftKey || area.selectionStart !== area.selectionEnd) return;
    const at = (offset) => row.words.find((word) => offset >= word.start && offset <= word.end);
    const word = at(area.selectionStart);
    // A second click into the same word only places the caret.
    if (!word || (row.pointerCaret !== null && at(row.pointerCaret) === word)) return;
    this.onWord(row, word);
  }

  paint(row) {
    row.words = wordsOf(row.value, row.anchors, row.segment.start_s, row.segment.end_s);
    const pieces = [];
    let position = 0;
    for (const word of row.words) {
      if (word.start > position) pieces.push(row.value.slice(position, word.start));
      const span = document.createElement("span");
      span.textContent = row.value.slice(word.start, word.end);
      const level = this.level(word.p);
      if (level) span.dataset.doubt = level;
      pieces.push(span);
      position = word.end;
    }
    // The zero-width space keeps an empty row, and a trailing blank, as high as a line.
    pieces.push(`${row.value.slice(position)}\u200b`);
    row.back.replaceChildren(...pieces);
    row.spans = row.back.children;
    if (this.now?.row === row) this.now = null;
  }

  level(p) {
    if (p === null || p < this.threshold) return 0;
    return DOUBT_STEPS.filter((step) => p >= step).length || 1;
  }

  setThreshold(threshold) {
    this.threshold = threshold;
    for (const row of this.rows) this.paint(row);
  }

  rowAtTime(time_s) {
    let found = 0;
    this.rows.forEach((row, index) => { if (row.segment.start_s <= time_s) found = index; });
    return found;
  }

  // Light up the word that sounds; follow it with the scroll unless someone works elsewhere.
  sound(time_s, isPlaying) {
    const row = this.rows[this.rowAtTime(time_s)];
    const index = row ? wordAtTime(row.words, time_s) : -1;
    const word = index >= 0 && time_s < row.words[index].end_s + 0.15 ? index : -1;
    if (this.now?.row === row && this.now.word === word) return;
    this.now?.span?.classList.remove("wb-now");
    const hasRowChanged = this.now?.row !== row;
    this.now?.row?.element.classList.toggle("wb-sounding", !hasRowChanged);
    const span = word >= 0 ? row.spans[word] : null;
    span?.classList.add("wb-now");
    row?.element.classList.add("wb-sounding");
    this.now = row ? { row, word, span } : null;
    const isWorking = performance.now() - this.lastTouch < 4000;
    if (row && isPlaying && hasRowChanged && !isWorking) this.reveal(row);
  }

  reveal(row) {
    const { offsetTop, offsetHeight } = row.element;
    const { scrollTop, clientHeight } = this.box;
    if (offsetTop < scrollTop + 8) this.box.scrollTop = offsetTop - 8;
    else if (offsetTop + offsetHeight > scrollTop + clientHeight - 8) {
      this.box.scrollTop = offsetTop + offsetHeight - clientHeight + 24;
    }
  }

  select(index, start, end) {
    const row = this.rows[index];
    if (!row) return;
    row.area.focus({ preventScroll: true });
    row.area.setSelectionRange(start, end);
    this.reveal(row);
    this.onMove();
  }

  // The next word at or above the threshold, from the caret on and round the end of the clip.
  doubtful(step) {
    const limit = this.threshold > 1 ? 0.5 : this.threshold;
    const places = this.rows.flatMap((row, index) =>
      row.words.filter((word) => word.p !== null && word.p >= limit)
        .map((word) => ({ row, index, word })));
    if (!places.length) return null;
    const area = this.rows[this.current].area;
    const isBehind = ({ index, word }) => index > this.current ||
      (index === this.current && word.start >= area.selectionEnd && word.end > area.selectionEnd);
    const isBefore = ({ index, word }) => index < this.current ||
      (index === this.current && word.end <= area.selectionStart);
    const found = step > 0 ? places.find(isBehind) : places.findLast(isBefore);
    return found ?? (step > 0 ? places[0] : places[places.length - 1]);
  }

  undo() {
    this.restore(this.history.undo());
  }

  redo() {
    this.restore(this.history.redo());
  }

  restore(change) {
    if (!change) return;
    const row = this.rows[change.row];
    row.value = row.area.value = change.side.text;
    row.anchors = change.side.anchors;
    this.paint(row);
    this.select(change.row, change.side.caret, change.side.caret);
    this.onChange();
  }

  texts() {
    return this.rows.map((row) => row.value);
  }

  isChanged() {
    return this.rows.some((row) => row.value !== oneLine(row.segment.text));
  }

  // The caret as an offset into all rows joined by line breaks.
  get cursor() {
    let offset = 0;
    for (let index = 0; index < this.current; index += 1) {
      offset += this.rows[index].value.length + 1;
    }
    return offset + (this.rows[this.current]?.area.selectionStart ?? 0);
  }

  set cursor(offset) {
    let left = offset;
    const index = this.rows.findIndex((row) => {
      if (left <= row.value.length) return true;
      left -= row.value.length + 1;
      return false;
    });
    if (index >= 0) this.select(index, left, left);
  }

  setReadOnly(isReadOnly) {
    for (const row of this.rows) row.area.readOnly = isReadOnly;
  }
}
