// The bar between text and verdicts: why a clip is rejected, what a lead should know, find and
// replace, another recogniser. One thing at a time; Escape closes it and gives the caret back.

Object.assign(Desk.prototype, {
  openBar(name, label, ...content) {
    const bar = this.find(".wb-bar");
    const active = this.root.activeElement;
    if (!bar.contains(active)) this.cameFrom = active;
    bar.dataset.name = name;
    bar.setAttribute("aria-label", label);
    bar.replaceChildren(...content);
    bar.hidden = false;
    for (const kind of ["reject", "escalate", "find", "rewrite"]) {
      const button = this.find(`[data-do="${kind}"]`);
      button?.setAttribute("aria-expanded", String(kind === name));
    }
  },

  // True when it was open and is closed now.
  closeBar(name) {
    const bar = this.find(".wb-bar");
    if (bar.hidden || bar.dataset.name !== name) return false;
    this.closeBars(true);
    return true;
  },

  closeBars(goBack = false) {
    const bar = this.find(".wb-bar");
    const hadFocus = bar.contains(this.root.activeElement);
    bar.hidden = true;
    bar.replaceChildren();
    for (const button of this.root.querySelectorAll("[data-do][aria-expanded]")) {
      button.setAttribute("aria-expanded", "false");
    }
    if (goBack && hadFocus) this.cameFrom?.focus({ preventScroll: true });
  },

  // True when the key belonged to the open bar.
  onBarKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
    const isTyping = this.root.activeElement?.matches("input, textarea, select");
    const isReasons = this.find(".wb-bar").dataset.name === "reject";
    if (event.key === "Escape") this.closeBars(true);
    else if (isReasons && /^[1-9]$/.test(event.key) && !isTyping) this.chooseReason(Number(event.key) - 1);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  },

  button(text, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", act);
    return button;
  },

  // A line to type into; Enter sends it.
  lineForm(label, placeholder, isRequired, send) {
    const form = document.createElement("form");
    const input = Object.assign(document.createElement("input"), {
      type: "text", required: isRequired, maxLength: 200, placeholder, dir: "auto",
    });
    input.setAttribute("aria-label", label);
    form.append(input);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text || !isRequired) send(text);
    });
    return form;
  },

  toggleReject() {
    if (this.closeBar("reject")) return;
    const buttons = this.data.reject_reasons.map(({ label }, index) =>
      this.button(`${index + 1} ${label}`, () => this.chooseReason(index)));
    this.openBar("reject", "Why is the clip rejected?", "Reject because:", ...buttons);
    buttons[0]?.focus();
  },

  chooseReason(index) {
    const reason = this.data.reject_reasons[index];
    if (!reason) return;
    if (!reason.needs_note) {
      this.closeBars();
      this.judge("reject", reason.code);
      return;
    }
    const form = this.lineForm("Reason", "Why? Enter rejects the clip.", true, (note) => {
      this.closeBars();
      this.judge("reject", reason.code, note);
    });
    this.find(".wb-bar").replaceChildren(form);
    form.firstChild.focus();
  },

  toggleEscalate() {
    if (this.closeBar("escalate") || this.pendingVerdict) return;
    const form = this.lineForm("Note to the lead", "What should a lead know? Enter hands the clip over.",
      false, (note) => {
        this.closeBars();
        this.sendDraft();
        this.command("escalate", this.clip.id, { note });
      });
    this.openBar("escalate", "Hand to a lead", form);
    form.firstChild.focus();
  },
});
