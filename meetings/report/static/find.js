// Finds words within a meeting: marks them, counts them, and goes from one to the next. It marks ranges of text and makes no
// elements, so that what others do with a passage's words finds them as they were.

const field = document.getElementById("find-q");
const form = document.getElementById("find");
const count = document.getElementById("find-count");
const followButton = document.getElementById("follow");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const marks = globalThis.CSS?.highlights && globalThis.Highlight;
const MOST = 2000; // places that are marked

let texts = null; // of each passage: its element, and the text in it
let places = []; // what was found: the passage's element, and the range
let here = -1;

const read = () =>
  [...document.querySelectorAll("#transcript .line[data-t] > p")]
    .filter((p) => !p.querySelector("em"))
    .map((p) => ({ p, text: p.textContent }));

const pattern = (words) => {
  const parts = words.trim().split(/\s+/).filter(Boolean);
  return parts.length ? new RegExp(parts.map((w) => w.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("\\s+"), "giu") : null;
};

// A place in an element's text as a range over its text nodes.
const rangeOf = (element, begin, end) => {
  const range = document.createRange();
  const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let [at, begun] = [0, false];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!begun && begin < at + node.length) {
      range.setStart(node, begin - at);
      begun = true;
    }
    if (end <= at + node.length) {
      range.setEnd(node, end - at);
      return range;
    }
    at += node.length;
  }
  return null;
};

const paint = () => {
  form.classList.toggle("active", field.value.trim() !== "");
  for (const button of form.querySelectorAll("button.step")) button.disabled = places.length === 0;
  if (!field.value.trim()) count.textContent = "";
  else if (!places.length) count.textContent = "not found";
  else count.textContent = here < 0 ? `${places.length}` : `${here + 1} of ${places.length}`;
  for (const line of document.querySelectorAll(".line.found-here")) line.classList.remove("found-here");
  places[here]?.p.parentElement.classList.add("found-here");
  if (!marks) return;
  CSS.highlights.set("found", new Highlight(...places.filter((_, n) => n !== here).map(({ range }) => range)));
  CSS.highlights.set("found-here", new Highlight(...places.slice(here, here + 1).map(({ range }) => range)));
};

let waiting = 0; // until nobody types any more; 0 when what is typed was looked for

const find = () => {
  clearTimeout(waiting);
  waiting = 0;
  texts ??= read();
  const wanted = pattern(field.value);
  [places, here] = [[], -1];
  if (wanted) {
    search: for (const { p, text } of texts) {
      for (const match of text.matchAll(wanted)) {
        const range = rangeOf(p, match.index, match.index + match[0].length);
        if (range) places.push({ p, range });
        if (places.length >= MOST) break search;
      }
    }
  }
  if (places.length) go(0);
  else paint();
};

const go = (number) => {
  here = ((number % places.length) + places.length) % places.length;
  // What is read is not to be scrolled away by what is played.
  if (followButton.getAttribute("aria-pressed") === "true") followButton.click();
  paint();
  const { p } = places[here];
  const behavior = calm.matches ? "instant" : "auto";
  p.scrollIntoView({ block: "center", behavior });
  // Passages out of sight have only a guessed height: once they are seen, the place is another.
  requestAnimationFrame(() => requestAnimationFrame(() => p.scrollIntoView({ block: "center", behavior })));
};

const step = (by) => places.length && go(here + by);

const leave = () => {
  const link = places[here]?.p.parentElement.querySelector(".at");
  field.value = "";
  find();
  field.blur();
  link?.focus({ preventScroll: true });
};

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, 120);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    if (waiting) return find();
    step(event.shiftKey ? -1 : 1);
  }
  if (event.key === "Escape") {
    event.preventDefault();
    leave();
  }
});
document.getElementById("find-next").addEventListener("click", () => step(1));
document.getElementById("find-previous").addEventListener("click", () => step(-1));
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  field.focus();
  field.select();
});
form.addEventListener("submit", (event) => {
  if (form.getAttribute("action") === null) event.preventDefault();
});
form.hidden = false;
