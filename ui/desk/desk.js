// The desk: one clip at a time, its sound, waveform, text, keys and drafts. Playing, moving and
// editing stay in this browser; only drafts, verdicts and commands reach Python.

const DRAFT_AFTER_MS = 800;
const DRAFT_AT_MOST_MS = 2000;
const NOTE_MS = 4000;
const OFFLINE = "Not saved yet — kept in this browser. The server does not answer; trying again.";

const timeOfDay = (moment) => moment.toTimeString().slice(0, 8);

class Desk {
  constructor(root) {
    this.root = root;
    const mount = root.querySelector(".wb-mount");
    mount.innerHTML = HTML;
    mount.append(Object.assign(document.createElement("style"), { textContent: CSS }));
    this.find = (name) => root.querySelector(name);
    this.section = this.find(".wb");
    this.clip = null;
    this.pendingVerdict = null;
    this.prefs = this.readPrefs();
    this.outbox = new Outbox({ onSilence: (kind) => this.onSilence(kind) });
    this.player = new Player(this.find("audio"), {
      onFrame: (time_s) => this.onFrame(time_s),
      onState: () => this.showTransport(),
      onError: () => this.say("The sound of this clip cannot be played. Skip it and tell the lead.", "bad"),
    });
    this.wave = new Waveform(this.find(".wb-wave"), this.find("canvas"), this.find(".wb-playhead"), {
      onSeek: (time_s) => this.jump(time_s),
    });
    this.editor = new Editor(this.find(".wb-rows"), {
      onChange: () => this.onChange(),
      onWord: (_row, word) => { this.player.seek(word.start_s); this.player.play(); },
      onMove: () => this.onMove(),
    });
    this.player.rate = this.prefs.rate ?? 1;
    this.editor.threshold = this.prefs.threshold ?? 0.5;
    this.find(".wb-threshold").value = String(this.editor.threshold);
    this.wave.spectrogram.isOn = Boolean(this.prefs.spectrogram);
    this.guard = new KeyboardGuard(this.editor, root);
    this.listen();
    this.show();
    this.showTransport();
  }

  // ---- what the page sends -------------------------------------------------------------------

  receive(data, post) {
    this.outbox.post = post;
    if (!this.store || this.reviewer !== data.reviewer) {
      this.reviewer = data.reviewer;
      this.store = new BrowserStore(data.reviewer);
      document.cookie = `werkbench_reviewer=${encodeURIComponent(data.reviewer)}; path=/; max-age=31536000; SameSite=Lax`;
    }
    this.data = data;
    this.showKeys(data.keys);
    for (const reply of data.replies) this.onReply(reply);
    if (data.problem) this.showProblem(data.problem);
    else if (data.clip_id === null) this.empty();
    else if (data.clip && this.isNew(data.clip)) this.load(data);
    else if (data.clip_id !== this.clip?.id) this.command("resend");
    else if (data.clip) this.showBanner(null);
    this.showQueue();
  }

  // Another clip, or the same with another transcript than the one on the desk.
  isNew(clip) {
    const shape = (of) => JSON.stringify(of.segments.map(({ text, words }) => [text, words]));
    return clip.id !== this.clip?.id || shape(clip) !== shape(this.clip);
  }

  load(data) {
    if (this.clip && this.isDirty) {
      this.keep();
      this.sendDraft();
    }
    const { clip } = data;
    const kept = this.store.read(clip.id);
    this.clip = clip;
    this.isDirty = false;
    this.dirtySince = null;
    this.pendingVerdict = null;
    this.acceptAnyway = false;
    // What was typed here and never answered wins over what the server has.
    const useKept = kept?.rows && (!kept.isSaved || !data.draft);
    const source = useKept ? kept : data.draft;
    const position_s = kept?.position_s ?? data.draft?.position_s ?? 0;
    const start = data.autoplay && !source ? 0 : position_s;
    this.player.load(clip.audio_url, clip.duration_s, { listening: kept?.listening, position_s: start });
    this.editor.opinion = data.opinion?.words ?? [];
    clip.opinion_by = data.opinion?.engine;
    this.editor.load(clip, this.sides(clip, source));
    this.wave.load(clip, this.editor.rows);
    this.find(".wb-wave").setAttribute("aria-valuemax", clip.duration_s.toFixed(1));
    this.show();
    this.closeBars();
    this.showBanner(null);
    this.editor.cursor = kept?.cursor ?? data.draft?.cursor ?? 0;
    this.say(source ? "Your draft is back." : "");
    if (useKept && !kept.isSaved) {
      this.isDirty = true;
      this.sendDraft();
    } else if (data.draft?.saved_at) this.say(`Saved ${timeOfDay(new Date(data.draft.saved_at))}`, "good");
    this.onFrame(start);
    if (data.autoplay) this.player.play().then((isPlaying) => {
      if (!isPlaying && this.clip === clip) this.say("Press Esc to play.");
    });
  }

  // What each row begins with, whatever was kept: nothing typed may fall between two shapes.
  sides(clip, source) {
    const rows = (source?.rows ?? clip.rows).map(oneLine);
    const isCut = source?.layout?.length && source.layout.length === rows.length;
    const segments = isCut ? segmentsAlong(clip, source.layout) : clip.segments;
    const { length } = segments;
    if (rows.length > length) rows.push(rows.splice(length - 1).join(" "));
    return segments.map((segment, index) => ({ segment, text: rows[index] ?? "" }));
  }

  empty() {
    this.player.unload();
    this.clip = null;
    this.isDirty = false;
    this.editor.load({ segments: [] }, []);
    this.closeBars();
    this.show();
    this.showBanner(null);
    this.say("");
  }

