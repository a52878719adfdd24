// The waveform: peaks from the server, segments shaded by expected error, a playhead that moves
// without repainting, zoom and scroll for long clips, and finer peaks for what is looked at closely.

// A segment longer than this says little by one colour: its words are coloured.
const LONG_SEGMENT_S = 8;
const FINE_BINS = 4000;

function decodePeaks(base64) {
  const binary = atob(base64);
  const peaks = new Int8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) peaks[i] = binary.charCodeAt(i);
  return peaks;
}

class Waveform {
  constructor(box, canvas, playhead, { onSeek }) {
    Object.assign(this, { box, canvas, playhead, onSeek });
    this.peaks = new Int8Array(0);
    this.rows = [];
    this.duration_s = 1;
    this.view = [0, 1];
    this.time_s = 0;
    this.loop = null;
    this.fine = null;
    this.spectrogram = new Spectrogram(() => this.draw());
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(box);
    box.addEventListener("pointerdown", (event) => this.drag(event));
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  // rows: the segments as they are cut on the desk
  load(clip, rows) {
    this.rows = rows;
    this.url = clip.peaks_url;
    this.fine = null;
    this.spectrogram.load(clip);
    this.peaks = decodePeaks(clip.peaks);
    this.duration_s = Math.max(0.001, clip.duration_s);
    this.view = [0, this.duration_s];
    this.loop = null;
    this.time_s = 0;
    this.draw();
  }

  timeAt(clientX) {
    const { left, width } = this.box.getBoundingClientRect();
    const share = clamp((clientX - left) / Math.max(1, width), 0, 1);
    return this.view[0] + share * (this.view[1] - this.view[0]);
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    this.onSeek(this.timeAt(event.clientX));
    const move = (moved) => this.onSeek(this.timeAt(moved.clientX));
    const stop = () => {
      this.box.removeEventListener("pointermove", move);
      this.box.removeEventListener("pointerup", stop);
      this.box.removeEventListener("pointercancel", stop);
    };
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerup", stop);
    this.box.addEventListener("pointercancel", stop);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) {
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (!this.isZoomed || !sideways) return;
      event.preventDefault();
      this.scroll((sideways / this.box.clientWidth) * (this.view[1] - this.view[0]));
      return;
    }
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.timeAt(event.clientX));
  }

  // Scale the visible span around a time; 1 second is the closest look.
  zoom(factor, around_s = this.time_s) {
    const span = clamp((this.view[1] - this.view[0]) * factor, Math.min(1, this.duration_s),
      this.duration_s);
    const share = (around_s - this.view[0]) / (this.view[1] - this.view[0]);
    const start = clamp(around_s - clamp(share, 0, 1) * span, 0, this.duration_s - span);
    this.view = [start, start + span];
    this.draw();
  }

  // Move the visible span; the playhead stays where the sound is.
  scroll(seconds) {
    const span = this.view[1] - this.view[0];
    const start = clamp(this.view[0] + seconds, 0, this.duration_s - span);
    this.view = [start, start + span];
    this.scrolledAt = performance.now();
    this.draw();
  }

  get isZoomed() {
    return this.view[1] - this.view[0] < this.duration_s - 0.001;
  }

  moveTo(time_s) {
    this.time_s = time_s;
    const span = this.view[1] - this.view[0];
    // Whoever looks elsewhere is not dragged back at once.
    const isLooking = performance.now() - (this.scrolledAt ?? -Infinity) < 4000;
    if (this.isZoomed && !isLooking && (time_s < this.view[0] || time_s > this.view[1])) {
      const start = clamp(time_s - span * 0.1, 0, this.duration_s - span);
      this.view = [start, start + span];
      this.draw();
    }
    const share = (time_s - this.view[0]) / (this.view[1] - this.view[0]);
    this.playhead.style.transform = `translateX(${share * this.box.clientWidth}px)`;
    this.box.setAttribute("aria-valuenow", time_s.toFixed(1));
    this.box.setAttribute("aria-valuetext", `${clock(time_s)} of ${clock(this.duration_s)}`);
  }

  draw() {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const paint = this.canvas.getContext("2d");
    paint.scale(ratio, ratio);
    const style = getComputedStyle(this.box);
    const toX = (time_s) => ((time_s - this.view[0]) / (this.view[1] - this.view[0])) * width;
    const isDark = this.box.closest(".wb")?.dataset.theme === "dark";
    const hasPicture = this.spectrogram.draw(paint, this.view, width, height, isDark);
    this.drawSegments(paint, style, toX, width, height, hasPicture);
    if (!hasPicture) this.drawPeaks(paint, style, width, height);
    this.moveTo(this.time_s);
    this.sharpen(width);
  }

  drawSegments(paint, style, toX, width, height, isThin) {
    paint.fillStyle = style.getPropertyValue("--wb-doubt");
    const shade = (start_s, end_s, doubt, gap) => {
      const [x0, x1] = [toX(start_s), toX(end_s)];
      if (x1 < 0 || x0 > width) return;
      if (!isThin) {
        paint.globalAlpha = 0.04 + 0.41 * doubt;
        paint.fillRect(x0, 0, Math.max(1, x1 - x0 - gap), height);
      }
      paint.globalAlpha = 0.2 + 0.8 * doubt;
      paint.fillRect(x0, height - 3, Math.max(1, x1 - x0 - gap), 3);
    };
    for (const { segment, words } of this.rows) {
      if (segment.end_s < this.view[0] || segment.start_s > this.view[1]) continue;
      if (segment.end_s - segment.start_s <= LONG_SEGMENT_S) {
        shade(segment.start_s, segment.end_s, segment.doubt, 1);
        continue;
      }
      for (const word of words) {
        if (word.p !== null) shade(word.start_s, word.end_s, word.p, 0);
      }
    }
    paint.globalAlpha = 1;
    if (!this.loop) return;
    paint.strokeStyle = style.getPropertyValue("--wb-now");
    paint.lineWidth = 2;
    const x = toX(this.loop.start_s);
    paint.strokeRect(x + 1, 1, Math.max(2, toX(this.loop.end_s) - x - 2), height - 2);
  }

  drawPeaks(paint, style, width, height) {
    const [from, to] = this.view;
    const isFine = this.fine && this.fine.from <= from && this.fine.to >= to;
    const source = isFine ? this.fine : { from: 0, to: this.duration_s, peaks: this.peaks };
    const bins = source.peaks.length / 2;
    if (!bins) return;
    paint.fillStyle = style.getPropertyValue("--wb-wave");
    const middle = (height - 3) / 2;
    const perSecond = bins / (source.to - source.from);
    const perPixel = ((to - from) / width) * perSecond;
    const first = (from - source.from) * perSecond;
    for (let x = 0; x < width; x += 1) {
      const begin = clamp(Math.floor(first + x * perPixel), 0, bins - 1);
      const end = clamp(Math.ceil(first + (x + 1) * perPixel), begin + 1, bins);
      let [low, high] = [127, -127];
      for (let bin = begin; bin < end; bin += 1) {
        low = Math.min(low, source.peaks[2 * bin]);
        high = Math.max(high, source.peaks[2 * bin + 1]);
      }
      const top = middle - (high / 127) * middle;
      paint.fillRect(x, top, 1, Math.max(1, middle - (low / 127) * middle - top));
    }
  }

  // Fetch finer peaks when the ones that are here are coarser than the pixels.
  sharpen(width) {
    const [from, to] = this.view;
    const coarse = (this.peaks.length / 2) * ((to - from) / this.duration_s);
    const isFine = this.fine && this.fine.from <= from && this.fine.to >= to &&
      ((this.fine.peaks.length / 2) * (to - from)) / (this.fine.to - this.fine.from) >= width * 0.7;
    clearTimeout(this.sharpenTimer);
    if (!this.url || coarse >= width || isFine) return;
    this.sharpenTimer = setTimeout(() => this.fetchPeaks(from, to), 120);
  }

  async fetchPeaks(from, to) {
    const { url } = this;
    const span = to - from;
    const [start, end] = [Math.max(0, from - span), Math.min(this.duration_s, to + span)];
    try {
      const response = await fetch(`${url}?start=${start}&end=${end}&bins=${FINE_BINS}`);
      if (!response.ok || url !== this.url) return;
      const peaks = new Int8Array(await response.arrayBuffer());
      if (url !== this.url) return;
      const isSharper = peaks.length / 2 / (end - start) > this.peaks.length / 2 / this.duration_s;
      // What the server has no finer peaks of is not asked for again.
      if (!isSharper) this.url = "";
      else this.fine = { from: start, to: end, peaks };
      if (isSharper) this.draw();
    } catch {
      // The server is away: the coarse waveform stays.
    }
  }

  destroy() {
    clearTimeout(this.sharpenTimer);
    this.observer.disconnect();
  }
}
