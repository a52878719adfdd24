// Second opinions: what another recogniser heard, shown where it differs, one key to take it.

const REWRITE_PAD_S = 0.15;
const NOTHING_ELSE = "No other recogniser wrote anything different here.";

Object.assign(Editor.prototype, {
  selectedText() {
    const area = this.rows[this.current]?.area;
    return area ? area.value.slice(area.selectionStart, area.selectionEnd) : "";
  },

  // Where the other recogniser wrote something else: {start, end, text} in the row's text.
  others(row) {
    if (!this.opinion.length) return (row.different = []);
    const { start_s, end_s } = row.segment;
    const heard = this.opinion.filter(([, from, to]) => (from + to) / 2 >= start_s && (from + to) / 2 < end_s);
    const plain = (text) => ({ text: text.toLocaleLowerCase().replace(/[^\p{L}\p{N}']/gu, "") });
    const own = row.words.map((word) => plain(row.value.slice(word.start, word.end)));
    const pairs = heard.length ? commonTokens(own, heard.map(([word]) => plain(word))) : new Map();
    row.different = [];
    for (let index = 0, next = 0; heard.length && index <= own.length; ) {
      let last = index;
      while (last < own.length && !pairs.has(last)) last += 1;
      const until = last < own.length ? pairs.get(last) : heard.length;
      this.noteOther(row, [index, last], heard.slice(next, until).map(([word]) => word.trim()));
      [index, next] = [last + 1, until + 1];
    }
    return row.different;
  },

  noteOther(row, [first, last], heard) {
    if (first === last && !heard.length) return;
    const join = (words) => words.reduce((text, word) => text + glue(text, word) + word, "");
    if (first < last) {
      const [from, to] = [row.words[first].start, row.words[last - 1].end];
      row.different.push({ start: from, end: to, text: join(heard) });
      return;
    }
    // Only the other heard something here: it goes behind the word before, or before the first.
    const beside = row.words[Math.max(0, first - 1)];
    if (!beside) {
      row.different.push({ start: 0, end: row.value.length, text: join(heard) });
      return;
    }
    const word = row.value.slice(beside.start, beside.end);
    row.different.push({
      start: beside.start, end: beside.end, text: join(first ? [word, ...heard] : [...heard, word]),
    });
  },

  setOpinion(words) {
    this.opinion = words;
    for (const row of this.rows) this.paint(row);
  },

  // Take the other's words at the caret, or go to the next place where there are any.
  takeOther() {
    const row = this.rows[this.current];
    if (!row) return null;
    const caret = row.area.selectionStart;
    const here = this.others(row).find(({ start, end }) => caret >= start && caret <= end);
    if (here) {
      let { start, end } = here;
      // Words that are only ours go with the blank behind them.
      if (!here.text && row.value[end] === " ") end += 1;
      this.replaceIn(this.current, start, end, here.text);
      return { taken: here.text };
    }
    return this.nextOther() ? { taken: null } : null;
  },

  // Select the next place where the other heard something else; says whether there is one.
  nextOther() {
    const places = this.rows.flatMap((row, index) =>
      this.others(row).map(({ start, end }) => ({ row: index, start, end })));
    return this.selectNext(places);
  },

  // The span that the caret speaks of: the selected words, or the whole row.
  span() {
    const row = this.rows[this.current];
    if (!row) return null;
    const { selectionStart: from, selectionEnd: to } = row.area;
    const words = row.words.filter((word) => from < to && word.end > from && word.start < to);
    const [first, last] = [words[0], words[words.length - 1]];
    const { value } = row;
    if (!first) return { row, value, start: 0, end: value.length, ...row.segment, isRow: true };
    return { row, value, start: first.start, end: last.end, start_s: first.start_s, end_s: last.end_s, isRow: false };
  },

  // Put words with their times into the place of a span; false where its row is another by now.
  takeWords({ row, value, start, end }, words) {
    const index = this.rows.indexOf(row);
    if (index < 0 || row.value !== value) return false;
    const text = words.reduce((whole, [word]) => whole + glue(whole, word.trim()) + word.trim(), "");
    const side = replaced(this.side(row), start, end, text);
    const anchors = locate(text, words).map((anchor) =>
      ({ ...anchor, start: anchor.start + start, end: anchor.end + start }));
    side.anchors = [...side.anchors, ...anchors].sort((a, b) => a.start - b.start);
    this.change(index, [side], { row: index, offset: start + text.length });
    this.select(index, start, start + text.length);
    return true;
  },
});

Object.assign(Desk.prototype, {
  takeOther() {
    const done = this.editor.takeOther();
    if (done && done.taken === null) this.hearOther();
    else if (!done) this.note(NOTHING_ELSE);
    else this.note(done.taken ? `Taken: ${done.taken}` : "Taken: nothing is said here.");
  },

  nextOther() {
    if (this.editor.nextOther()) this.hearOther();
    else this.note(NOTHING_ELSE);
  },

  // Play the selected place and show what the other heard there: hands stay on the keys.
  hearOther() {
    const row = this.editor.rows[this.editor.current];
    const { selectionStart: from, selectionEnd: to } = row.area;
    const word = row.words.find(({ start, end }) => end > from && start < to);
    if (!word) return;
    this.editor.lastTouch = performance.now();
    this.player.seek(word.start_s - 0.4);
    this.player.play();
    this.tip(row, (row.spans[row.words.indexOf(word)] ?? row.area).getBoundingClientRect());
  },

  // A word under the pointer that another recogniser heard differently says so.
  hover(event) {
    const row = event.target.closest?.(".wb-row")?.row;
    const isOn = ({ left, right, top, bottom }) => event.clientX >= left && event.clientX <= right &&
      event.clientY >= top && event.clientY <= bottom;
    const index = row?.isSeen && row.different?.length && !this.prefs.hidesOther
      ? row.words.findIndex((_, at) => row.spans[at]?.dataset.other !== undefined &&
        Array.from(row.spans[at].getClientRects()).some(isOn))
      : -1;
    if (index < 0) this.closeTip();
    else this.tip(row, { left: event.clientX, bottom: event.clientY + 10 }, row.words[index]);
  },

  // What the other heard, below a place; of the word there, or of the selected one.
  tip(row, place, word) {
    const { start, end } = word ?? { start: row.area.selectionStart, end: row.area.selectionEnd };
    const other = row.different.find((candidate) => start < candidate.end && end > candidate.start);
    const tip = this.find(".wb-tip");
    tip.hidden = !other;
    if (tip.hidden) return;
    tip.textContent = `${this.clip.opinion_by || "Other"}: ${other.text || "nothing"} (${this.keyboard.hint("takeOther")} takes it)`;
    const box = this.section.getBoundingClientRect();
    tip.style.left = `${clamp(place.left - box.left, 0, Math.max(0, box.width - 260))}px`;
    tip.style.top = `${place.bottom - box.top + 8}px`;
  },

  closeTip() {
    this.find(".wb-tip").hidden = true;
  },

  // The legend of the blue lines, which also switches them off: a poor second opinion is noise.
  showLegend() {
    const legend = this.find(".wb-legend");
    legend.hidden = !this.clip || !this.editor.opinion.length;
    legend.textContent = `${this.clip?.opinion_by || "Another recogniser"} heard otherwise`;
    legend.setAttribute("aria-pressed", String(!this.prefs.hidesOther));
    this.section.classList.toggle("wb-plain", Boolean(this.prefs.hidesOther));
  },

  toggleOther() {
    this.prefs.hidesOther = !this.prefs.hidesOther;
    this.writePrefs();
    this.showLegend();
  },

  toggleRewrite() {
    if (this.closeBar("rewrite")) return;
    const span = this.editor.span();
    if (!span) return;
    const engines = document.createElement("select");
    engines.setAttribute("aria-label", "Recogniser");
    engines.append(...this.data.engines.map((name) => new Option(name, name)));
    const from = Math.max(0, span.start_s - (span.isRow ? 0 : REWRITE_PAD_S));
    const to = Math.min(this.clip.duration_s, span.end_s + (span.isRow ? 0 : REWRITE_PAD_S));
    const form = this.lineForm("Words that may occur", "Words that may occur (Whisper)", false, (prompt) =>
      this.rewrite({ ...span, from_s: from, to_s: to }, engines.value, prompt));
    form.prepend(`${preciseClock(from)}–${preciseClock(to)} `, engines, " ");
    form.append(Object.assign(document.createElement("button"), { textContent: "Write again" }));
    this.openBar("rewrite", "Write again with another recogniser", form);
    form.querySelector("input").focus();
  },

  // What becomes of the question stands in the bar: the line of the drafts is overwritten at any time.
  async rewrite(span, engine, prompt) {
    const { clip } = this;
    const { lastTouch } = this.editor;
    this.closeBars(true);
    const heard = this.heard(`${engine} is listening to ${preciseClock(span.from_s)}–${preciseClock(span.to_s)} …`);
    this.openBar("rewrite", "Another recogniser listens", heard);
    const answered = (text, ...choices) => {
      // She went on to another bar, or closed this one: it is not opened over her work.
      if (!this.find(".wb-bar").contains(heard)) return;
      heard.textContent = text;
      const close = this.button(choices.length ? "Leave mine" : "Close", () => this.closeBars(true));
      const buttons = [...choices, close];
      // Words of another script keep their own direction beside the recogniser's name.
      const by = choices.length ? [`${engine}:`] : [];
      this.openBar("rewrite", "What the other recogniser wrote", ...by, heard, ...buttons);
      // Who has typed since then goes on typing: the next key must not press a button.
      if (this.editor.lastTouch === lastTouch) buttons[0].focus();
    };
    let answer;
    try {
      const response = await fetch(`/api/v1/clips/${clip.id}/transcribe`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ start: span.from_s, end: span.to_s, engine, prompt }),
      });
      answer = await response.json();
      if (!response.ok) throw new Error([answer.detail, answer.suggestion].filter(Boolean).join(" "));
    } catch (error) {
      answered(`Not written again: ${error.message}`);
      return;
    }
    if (this.clip !== clip) return;
    const words = answer.words.map(({ word, start, end }) => [word, start, end, null]);
    const kept = this.editor.opinion.filter(([, a, b]) => (a + b) / 2 < span.from_s || (a + b) / 2 >= span.to_s);
    clip.opinion_by = answer.engine;
    this.editor.setOpinion([...kept, ...words].sort((a, b) => a[1] - b[1]));
    this.showLegend();
    if (words.length) answered(answer.text, this.button("Take it", () => this.take(span, words)));
    else answered(`${engine} heard nothing there.`);
  },

  take(span, words) {
    this.closeBars(true);
    if (!this.editor.takeWords(span, words)) {
      this.note(`The words there have changed since: ${this.keyboard.hint("takeOther")} takes one at a time.`);
    }
  },

  heard(text) {
    const line = Object.assign(document.createElement("span"), { className: "wb-heard", textContent: text });
    line.dir = "auto";
    line.setAttribute("role", "status");
    return line;
  },
});
