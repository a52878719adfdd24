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
    this.opinion = [];
    // Marks are made when a row comes near the window: an hour of speech has ten thousand words.
    this.seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting || target.row.isSeen) continue;
        target.row.isSeen = true;
        this.paint(target.row);
      }
    }, { root: box, rootMargin: "600px" });
  }

  // sides: what each row begins with, {segment, text}
  load(clip, sides) {
    this.clip = clip;
    this.history = new History();
    this.current = 0;
    this.now = null;
    this.seen.disconnect();
    this.rows = sides.map(({ segment, text }) => {
      const original = oneLine(segment.text);
      const anchors = reattach(original, locate(original, segment.words), text);
      return this.createRow({ segment, text, anchors });
    });
    this.box.replaceChildren(...this.rows.map((row) => row.element));
    this.box.scrollTop = 0;
  }

  createRow(side) {
    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
    const row = {
      element: make("div", "wb-row"),
      time: make("button", "wb-time"),
      back: make("div", "wb-back"),
      area: make("textarea", "wb-text"),
      pointerCaret: null,
      isSeen: false,
    };
    row.element.row = row;
    row.time.type = "button";
    row.time.tabIndex = -1;
    row.back.setAttribute("aria-hidden", "true");
    row.back.dir = row.area.dir = "auto";
    row.area.rows = 1;
    row.area.spellcheck = false;
    row.area.autocapitalize = "off";
    row.area.lang = row.back.lang = this.clip.language || "";
    const cell = make("div", "wb-cell");
    cell.append(row.back, row.area);
    row.element.append(row.time, cell);
    this.listen(row);
    this.fill(row, side);
    this.seen.observe(row.element);
    return row;
  }

  fill(row, { segment, text, anchors }) {
    if (row.segment !== segment) {
      row.segment = segment;
      row.time.textContent = clock(segment.start_s);
      row.time.setAttribute("aria-label", `Play from ${clock(segment.start_s)}`);
      row.element.style.setProperty("--wb-row-doubt", segment.doubt.toFixed(2));
      row.area.setAttribute(
        "aria-label", `Text from ${clock(segment.start_s)} to ${clock(segment.end_s)}`,
      );
    }
    row.value = text;
    if (row.area.value !== text) row.area.value = text;
    row.anchors = anchors;
    this.paint(row);
  }

  side(row) {
    return { segment: row.segment, text: row.value, anchors: row.anchors };
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
    if (row.value === area.value) return;
    const before = this.side(row);
    row.anchors = shiftAnchors(row.anchors, difference(row.value, area.value, caret));
    row.value = area.value;
    const kinds = {
      insertText: "type", insertCompositionText: "type", deleteContentBackward: "delete",
    };
    const at = this.rows.indexOf(row);
    this.history.push({
      at, before: [before], after: [this.side(row)],
      caretBefore: { row: at, offset: row.caretBefore ?? caret }, caretAfter: { row: at, offset: caret },
    }, kinds[event.inputType] ?? "other");
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
    // Backspace before the first letter, and Delete behind the last, take the break away.
    const isBack = event.key === "Backspace" && caret === 0 && index > 0;
    if (isBack || (event.key === "Delete" && caret === area.value.length)) {
      event.preventDefault();
      if (isBack) this.select(index - 1, this.rows[index - 1].value.length, this.rows[index - 1].value.length);
      this.merge(isBack ? index - 1 : index);
      return;
    }
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
    if (this.now?.row === row) this.now = null;
    if (!row.isSeen) {
      row.back.textContent = `${row.value}\u200b`;
      row.spans = [];
      return;
    }
    const others = this.others(row);
    const pieces = [];
    let position = 0;
    for (const word of row.words) {
      if (word.start > position) pieces.push(row.value.slice(position, word.start));
      const span = document.createElement("span");
      span.textContent = row.value.slice(word.start, word.end);
      const level = this.level(word.p);
      if (level) span.dataset.doubt = level;
      if (others.some((other) => word.start < other.end && word.end > other.start)) span.dataset.other = "";
      pieces.push(span);
      position = word.end;
    }
    // The zero-width space keeps an empty row, and a trailing blank, as high as a line.
    pieces.push(`${row.value.slice(position)}\u200b`);
    row.back.replaceChildren(...pieces);
    row.spans = row.back.children;
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
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].segment.start_s <= time_s) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
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
    const span = (word >= 0 && row.spans[word]) || null;
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
    this.apply(change.at, change.from.length, change.to);
    this.select(change.caret.row, change.caret.offset, change.caret.offset);
    this.onChange();
  }

  // Put other rows into the place of some.
  apply(at, count, sides) {
    const shared = Math.min(count, sides.length);
    for (let index = 0; index < shared; index += 1) this.fill(this.rows[at + index], sides[index]);
    const gone = this.rows.splice(at + shared, count - shared);
    for (const row of gone) {
      this.seen.unobserve(row.element);
      row.element.remove();
    }
    const added = sides.slice(shared).map((side) => this.createRow(side));
    const next = this.rows[at + shared]?.element ?? null;
    for (const row of added) this.box.insertBefore(row.element, next);
    this.rows.splice(at + shared, 0, ...added);
    this.current = clamp(this.current, 0, this.rows.length - 1);
  }

  // One step to be undone: change rows and say where the caret goes.
  change(at, sides, caret, count = sides.length) {
    const caretBefore = { row: this.current, offset: this.rows[this.current].area.selectionStart };
    const before = this.rows.slice(at, at + count).map((row) => this.side(row));
    this.apply(at, count, sides);
    this.history.push({ at, before, after: sides, caretBefore, caretAfter: caret }, "other");
    this.lastTouch = performance.now();
    this.onChange();
  }

  texts() {
    return this.rows.map((row) => row.value);
  }

  // Cutting rows otherwise changes no word.
  isChanged() {
    if (!this.rows.length) return false;
    const plain = (texts) => texts.join(" ").split(/\s+/).filter(Boolean).join(" ");
    return plain(this.texts()) !== plain(this.clip.segments.map(({ text }) => text));
  }

  shape() {
    return JSON.stringify(this.layout());
  }

  // Where the rows begin and end, null while that is where the engine's segments do.
  layout() {
    const isSame = this.rows.length === this.clip.segments.length && this.rows.every(
      ({ segment }, index) => segment.start_s === this.clip.segments[index].start_s &&
        segment.end_s === this.clip.segments[index].end_s);
    const round = (value) => Math.round(value * 1000) / 1000;
    return isSame ? null : this.rows.map(({ segment }) => [round(segment.start_s), round(segment.end_s)]);
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
