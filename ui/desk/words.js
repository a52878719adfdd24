// Words of one row and where they sound. An anchor is a word of the hypothesis that nobody has
// touched: it keeps its time and its error probability through every edit around it. Everything
// between anchors is what the reviewer typed; it gets the time that lies between its neighbours.

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

function preciseClock(seconds) {
  return `${clock(seconds)}.${Math.floor((Math.max(0, seconds) * 10) % 10)}`;
}

// Rows are one line each: a pasted line break becomes a space.
const oneLine = (text) => text.replace(/[\r\n\u2028\u2029]+/g, " ");

// Find the engine's words in the segment's text, in order.
function locate(text, words) {
  const anchors = [];
  let from = 0;
  for (const [word, start_s, end_s, p] of words) {
    const token = oneLine(word).trim();
    const at = token ? text.indexOf(token, from) : -1;
    if (at < 0) continue;
    from = at + token.length;
    anchors.push({ start: at, end: from, start_s, end_s, p });
  }
  return anchors;
}

// What changed between two texts, given where the caret stands afterwards.
function difference(before, after, caret) {
  const longestSuffix = Math.min(before.length, after.length, after.length - caret);
  let suffix = 0;
  while (
    suffix < longestSuffix &&
    before[before.length - 1 - suffix] === after[after.length - 1 - suffix]
  ) suffix += 1;
  const longestPrefix = Math.min(before.length, after.length) - suffix;
  let prefix = 0;
  while (prefix < longestPrefix && before[prefix] === after[prefix]) prefix += 1;
  return {
    at: prefix,
    removed: before.length - suffix - prefix,
    inserted: after.slice(prefix, after.length - suffix),
  };
}

// Anchors after an edit: those before it stay, those behind it move, those it touches are gone.
function shiftAnchors(anchors, { at, removed, inserted }) {
  const delta = inserted.length - removed;
  const growsLeft = inserted !== "" && !/^\s/.test(inserted);
  const growsRight = inserted !== "" && !/\s$/.test(inserted);
  const kept = [];
  for (const anchor of anchors) {
    const isBefore = anchor.end < at || (anchor.end === at && !growsLeft);
    const isBehind =
      anchor.start > at + removed || (anchor.start === at + removed && !growsRight);
    if (isBefore) kept.push(anchor);
    else if (isBehind) {
      kept.push({ ...anchor, start: anchor.start + delta, end: anchor.end + delta });
    }
  }
  return kept;
}

// Re-attach anchors to a text that came back from a draft: the longest common run of tokens.
function reattach(original, anchors, text) {
  if (original === text) return anchors.map((anchor) => ({ ...anchor }));
  const spaced = anchors.length < 2 || /\s/.test(original.trim());
  const pattern = spaced ? /\S+/gu : /\S/gu;
  const tokens = (value) =>
    Array.from(value.matchAll(pattern), (m) => ({ text: m[0], start: m.index }));
  const [a, b] = [tokens(original), tokens(text)];
  const pairs = commonTokens(a, b);
  const moved = [];
  for (const anchor of anchors) {
    const inside = a.flatMap((token, index) =>
      token.start >= anchor.start && token.start < anchor.end ? [index] : [],
    );
    const places = inside.map((index) => pairs.get(index));
    if (!places.length || places.some((place) => place === undefined)) continue;
    const start = b[places[0]].start;
    const end = start + (anchor.end - anchor.start);
    if (text.slice(start, end) !== original.slice(anchor.start, anchor.end)) continue;
    moved.push({ ...anchor, start, end });
  }
  return moved;
}

function commonTokens(a, b) {
  const pairs = new Map();
  let head = 0;
  while (head < a.length && head < b.length && a[head].text === b[head].text) {
    pairs.set(head, head);
    head += 1;
  }
  let tail = 0;
  while (
    tail < a.length - head && tail < b.length - head &&
    a[a.length - 1 - tail].text === b[b.length - 1 - tail].text
  ) {
    pairs.set(a.length - 1 - tail, b.length - 1 - tail);
    tail += 1;
  }
  const [n, m] = [a.length - head - tail, b.length - head - tail];
  if (n * m === 0 || n * m > 4e6) return pairs;
  const width = m + 1;
  const best = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let j = m - 1; j >= 0; j -= 1) {
      best[i * width + j] = a[head + i].text === b[head + j].text
        ? best[(i + 1) * width + j + 1] + 1
        : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (a[head + i].text === b[head + j].text) pairs.set(head + i++, head + j++);
    else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

// Every word of a row in order: anchors as they are, typed words timed between their neighbours.
function wordsOf(text, anchors, start_s, end_s) {
  const words = [];
  const gap = (from, to, gapStart, gapEnd) => {
    const typed = typedWords(text.slice(from, to));
    const length = typed.reduce((sum, word) => sum + word.text.length, 0);
    const perCharacter = length ? Math.max(0, gapEnd - gapStart) / length : 0;
    let at = gapStart;
    for (const word of typed) {
      const next = at + word.text.length * perCharacter;
      const start = from + word.index;
      words.push({
        start, end: start + word.text.length, start_s: at, end_s: next, p: null,
      });
      at = next;
    }
  };
  let [position, time] = [0, start_s];
  for (const anchor of anchors) {
    gap(position, anchor.start, time, anchor.start_s);
    words.push(anchor);
    [position, time] = [anchor.end, anchor.end_s];
  }
  gap(position, text.length, time, Math.max(time, end_s));
  return words;
}

// Scripts that are written without blanks: there a word ends where a dictionary says so.
const DENSE = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

// The words that somebody typed: {text, index}.
function typedWords(text) {
  const found = Array.from(text.matchAll(/\S+/gu), (match) => ({ text: match[0], index: match.index }));
  return found.flatMap((word) => {
    if (!DENSE.test(word.text)) return [word];
    return Array.from(segmenter.segment(word.text), ({ segment, index }) =>
      ({ text: segment, index: word.index + index }));
  });
}

// What stands between two texts that are put together.
const glue = (before, after) =>
  !before || !after || (DENSE.test(before.at(-1)) && DENSE.test(after[0])) ? "" : " ";

// The clip's words along other spans than the engine's: a word goes where its middle lies.
function segmentsAlong(clip, layout) {
  const words = clip.segments.flatMap((segment) => segment.words);
  const isDense = clip.segments.some(({ text }) => DENSE.test(text));
  return layout.map(([start_s, end_s], index) => {
    const [from, to] = [index ? start_s : -1, index < layout.length - 1 ? end_s : Infinity];
    const own = words.filter(([, a, b]) => (a + b) / 2 >= from && (a + b) / 2 < to);
    const text = own.map(([word]) => oneLine(word).trim()).join(isDense ? "" : " ");
    return { start_s, end_s, text, words: own, doubt: doubtOf(own.map(([, , , p]) => ({ p }))) };
  });
}

// The mean error probability of words, as far as it is known.
function doubtOf(words) {
  const known = words.filter(({ p }) => p !== null && p !== undefined);
  return known.length ? known.reduce((sum, { p }) => sum + p, 0) / known.length : 0;
}

// Index of the last word that has begun at this time, or -1.
function wordAtTime(words, time_s) {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start_s <= time_s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
