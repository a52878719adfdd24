// Nothing typed is lost: what is on screen is kept in this browser at once, and every message to
// the server is repeated until the server has answered it by its id.

const DRAFT_PREFIX = "werkbench.draft.";
const KEEP_MS = 30 * 24 * 3600 * 1000;
const RETRY_MS = 3000;

class BrowserStore {
  constructor(reviewer) {
    this.prefix = `${DRAFT_PREFIX}${reviewer}.`;
    this.sweep();
  }

  read(clipId) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + clipId));
    } catch {
      return null;
    }
  }

  // False when the browser refuses (private window, full): the desk then says so.
  write(clipId, value) {
    try {
      localStorage.setItem(this.prefix + clipId, JSON.stringify({ ...value, at: Date.now() }));
      return true;
    } catch {
      return false;
    }
  }

  remove(clipId) {
    try {
      localStorage.removeItem(this.prefix + clipId);
    } catch {
      // Nothing was kept, so there is nothing to remove.
    }
  }

  // Only what the server already has is thrown away, and only after a month.
  sweep() {
    try {
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(DRAFT_PREFIX)) continue;
        const { at, isSaved } = JSON.parse(localStorage.getItem(key)) ?? {};
        if (isSaved && Date.now() - at > KEEP_MS) localStorage.removeItem(key);
      }
    } catch {
      // A store that cannot be read needs no sweeping.
    }
  }
}

class Outbox {
  constructor({ onSilence }) {
    this.post = () => {};
    this.pending = new Map();
    this.onSilence = onSilence;
    this.count = 0;
    this.timer = setInterval(() => this.repeat(), 500);
  }

  // A newer message of the same kind about the same clip replaces an unanswered one.
  send(kind, payload) {
    const id = `${Date.now().toString(36)}-${(this.count += 1)}-${Math.random().toString(36).slice(2, 8)}`;
    const message = { ...payload, id };
    this.pending.set(`${kind} ${payload.clip_id}`, { kind, message, at: performance.now() });
    this.deliver(kind, message);
    return id;
  }

  deliver(kind, message) {
    try {
      this.post(kind, message);
    } catch {
      // Not connected just now; the message stays pending and is repeated.
    }
  }

  repeat() {
    for (const entry of this.pending.values()) {
      if (performance.now() - entry.at < RETRY_MS) continue;
      entry.at = performance.now();
      this.onSilence(entry.kind, entry.message);
      this.deliver(entry.kind, { ...entry.message, is_repeat: true });
    }
  }

  drop(kind, clipId) {
    this.pending.delete(`${kind} ${clipId}`);
  }

  find(kind, clipId) {
    return this.pending.get(`${kind} ${clipId}`)?.message ?? null;
  }

  // The message that this reply answers, or null when it was answered before.
  settle(reply) {
    for (const [name, entry] of this.pending) {
      if (entry.message.id !== reply.id) continue;
      this.pending.delete(name);
      return entry.message;
    }
    return null;
  }

  destroy() {
    clearInterval(this.timer);
  }
}
