// Every key of the desk by the name of what it does, so that the cheat sheet cannot disagree with
// the keyboard and a person can be given other keys.

const ACTIONS = {
  play: { keys: ["Escape", "Alt+k"], label: "Play or pause" },
  back: { keys: ["Alt+j"], label: "Back 2 seconds" },
  forward: { keys: ["Alt+l"], label: "Forward 2 seconds" },
  slower: { keys: ["Alt+ArrowDown"], label: "Slower (down to 0.5×)" },
  faster: { keys: ["Alt+ArrowUp"], label: "Faster (up to 2×)" },
  doubtful: { keys: ["Alt+n"], label: "Next doubtful word: selected and played" },
  doubtfulBack: { keys: ["Alt+Shift+n"], label: "Previous doubtful word" },
  loop: { keys: ["Alt+r"], label: "Loop the segment, or stop looping" },
  save: { keys: ["Control+Enter"], label: "Save and next" },
  accept: { keys: ["Alt+a"], label: "Accept the text as the recogniser wrote it" },
  reject: { keys: ["Alt+x"], label: "Reject, then a digit for the reason" },
  skip: { keys: ["Alt+s"], label: "Skip: next clip, this one stays in the queue" },
  undo: { keys: ["Control+z"], label: "Undo", isText: true },
  redo: { keys: ["Control+Shift+z", "Control+y"], label: "Redo", isText: true },
  help: { keys: ["Alt+h"], label: "These keys (or ? outside the text)" },
};

// "Alt+Shift+n" for an event; null for a key that types a character or belongs to an input method.
function keyName(event) {
  if (event.isComposing || event.keyCode === 229) return null;
  const control = event.ctrlKey || event.metaKey;
  // AltGr is Ctrl+Alt on Windows and writes letters on many keyboards.
  if (event.getModifierState("AltGraph") || (control && event.altKey)) return null;
  let { key } = event;
  // Option on a Mac and non-Latin layouts change the letter, not the key.
  const letter = /^Key([A-Z])$/.exec(event.code);
  if (letter && (event.altKey || control) && !/^[a-z]$/i.test(key)) key = letter[1];
  if (key.length === 1) key = key.toLowerCase();
  const parts = [];
  if (control) parts.push("Control");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && key !== "?") parts.push("Shift");
  return [...parts, key].join("+");
}

class Keyboard {
  constructor(overrides = {}) {
    this.byKey = new Map();
    this.actions = Object.entries(ACTIONS).map(([name, { keys, label, isText }]) => ({
      name, label, isText: Boolean(isText), keys: overrides[name] ?? keys,
    }));
    for (const action of this.actions) {
      for (const key of action.keys) this.byKey.set(key, action);
    }
  }

  find(event) {
    const name = keyName(event);
    return name === null ? null : this.byKey.get(name) ?? null;
  }

  static show(key) {
    const names = { Control: "Ctrl", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓" };
    return key.split("+").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part))
      .join("+");
  }

  fill(list) {
    list.replaceChildren(...this.actions.flatMap(({ keys, label }) => {
      const term = document.createElement("dt");
      keys.forEach((key, index) => {
        if (index) term.append(" ");
        term.append(Object.assign(document.createElement("kbd"), { textContent: Keyboard.show(key) }));
      });
      return [term, Object.assign(document.createElement("dd"), { textContent: label })];
    }));
  }
}
