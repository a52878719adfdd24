// Find and replace within the clip, and the words of the project's glossary.

const NUM_SUGGESTED = 5;

// How many letters differ, for words that are a few letters long.
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1])));
    }
    row = next;
  }
  return row[b.length];
}

// Terms of the glossary that may be meant by what stands there, the likeliest first.
function suggestions(terms, typed) {
  const plain = (text) => text.toLocaleLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const wanted = plain(typed);
  return terms.map((term, index) => {
    const own = plain(term);
    const isBegun = wanted !== "" && own.startsWith(wanted);
    return { term, index, cost: isBegun ? 0 : editDistance(wanted, own) / Math.max(1, wanted.length, own.length) };
  }).sort((a, b) => a.cost - b.cost || a.index - b.index).slice(0, NUM_SUGGESTED).map(({ term }) => term);
}

Object.assign(Desk.prototype, {
  toggleFind() {
    if (this.closeBar("find")) return;
    const selected = this.editor.selectedText();
    const make = (label, placeholder) => {
      const input = Object.assign(document.createElement("input"), { type: "text", placeholder, dir: "auto" });
      input.setAttribute("aria-label", label);
      return input;
    };
    const check = (label) => {
      const box = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "checkbox" });
      box.append(input, ` ${label}`);
      return [box, input];
    };
    const [wanted, other] = [make("Find", "Find"), make("Replace with", "Replace with")];
    const [caseLabel, isCase] = check("Aa");
    const [wordLabel, isWord] = check("Whole words");
    caseLabel.title = "Tell capitals from small letters";
    const count = Object.assign(document.createElement("output"), { className: "wb-count" });
    const places = () => this.editor.places(wanted.value, { isCase: isCase.checked, isWord: isWord.checked });
    const show = () => { count.textContent = wanted.value ? `${places().length} found` : ""; };
    const next = () => { if (!this.editor.selectNext(places())) show(); };
    const replace = () => {
      const done = this.editor.replaceAll(places(), other.value);
      show();
      count.textContent = `${done} replaced`;
    };
    wanted.value = selected;
    for (const input of [wanted, isCase, isWord]) input.addEventListener("input", show);
    const onEnter = (input, act) => input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
    onEnter(wanted, next);
    onEnter(other, replace);
    this.openBar("find", "Find and replace", wanted, this.button("Next", next), other,
      this.button("Replace all", replace), caseLabel, wordLabel, count);
    show();
    wanted.focus();
    wanted.select();
  },

  // The glossary's word for the one at the caret; the same key again takes the next candidate.
  fromGlossary() {
    const terms = this.data.glossary;
    const { editor } = this;
    const row = editor.rows[editor.current];
    if (!terms.length) {
      this.note("The glossary is empty: fill it on the settings page.");
      return;
    }
    if (!row) return;
    const { selectionStart: start, selectionEnd: end } = row.area;
    let cycle = this.cycle;
    const isAgain = cycle && cycle.row === row && cycle.text === row.value &&
      cycle.start === start && cycle.end === end;
    if (!isAgain) {
      const word = row.words.find((candidate) => start >= candidate.start && start <= candidate.end);
      const [from, to] = start === end && word ? [word.start, word.end] : [start, end];
      const candidates = suggestions(terms, row.value.slice(from, to));
      cycle = { row, start: from, end: to, candidates, next: 0 };
    }
    const term = cycle.candidates[cycle.next % cycle.candidates.length];
    const number = (cycle.next % cycle.candidates.length) + 1;
    editor.replaceIn(editor.current, cycle.start, cycle.end, term);
    this.cycle = { ...cycle, end: cycle.start + term.length, text: row.value, next: cycle.next + 1 };
    const more = cycle.candidates.length > 1 ? `; ${this.keyboard.hint("glossary")} again for the next` : "";
    this.note(`Glossary: ${term} (${number} of ${cycle.candidates.length}${more})`);
  },
});
