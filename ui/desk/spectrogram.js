// The spectrogram: pictures of fifteen seconds each from the server, fetched when they come into view
// and kept by the browser. From further away than two minutes there is nothing to see in one.

const TILE_S = 15;
const MAX_VIEW_S = 120;
const MAX_TILES = 40;

class Spectrogram {
  constructor(onLoad) {
    this.onLoad = onLoad;
    this.isOn = false;
    this.tiles = new Map();
    this.url = "";
  }

  load(clip) {
    this.url = `/api/v1/clips/${clip.id}/spectrogram`;
    this.tiles = new Map();
  }

  tile(index) {
    let image = this.tiles.get(index);
    if (!image) {
      image = new Image();
      image.addEventListener("load", this.onLoad);
      image.src = `${this.url}?tile=${index}`;
      this.tiles.set(index, image);
      if (this.tiles.size > MAX_TILES) this.tiles.delete(this.tiles.keys().next().value);
    }
    return image;
  }

  // True when there was something to draw.
  draw(paint, [from, to], width, height, isDark) {
    if (!this.isOn || to - from > MAX_VIEW_S) return false;
    const scale = width / (to - from);
    paint.save();
    // The pictures are ink on paper; a dark page turns them over.
    paint.filter = isDark ? "invert(1)" : "none";
    for (let index = Math.floor(from / TILE_S); index * TILE_S < to; index += 1) {
      const image = this.tile(index);
      if (!image.complete || !image.naturalWidth) continue;
      // One column is a hundredth of a second.
      const seconds = image.naturalWidth / 100;
      paint.drawImage(image, (index * TILE_S - from) * scale, 0, seconds * scale, height);
    }
    paint.restore();
    return true;
  }
}
