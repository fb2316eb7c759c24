// The board says so when it has not been refreshed for two minutes: an old name on a wall looks like a new one.
const stale = document.getElementById("stale");
if (stale) {
  let last = Date.now();
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.raw?.status ?? event.detail?.ctx?.response?.status;
    if (status === 200 || status === 304) last = Date.now();
  });
  setInterval(() => {
    stale.hidden = Date.now() - last < 120_000;
  }, 5_000);
}

// The month by keyboard: arrows between seats, letters to a doctor, undo and redo. Everything here is a link or a form
// that works without it.
const seats = [...document.querySelectorAll("a.seat")];
if (seats.length > 0) {
  const panel = document.getElementById("panel");
  const days = [...new Set(seats.map((seat) => seat.dataset.day))].map(Number);
  const of = (day) => seats.filter((seat) => Number(seat.dataset.day) === day);
  const go = (seat) => seat?.focus();

  const move = (seat, key) => {
    const day = Number(seat.dataset.day);
    const own = of(day);
    const line = own.indexOf(seat);
    const other = (step, at) => {
      const there = of(day + step);
      if (there.length === 0) return undefined;
      return there[Math.min(at < 0 ? there.length + at : at, there.length - 1)];
    };
    if (key === "ArrowLeft") return other(-1, line);
    if (key === "ArrowRight") return other(1, line);
    if (key === "ArrowDown") return own[line + 1] ?? other(7, 0);
    if (key === "ArrowUp") return own[line - 1] ?? other(-7, -1);
    if (key === "Home") return of(days[0])[0];
    return of(days.at(-1))[0];
  };

  // What a keyboard says for a row of the syllabary, where it has two ways.
  const rows = { j: "z", f: "h", c: "t" };
  const letter = (list, key, from) => {
    const start = list.indexOf(from) + 1;
    const turned = [...list.slice(start), ...list.slice(0, start)];
    return turned.find((one) => one.dataset.letter === key || one.dataset.letter === rows[key]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea")) return;
    const meta = event.ctrlKey || event.metaKey;
    if (meta && !event.altKey && ["z", "y"].includes(event.key.toLowerCase())) {
      const redo = event.key.toLowerCase() === "y" || event.shiftKey;
      const form = document.querySelector(`form[data-key="${redo ? "redo" : "undo"}"]`);
      if (form && !form.querySelector("button").disabled) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (meta || event.altKey) return;
    const seat = event.target.closest("a.seat");
    const candidate = event.target.closest("button.candidate");
    if (seat && ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
      const next = move(seat, event.key);
      event.preventDefault();
      go(next);
    } else if (seat && seat.getAttribute("aria-current") && ["Delete", "Backspace"].includes(event.key)) {
      const form = panel?.querySelector('form[data-key="clear"]');
      if (form) {
        event.preventDefault();
        form.requestSubmit();
      }
    } else if (panel && (candidate || panel.contains(event.target)) && event.key === "Escape") {
      go(document.getElementById(panel.dataset.place));
    } else if (candidate && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      const list = [...panel.querySelectorAll("button.candidate")];
      event.preventDefault();
      go(list[list.indexOf(candidate) + (event.key === "ArrowDown" ? 1 : -1)]);
    } else if (/^\p{L}$/u.test(event.key) && (seat || panel?.contains(event.target))) {
      const key = event.key.toLowerCase();
      const inPanel = panel?.contains(event.target);
      const list = inPanel ? [...panel.querySelectorAll("button.candidate")] : seats;
      const found = letter(list, key, event.target);
      if (found) {
        event.preventDefault();
        go(found);
      }
    }
  });

  // Where the address points to, there the keyboard is.
  const place = document.getElementById(location.hash.slice(1));
  if (place?.matches("a.seat, #panel")) place.focus();
}
