// What the reviewer does: typing, judging, moving through the clip.

const LONG_CLIP_ROWS = 200;

Object.assign(Desk.prototype, {
  onChange() {
    this.editor.lastTouch = performance.now();
    this.player.listening.touch();
    this.acceptAnyway = false;
    if (this.pendingVerdict) this.cancelVerdict();
    if (this.editor.rows.length !== this.numRows) {
      this.numRows = this.editor.rows.length;
      this.wave.draw();
    }
    this.isDirty = true;
    const isKept = this.keepTyped();
    this.say(isKept ? "Not saved yet — kept in this browser" : "Not saved yet", "waiting");
    clearTimeout(this.draftTimer);
    this.dirtySince ??= performance.now();
    const waited = performance.now() - this.dirtySince;
    const wait = clamp(DRAFT_AT_MOST_MS - waited, 0, DRAFT_AFTER_MS);
    this.draftTimer = setTimeout(() => this.sendDraft(), wait);
  },

  onMove() {
    this.player.listening.touch();
    clearTimeout(this.keepTimer);
    this.keepTimer = setTimeout(() => this.keep(), 300);
  },

  // An hour of text is too much to write down at every key: three times a second does.
  keepTyped() {
    if (this.editor.rows.length < LONG_CLIP_ROWS) return this.keep();
    this.typedTimer ??= setTimeout(() => {
      this.typedTimer = null;
      this.isKeeping = this.keep();
    }, 300);
    return this.isKeeping ?? true;
  },

  // Keep everything in this browser; false when it refuses.
  keep() {
    if (!this.clip) return true;
    const isTouched = this.isDirty || this.editor.isChanged() || this.editor.layout() !== null;
    return this.store.write(this.clip.id, {
      rows: isTouched ? this.editor.texts() : null,
      layout: this.editor.layout(),
      cursor: this.editor.cursor,
      position_s: Math.round(this.player.time_s * 100) / 100,
      listening: this.player.listening.saved(),
      isSaved: !this.isDirty,
    });
  },

  sendDraft() {
    clearTimeout(this.draftTimer);
    this.dirtySince = null;
    if (!this.clip || !this.isDirty || this.pendingVerdict) return;
    this.outbox.send("draft", {
      clip_id: this.clip.id,
      text: this.editor.texts().join("\n"),
      layout: this.editor.layout(),
      shape: this.editor.shape(),
      position_s: this.player.time_s,
      cursor: this.editor.cursor,
    });
  },

  command(name, clipId = this.clip?.id ?? null, more = {}) {
    this.outbox.send("command", { ...more, name, clip_id: clipId });
  },

  judge(verdict, reason = null, note = "") {
    if (!this.clip || this.pendingVerdict) return;
    clearTimeout(this.draftTimer);
    this.dirtySince = null;
    this.outbox.drop("draft", this.clip.id);
    this.keep();
    const { listening } = this.player;
    this.pendingVerdict = verdict;
    this.editor.setReadOnly(true);
    this.say("Saving…", "waiting");
    this.outbox.send("verdict", {
      clip_id: this.clip.id,
      verdict,
      text: this.editor.texts().join("\n"),
      reject_reason: reason,
      reject_note: note,
      lead_time_s: listening.active_s,
      listened_share: listening.share(this.clip.duration_s),
      replays: listening.replays,
    });
  },

  cancelVerdict() {
    this.outbox.drop("verdict", this.clip.id);
    this.pendingVerdict = null;
    this.editor.setReadOnly(false);
  },

  onSilence(kind) {
    if (kind === "command") return;
    // Typing on is allowed; the first key turns the waiting verdict back into a draft.
    this.editor.setReadOnly(false);
    this.say(OFFLINE, "bad");
  },

  save() {
    this.judge(this.editor.isChanged() ? "correct" : "accept");
  },

  accept() {
    if (this.editor.isChanged() && !this.acceptAnyway) {
      this.acceptAnyway = true;
      this.note(`You changed the text: ${this.keyboard.hint("save")} saves yours, ${this.keyboard.hint("accept")} again accepts the recogniser's.`, "waiting");
      return;
    }
    this.judge("accept");
  },

  skip() {
    if (!this.clip || this.pendingVerdict) return;
    this.sendDraft();
    this.command("skip");
  },

  doubtful(step) {
    const place = this.editor.doubtful(step);
    if (!place) {
      this.note("No doubtful words in this clip.");
      return;
    }
    this.editor.lastTouch = performance.now();
    this.editor.select(place.index, place.word.start, place.word.end);
    this.player.seek(place.word.start_s - 0.4);
    this.player.play();
  },

  // Go to a time with sound and text; whoever works with the waveform wants to see the row.
  jump(time_s) {
    if (!this.clip) return;
    this.editor.lastTouch = 0;
    this.player.seek(time_s);
    this.editor.reveal(this.editor.rows[this.editor.rowAtTime(this.player.time_s)]);
  },

  toggleLoop() {
    const { editor, player } = this;
    if (player.loop || !editor.rows.length) player.loop = null;
    else {
      const isTyping = editor.box.contains(this.root.activeElement);
      const index = isTyping ? editor.current : editor.rowAtTime(player.time_s);
      const { start_s, end_s } = editor.rows[index].segment;
      player.loop = { start_s, end_s: Math.min(end_s, this.clip.duration_s - 0.05) };
      player.seek(start_s);
      player.play();
    }
    this.wave.loop = player.loop;
    this.wave.draw();
    this.showTransport();
  },

  async copy() {
    await navigator.clipboard.writeText(this.editor.texts().join("\n"));
    this.note("Copied.");
  },

  again() {
    if (this.clip && this.isDirty) this.sendDraft();
    this.command("open", this.clip?.id ?? this.data.problem?.clip_id ?? null);
  },

  do(name) {
    const actions = {
      play: () => this.player.toggle(),
      back: () => this.player.seek(this.player.time_s - 2),
      forward: () => this.player.seek(this.player.time_s + 2),
      slower: () => this.changeRate(-1),
      faster: () => this.changeRate(1),
      doubtful: () => this.doubtful(1),
      doubtfulBack: () => this.doubtful(-1),
      loop: () => this.toggleLoop(),
      save: () => this.save(),
      accept: () => this.accept(),
      reject: () => this.toggleReject(),
      escalate: () => this.toggleEscalate(),
      split: () => this.cut(this.editor.split(), "Put the caret between two words to split there."),
      merge: () => this.cut(this.editor.merge(), "This is the last segment."),
      find: () => this.toggleFind(),
      marks: () => this.cycleMarks(),
      glossary: () => this.fromGlossary(),
      rewrite: () => this.toggleRewrite(),
      takeOther: () => this.takeOther(),
      nextOther: () => this.nextOther(),
      showOther: () => this.toggleOther(),
      spectrogram: () => this.toggleSpectrogram(),
      closeBars: () => this.closeBars(true),
      skip: () => this.skip(),
      undo: () => this.editor.undo(),
      redo: () => this.editor.redo(),
      help: () => this.find(".wb-help").showModal(),
      zoomIn: () => this.wave.zoom(0.5),
      zoomOut: () => this.wave.zoom(2),
      reopen: () => this.command("reopen"),
      again: () => this.again(),
      next: () => this.command("next"),
      copy: () => this.copy(),
      queue: () => this.command("queue"),
    };
    const needsNoClip = ["help", "reopen", "again", "next", "queue"];
    if (this.clip || needsNoClip.includes(name)) actions[name]();
    this.player.listening.touch();
  },

  cut(isDone, why) {
    if (!isDone) this.note(why);
  },

  cycleMarks() {
    const choice = this.find(".wb-threshold");
    choice.selectedIndex = (choice.selectedIndex + 1) % choice.options.length;
    choice.dispatchEvent(new Event("change"));
    this.note(`Underlined: ${choice.selectedOptions[0].textContent}`);
  },

  toggleSpectrogram() {
    const { spectrogram } = this.wave;
    spectrogram.isOn = this.prefs.spectrogram = !spectrogram.isOn;
    this.writePrefs();
    this.showTransport();
    this.wave.draw();
  },

  changeRate(step) {
    this.player.faster(step);
    this.prefs.rate = this.player.rate;
    this.writePrefs();
  },
});