  onReply(reply) {
    const message = this.outbox.settle(reply);
    if (!message) return;
    const isHere = message.clip_id === this.clip?.id;
    if (reply.kind === "verdict") this.onVerdictReply(reply, message, isHere);
    else if (reply.kind === "command" && !reply.is_ok) this.showBanner(reply);
    else if (reply.kind === "draft" && isHere) this.onDraftReply(reply, message);
    else if (reply.kind === "draft" && reply.is_ok) {
      const kept = this.store.read(message.clip_id);
      if (kept) this.store.write(message.clip_id, { ...kept, isSaved: true });
    }
  }

  onDraftReply(reply, message) {
    if (this.pendingVerdict) return;
    if (!reply.is_ok) {
      this.say(`Not saved yet — kept in this browser. ${reply.message}`, "bad");
      this.showBanner(reply);
      clearTimeout(this.draftTimer);
      this.draftTimer = setTimeout(() => this.sendDraft(), 10_000);
      return;
    }
    if (message.text !== this.editor.texts().join("\n") || message.shape !== this.editor.shape()) return;
    this.isDirty = false;
    this.keep();
    this.sayLater(`Saved ${timeOfDay(new Date())}`, "good");
  }

  onVerdictReply(reply, message, isHere) {
    if (reply.is_ok) {
      this.store.remove(message.clip_id);
      if (isHere) this.isDirty = false;
      return;
    }
    if (!isHere) return;
    this.pendingVerdict = null;
    this.editor.setReadOnly(false);
    this.isDirty = true;
    this.keep();
    this.say(`Not saved — kept in this browser. ${reply.message}`, "bad");
    this.showBanner(reply);
  }

  // ---- listening to the browser --------------------------------------------------------------

  listen() {
    this.leaving = new AbortController();
    const options = { signal: this.leaving.signal };
    const capture = { ...options, capture: true };
    document.addEventListener("keydown", (event) => this.onKey(event), capture);
    // Letters typed here are text; Streamlit's own one-letter shortcuts must not see them.
    for (const type of ["keydown", "keypress", "keyup"]) {
      this.root.addEventListener(type, (event) => event.stopPropagation(), options);
    }
    this.root.addEventListener("click", (event) => {
      const name = event.target.closest?.("[data-do]")?.dataset.do;
      if (name) this.do(name);
    }, options);
    this.root.addEventListener("focusout", () => { if (this.isDirty) this.sendDraft(); }, options);
    const leave = () => { this.keep(); this.sendDraft(); };
    window.addEventListener("pagehide", leave, options);
    window.addEventListener("resize", () => this.fitHeight(), options);
    document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); }, options);
    document.addEventListener("pointerdown", () => this.player.listening.touch(), capture);
    this.find(".wb-threshold").addEventListener("change", (event) => {
      this.prefs.threshold = Number(event.target.value);
      this.editor.setThreshold(this.prefs.threshold);
      this.writePrefs();
    }, options);
    this.find(".wb-rows").addEventListener("mousemove", (event) => this.hover(event), options);
    this.find(".wb-rows").addEventListener("mouseleave", () => this.closeTip(), options);
    this.find(".wb-wave").addEventListener("keydown", (event) => this.onWaveKey(event), options);
    this.ticks = 0;
    this.clockTimer = setInterval(() => this.tick(), 1000);
  }

  onKey(event) {
    if (!["Alt", "Shift", "Control"].includes(event.key)) this.closeTip();
    if (this.guard.take(event)) return;
    const target = event.composedPath()[0];
    const isOurs = this.root.contains(target);
    const isText = target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
    if (this.find("dialog[open]") || (isText && !isOurs)) return;
    if (!this.find(".wb-bar").hidden && this.onBarKey(event)) return;
    const isHelp = event.key === "?" && !(isText && isOurs);
    const action = isHelp ? { name: "help" } : this.keyboard?.find(event);
    if (!action || (action.isText && !this.editor.box.contains(target))) return;
    event.preventDefault();
    event.stopPropagation();
    this.do(action.name);
  }

  onWaveKey(event) {
    const steps = { ArrowLeft: -2, ArrowRight: 2, PageDown: 10, PageUp: -10 };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "-") this.wave.zoom(event.key === "+" ? 0.5 : 2);
    else if (event.key in steps) this.jump(this.player.time_s + steps[event.key]);
    else if (event.key === "Home") this.jump(0);
    else if (event.key === "End") this.jump(this.clip?.duration_s ?? 0);
    else return;
    event.preventDefault();
  }

  tick() {
    if (!this.root.host?.isConnected) return;
    this.ticks += 1;
    this.paintTheme();
    if (!this.clip) return;
    this.player.listening.tick(this.player.isPlaying);
    if (this.player.isPlaying && this.ticks % 5 === 0) this.keep();
    const isWorking = performance.now() - this.player.listening.lastActivity < IDLE_AFTER_MS;
    if (this.ticks % this.data.renew_s === 0 && (isWorking || this.player.isPlaying)) {
      this.command("renew");
    }
  }

  readPrefs() {
    try {
      return JSON.parse(localStorage.getItem("werkbench.desk")) ?? {};
    } catch {
      return {};
    }
  }

  writePrefs() {
    try {
      localStorage.setItem("werkbench.desk", JSON.stringify(this.prefs));
    } catch {
      // A browser that keeps nothing simply starts with the usual speed again.
    }
  }

  destroy() {
    this.leaving.abort();
    clearInterval(this.clockTimer);
    clearTimeout(this.draftTimer);
    clearTimeout(this.keepTimer);
    clearTimeout(this.typedTimer);
    this.player.unload();
    this.wave.destroy();
    this.guard.destroy();
    this.outbox.destroy();
  }
}
