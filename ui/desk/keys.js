// The keys in force come with the page (keys.json and what was chosen in the settings), so that the
// cheat sheet, the buttons and the settings cannot disagree with the keyboard.

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
  constructor(actions) {
    this.actions = actions;
    this.byKey = new Map();
    for (const action of actions) {
      for (const key of action.keys) this.byKey.set(key, action);
    }
  }

  find(event) {
    const name = keyName(event);
    return name === null ? null : this.byKey.get(name) ?? null;
  }

  // "Alt+K" for what a button does, or an empty text.
  hint(name) {
    const action = this.actions.find((candidate) => candidate.name === name);
    return (action?.keys ?? []).map((key) => Keyboard.show(key)).join(" or ");
  }

  static show(key) {
    const names = {
      Control: "Ctrl", Escape: "Esc", Enter: "↵", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
    };
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
