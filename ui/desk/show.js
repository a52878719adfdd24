// How the desk looks: everything that is written on it. All text goes in as text, never as markup.

const percent = (share) => `${Math.round(share * 100)} %`;

Object.assign(Desk.prototype, {
  show() {
    const { clip } = this;
    this.section.classList.toggle("wb-empty", !clip);
    this.find(".wb-name").textContent = clip?.file_name ?? "Nothing to review";
    this.find(".wb-name").title = clip?.file_name ?? "";
    this.find(".wb-facts").textContent = clip ? [clock(clip.duration_s), clip.engine].filter(Boolean).join(" · ") : "";
    this.find(".wb-estimate").textContent = clip?.estimate ?? "";
    const reasons = (clip?.reasons ?? []).join(" · ");
    this.find(".wb-reasons").textContent = reasons;
    this.find(".wb-reasons").title = reasons;
    this.find(".wb-reasons").hidden = !reasons;
    this.showLegend();
    this.paintTheme();
    this.fitHeight();
  },

  showQueue() {
    const { queue_length: left, queue, result } = this.data;
    this.find(".wb-left").textContent = `${left ?? 0} left`;
    this.find(".wb-left").hidden = !left;
    if (queue) this.openQueue(queue);
    this.find(".wb-after").hidden = !result;
    this.find(".wb-result").textContent = result?.text ?? "";
    this.find('[data-do="reopen"]').hidden = !result?.can_reopen;
  },

  openQueue(queue) {
    const dialog = this.find(".wb-queue");
    const make = (tag, name, text) =>
      Object.assign(document.createElement(tag), { className: name, textContent: text });
    dialog.querySelector("ol").replaceChildren(...queue.map((item) => {
      const button = make("button", "", "");
      button.type = "button";
      button.disabled = item.holder !== null;
      if (item.clip_id === this.clip?.id) button.setAttribute("aria-current", "true");
      const name = make("span", "wb-waits", item.file_name);
      name.dir = "auto";
      const facts = item.holder === null ? item.facts : `${item.facts} · with ${item.holder}`;
      button.append(make("span", "", item.flagged ? "⚑" : "\u2002"), name, make("span", "", facts));
      button.addEventListener("click", () => {
        dialog.close();
        if (item.clip_id !== this.clip?.id) this.command("open", item.clip_id);
      });
      const entry = make("li", "", "");
      entry.append(button);
      return entry;
    }));
    if (!dialog.open) dialog.showModal();
  },

  // The keys in force, on the cheat sheet and on every button.
  showKeys(keys) {
    if (this.keyboard?.actions === keys) return;
    this.keyboard = new Keyboard(keys);
    this.keyboard.fill(this.find(".wb-help dl"));
    for (const button of this.root.querySelectorAll("button[data-do]")) {
      const hint = this.keyboard.hint(button.dataset.do);
      if (!hint) continue;
      const shown = button.querySelector("kbd");
      if (shown) shown.textContent = hint.split(" or ")[0];
      button.title = [button.getAttribute("aria-label"), hint].filter(Boolean).join(": ");
    }
  },

  showTransport() {
    const { player } = this;
    this.find(".wb-play").textContent = player.isPlaying ? "Pause" : "Play";
    this.find(".wb-rate").textContent = `${player.rate}×`;
    this.find(".wb-loop").setAttribute("aria-pressed", String(Boolean(player.loop)));
    const isOn = String(this.wave.spectrogram.isOn);
    this.find('[data-do="spectrogram"]').setAttribute("aria-pressed", isOn);
  },

  onFrame(time_s) {
    if (!this.clip) return;
    this.wave.moveTo(time_s);
    this.editor.sound(time_s, this.player.isPlaying);
    const shown = `${preciseClock(time_s)} / ${clock(this.clip.duration_s)}`;
    if (shown !== this.shownClock) this.find(".wb-clock").textContent = this.shownClock = shown;
    if (!this.player.isPlaying) this.onMove();
  },

  say(text, mood = "quiet") {
    clearTimeout(this.laterTimer);
    this.noteUntil = 0;
    const state = this.find(".wb-state");
    state.textContent = text;
    state.dataset.mood = mood;
  },

  // The answer to a key that was pressed: "Saved" waits until it can have been read.
  note(text, mood) {
    this.say(text, mood);
    this.noteUntil = performance.now() + NOTE_MS;
  },

  sayLater(text, mood) {
    clearTimeout(this.laterTimer);
    const wait = (this.noteUntil ?? 0) - performance.now();
    if (wait <= 0) this.say(text, mood);
    else this.laterTimer = setTimeout(() => this.say(text, mood), wait);
  },

  showBanner(problem) {
    this.find(".wb-banner").hidden = !problem;
    if (!problem) return;
    this.find(".wb-banner-text").textContent = `${problem.message} ${problem.suggestion}`;
    this.find('[data-do="copy"]').hidden = !this.clip;
    this.fitHeight();
  },

  // The clip that was asked for cannot be worked on; one that is already here keeps its text.
  showProblem(problem) {
    if (this.clip && this.clip.id !== problem.clip_id) this.empty();
    if (!this.clip) this.find(".wb-name").textContent = "This clip is not free";
    if (this.pendingVerdict) {
      this.cancelVerdict();
      this.say("Not saved — kept in this browser.", "bad");
    }
    this.showBanner(problem);
  },

  // Streamlit tells components its colours as variables and not when they change.
  paintTheme() {
    const paper = getComputedStyle(this.section).getPropertyValue("--st-background-color").trim();
    if (paper === this.paper) return;
    this.paper = paper;
    const paint = document.createElement("canvas").getContext("2d");
    paint.fillStyle = paper || "#ffffff";
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(paint.fillStyle.slice(at, at + 2), 16));
    this.section.dataset.theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
    this.wave.draw();
  },

  // The rows scroll and everything else stays in view: the desk is as high as the window allows.
  fitHeight() {
    const scroller = this.root.host?.closest('[data-testid="stMain"]');
    const top = this.section.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    this.section.style.height = this.clip ? `${Math.max(430, window.innerHeight - top - 14)}px` : "";
  },
});

const desks = new WeakMap();

export default function reviewDesk({ parentElement, data, setTriggerValue }) {
  if (!desks.has(parentElement)) desks.set(parentElement, new Desk(parentElement));
  desks.get(parentElement).receive(data, setTriggerValue);
  // Streamlit also runs this after a newer call took over, while the desk is still on the page.
  return () => setTimeout(() => {
    if (parentElement.host?.isConnected) return;
    desks.get(parentElement)?.destroy();
    desks.delete(parentElement);
  }, 0);
}
