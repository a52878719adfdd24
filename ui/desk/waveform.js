// The waveform: peaks from the server, segments shaded by expected error, a playhead that moves
// without repainting, zoom for long clips.

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
    this.segments = [];
    this.duration_s = 1;
    this.view = [0, 1];
    this.time_s = 0;
    this.loop = null;
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(box);
    box.addEventListener("pointerdown", (event) => this.drag(event));
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  load(clip) {
    this.peaks = decodePeaks(clip.peaks);
    this.segments = clip.segments;
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
    if (!event.ctrlKey && !event.metaKey) return;
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

  get isZoomed() {
    return this.view[1] - this.view[0] < this.duration_s - 0.001;
  }

  moveTo(time_s) {
    this.time_s = time_s;
    const span = this.view[1] - this.view[0];
    if (this.isZoomed && (time_s < this.view[0] || time_s > this.view[1])) {
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
    this.drawSegments(paint, style, toX, width, height);
    this.drawPeaks(paint, style, width, height);
    this.moveTo(this.time_s);
  }

  drawSegments(paint, style, toX, width, height) {
    paint.fillStyle = style.getPropertyValue("--wb-doubt");
    for (const segment of this.segments) {
      const [x0, x1] = [toX(segment.start_s), toX(segment.end_s)];
      if (x1 < 0 || x0 > width) continue;
      paint.globalAlpha = 0.05 + 0.4 * segment.doubt;
      paint.fillRect(x0, 0, Math.max(1, x1 - x0 - 1), height);
      paint.globalAlpha = 0.25 + 0.75 * segment.doubt;
      paint.fillRect(x0, height - 3, Math.max(1, x1 - x0 - 1), 3);
    }
    paint.globalAlpha = 1;
    if (!this.loop) return;
    paint.strokeStyle = style.getPropertyValue("--wb-now");
    paint.lineWidth = 2;
    const x = toX(this.loop.start_s);
    paint.strokeRect(x + 1, 1, Math.max(2, toX(this.loop.end_s) - x - 2), height - 2);
  }

  drawPeaks(paint, style, width, height) {
    const bins = this.peaks.length / 2;
    if (!bins) return;
    paint.fillStyle = style.getPropertyValue("--wb-wave");
    const middle = (height - 3) / 2;
    const perPixel = (this.view[1] - this.view[0]) / width / this.duration_s * bins;
    const first = (this.view[0] / this.duration_s) * bins;
    for (let x = 0; x < width; x += 1) {
      const from = clamp(Math.floor(first + x * perPixel), 0, bins - 1);
      const to = clamp(Math.ceil(first + (x + 1) * perPixel), from + 1, bins);
      let [low, high] = [127, -127];
      for (let bin = from; bin < to; bin += 1) {
        low = Math.min(low, this.peaks[2 * bin]);
        high = Math.max(high, this.peaks[2 * bin + 1]);
      }
      const top = middle - (high / 127) * middle;
      paint.fillRect(x, top, 1, Math.max(1, middle - (low / 127) * middle - top));
    }
  }

  destroy() {
    this.observer.disconnect();
  }
}
