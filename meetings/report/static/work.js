// Keeps the page of the work as it stands: asks this server every few seconds while somebody looks, and changes what changed.
// It makes no HTML of text, so what people called their calls stays text.

const EVERY = 4000; // milliseconds between two questions
const LONGEST = 60000; // and while nobody answers
const by = (id) => document.getElementById(id);
const board = by("board");
const pause = by("pause");

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const rowOf = (row) => {
  const name = row.link
    ? make("a", { href: row.link, rel: "noreferrer" }, row.title)
    : make("span", {}, row.title);
  const state = row.state ? [" ", make("span", { class: "state" }, row.state)] : [];
  const bars = row.bars.map(({ name, far, said }) =>
    make(
      "p",
      { class: "bar" },
      make("span", {}, name),
      ...(far === null ? [] : [make("progress", { max: "100", value: String(far), "aria-label": name })]),
      make("span", { class: "said-of" }, said),
    ),
  );
  const again = () =>
    make(
      "form",
      { method: "post", action: "work/retry" },
      make("input", { type: "hidden", name: "form", value: board.dataset.form }),
      make("input", { type: "hidden", name: "post", value: row.again }),
      make("button", { "aria-label": `Try again: ${row.title}` }, "Try again"),
    );
  return make(
    "li",
    { class: "job", "data-key": row.key },
    make("p", { class: "name" }, name, ...state),
    ...row.lines.map((line) => make("p", { class: "line-of" }, line)),
    ...bars,
    ...(row.again ? [again()] : []),
  );
};

const sectionOf = ({ key, title, rows, more }) =>
  make(
    "section",
    { "data-key": key, "aria-labelledby": `part-${key}` },
    make("h2", { id: `part-${key}` }, title),
    make("ul", {}, ...rows.map(rowOf)),
    ...(more ? [make("p", { class: "more" }, `and ${more} more`)] : []),
  );

const sections = ({ sections }) =>
  sections.length
    ? sections.map(sectionOf)
    : [make("p", { class: "none", "data-key": "none" }, "Nothing waits, and nothing is being worked on.")];

// Makes what is there like what is new, element by element: what somebody is at, by keyboard or by screen reader, stays.
const alike = (old, now) =>
  old?.nodeName === now.nodeName && old.dataset?.key === now.dataset?.key && old.className === now.className;

const become = (old, now) => {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  fill(old, [...now.childNodes]);
};

const fill = (parent, wanted) => {
  const keys = new Set(wanted.map((now) => now.dataset?.key).filter(Boolean));
  // What goes is taken out first: moving what stays would take the keyboard's place from it.
  for (const child of [...parent.children]) if (child.dataset.key && !keys.has(child.dataset.key)) child.remove();
  const keyed = new Map([...parent.children].filter((c) => c.dataset.key).map((c) => [c.dataset.key, c]));
  let place = parent.firstChild;
  for (const now of wanted) {
    const same = now.dataset?.key ? keyed.get(now.dataset.key) : place;
    if (same && alike(same, now)) {
      become(same, now);
      if (same === place) place = place.nextSibling;
      else parent.insertBefore(same, place);
    } else {
      parent.insertBefore(now, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
};

// What is worth a word to a screen reader: what began, failed or went; not how far something is.
const standing = (told) =>
  new Map(
    told.sections
      .filter(({ key }) => ["work", "failed", "waiting"].includes(key))
      .flatMap(({ key, rows }) => rows.map((row) => [row.key, { kind: key, title: row.title }])),
  );
const WORDS = { work: "is being worked on", failed: "failed", waiting: "waits" };
let before = null;

const announce = (told) => {
  const now = standing(told);
  if (before !== null && !told.trouble) {
    const news = [...now].filter(([key, { kind }]) => before.get(key)?.kind !== kind);
    const words = news.map(([, { kind, title }]) => `${title} ${WORDS[kind]}`);
    for (const [key, { title }] of before) if (!now.has(key)) words.push(`${title} is done or gone`);
    if (words.length) by("aloud").textContent = words.length > 3 ? `${words.length} changes` : words.join(". ");
  }
  if (!told.trouble) before = now;
};

const notice = (text) => {
  const element = by("trouble");
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.toggle("empty", !text);
};

const show = (told) => {
  const at = document.activeElement;
  fill(board, sections(told));
  if (at !== document.activeElement && at?.isConnected) at.focus();
  notice(told.trouble);
  by("asof").textContent = `As of ${new Date(told.at * 1000).toLocaleTimeString()}`;
  announce(told);
};

let waits = EVERY;
let timer = null;
let asking = false;
const stopped = () => document.hidden || pause.getAttribute("aria-pressed") === "true";

const later = () => {
  clearTimeout(timer);
  timer = stopped() ? null : setTimeout(ask, waits);
};

const ask = async () => {
  if (asking || stopped()) return;
  asking = true;
  try {
    const answer = await fetch("work.json", { cache: "no-store", headers: { Accept: "application/json" } });
    if (answer.status === 404) {
      // Signed out, or no longer who may see this: the server says what is to be seen now.
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    waits = EVERY;
  } catch {
    waits = Math.min(LONGEST, waits * 2);
    notice(`The server does not answer just now; it is asked again in ${waits / 1000} s.`);
  } finally {
    asking = false;
    later();
  }
};

document.addEventListener("visibilitychange", () => (document.hidden ? later() : ask()));
pause.hidden = false;
pause.addEventListener("click", () => {
  const on = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(on));
  if (on) later();
  else ask();
});
// Line ends of the page's source are no part of the list.
for (const node of [...board.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
ask();
