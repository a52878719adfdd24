// The player, and what it knows about listening: which stretches were really played, how often
// the reviewer went back over something already heard, and how long they worked.

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const IDLE_AFTER_MS = 60_000;

class Listening {
  constructor(saved) {
    this.ranges = (saved?.ranges ?? []).map(([from, to]) => [from, to]);
    this.replays = saved?.replays ?? 0;
    this.active_s = saved?.active_s ?? 0;
    this.last_s = null;
    this.lastActivity = performance.now();
  }

  // Called while playing; a jump larger than a frame's worth of sound starts a new stretch.
  hear(time_s, rate) {
    const step = this.last_s === null ? -1 : time_s - this.last_s;
    if (step > 0 && step < 1.0 * Math.max(1, rate)) this.add(this.last_s, time_s);
    this.last_s = time_s;
  }

  pause() {
    this.last_s = null;
  }

  add(from, to) {
    const merged = [];
    for (const [a, b] of this.ranges) {
      if (b < from - 0.05 || a > to + 0.05) merged.push([a, b]);
      else [from, to] = [Math.min(a, from), Math.max(b, to)];
    }
    merged.push([from, to]);
    this.ranges = merged.sort((x, y) => x[0] - y[0]);
  }

  hasHeard(time_s) {
    return this.ranges.some(([from, to]) => time_s >= from && time_s < to - 0.3);
  }

  share(duration_s) {
    const heard = this.ranges.reduce((sum, [from, to]) => sum + (to - from), 0);
    // The last few milliseconds never show up as a position.
    return duration_s > 0 ? clamp((heard + 0.15) / duration_s, 0, 1) * (heard > 0 ? 1 : 0) : 0;
  }

  touch() {
    this.lastActivity = performance.now();
  }

  // One second passed: it counts unless the page is hidden or nobody has done anything for long.
  tick(isPlaying) {
    const isIdle = performance.now() - this.lastActivity > IDLE_AFTER_MS;
    if (isPlaying || (!document.hidden && !isIdle)) this.active_s += 1;
  }

  saved() {
    const round = (value) => Math.round(value * 100) / 100;
    return {
      ranges: this.ranges.map(([from, to]) => [round(from), round(to)]),
      replays: this.replays,
      active_s: this.active_s,
    };
  }
}

class Player {
  constructor(audio, { onFrame, onState, onError }) {
    this.audio = audio;
    this.onFrame = onFrame;
    this.listening = new Listening();
    this.loop = null;
    this.wanted_s = null;
    this.duration_s = 0;
    audio.preservesPitch = true;
    audio.addEventListener("play", () => { onState(); this.frame(); });
    audio.addEventListener("pause", () => { this.listening.pause(); onState(); });
    audio.addEventListener("ended", () => { this.listening.pause(); onState(); });
    audio.addEventListener("ratechange", onState);
    audio.addEventListener("seeked", () => onFrame(this.time_s));
    audio.addEventListener("error", () => { if (audio.getAttribute("src")) onError(); });
    audio.addEventListener("loadedmetadata", () => {
      if (this.wanted_s !== null) audio.currentTime = this.wanted_s;
      this.wanted_s = null;
      onFrame(this.time_s);
    });
    // A hidden tab has no frames; timeupdate keeps listening honest there.
    audio.addEventListener("timeupdate", () => { if (document.hidden) this.advance(); });
  }

  load(url, duration_s, { listening, position_s = 0 } = {}) {
    this.audio.pause();
    this.loop = null;
    this.duration_s = duration_s;
    this.listening = new Listening(listening);
    this.wanted_s = position_s > 0 && position_s < duration_s - 0.2 ? position_s : null;
    const rate = this.audio.playbackRate;
    this.audio.src = url;
    this.audio.preload = "auto";
    this.audio.defaultPlaybackRate = rate;
    this.audio.load();
    this.audio.playbackRate = rate;
  }

  unload() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  get isPlaying() {
    return !this.audio.paused && !this.audio.ended;
  }

  get time_s() {
    return this.wanted_s ?? this.audio.currentTime;
  }

  play() {
    if (this.audio.ended) this.audio.currentTime = this.loop?.start_s ?? 0;
    return this.audio.play().then(() => true, () => false);
  }

  toggle() {
    if (this.isPlaying) this.audio.pause();
    else this.play();
  }

  seek(time_s) {
    const target = clamp(time_s, 0, Math.max(0, this.duration_s - 0.02));
    if (target < this.time_s - 0.1 && this.listening.hasHeard(target)) this.listening.replays += 1;
    this.listening.pause();
    if (this.audio.readyState === 0) this.wanted_s = target;
    else this.audio.currentTime = target;
    this.onFrame(target);
  }

  get rate() {
    return this.audio.playbackRate;
  }

  set rate(value) {
    this.audio.playbackRate = value;
    this.audio.defaultPlaybackRate = value;
  }

  faster(step) {
    const nearest = SPEEDS.reduce((best, speed, index) =>
      Math.abs(speed - this.rate) < Math.abs(SPEEDS[best] - this.rate) ? index : best, 0);
    this.rate = SPEEDS[clamp(nearest + step, 0, SPEEDS.length - 1)];
  }

  advance() {
    const time_s = this.audio.currentTime;
    this.listening.hear(time_s, this.rate);
    if (this.loop && time_s >= this.loop.end_s) this.seek(this.loop.start_s);
    this.onFrame(time_s);
  }

  frame() {
    if (!this.isPlaying) return;
    this.advance();
    requestAnimationFrame(() => this.frame());
  }
}
