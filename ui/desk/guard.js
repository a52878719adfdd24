// When the server goes away, Streamlit opens a dialog over the page that takes the keyboard: what
// is typed then would be gone. The desk says itself that the server is away, so it closes that
// dialog, gives the caret back, and writes down by hand what was typed in between.

class KeyboardGuard {
  constructor(editor, root) {
    this.editor = editor;
    this.root = root;
    this.robbed = null;
    this.observer = new MutationObserver(() => this.look());
    this.observer.observe(document.body, { childList: true, subtree: false });
    this.last = null;
    root.addEventListener("focusin", ({ target }) => { this.last = target; });
  }

  look() {
    const dialog = document.querySelector('[data-testid="stDialog"]');
    if (!dialog || !dialog.textContent.includes("Connection error")) return;
    this.robbed = this.last?.isConnected && this.last.matches(".wb-text") ? this.last : null;
    dialog.querySelector('button[aria-label="Close"]')?.click();
    this.giveBack(performance.now() + 3000);
  }

  giveBack(until) {
    if (!this.robbed) return;
    this.robbed.focus({ preventScroll: true });
    const isBack = this.root.activeElement === this.robbed &&
      !document.querySelector('[data-testid="stDialog"]');
    if (isBack || performance.now() > until) this.robbed = null;
    else requestAnimationFrame(() => this.giveBack(until));
  }

  // True when the key was a letter that nothing else would have written down.
  take(event) {
    if (!this.robbed || this.root.activeElement === this.robbed) return false;
    if (event.key.length !== 1 || event.ctrlKey || event.altKey || event.metaKey) return false;
    event.preventDefault();
    event.stopPropagation();
    this.editor.insert(this.robbed, event.key);
    return true;
  }

  destroy() {
    this.observer.disconnect();
  }
}
