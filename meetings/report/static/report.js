// The page's only script: playing from a time, following, and the dialogs for corrections. It asks nobody but this server,
// makes no HTML of text, and keeps no element for a word.

const by = (id) => document.getElementById(id);
const media = by("media");
const transcript = by("transcript");
const lines = [...document.querySelectorAll("#transcript .line[data-t]")];
const starts = lines.map((line) => Number(line.dataset.t));
const points = [...document.querySelectorAll(".point")]
  .map((point) => ({ point, at: Number(point.dataset.t) }))
  .sort((a, b) => a.at - b.at);
const duration = Number(document.body.dataset.duration);
const followButton = by("follow");
const meeting = new URL(document.body.dataset.meeting, location.href).pathname;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let now = -1; // the number of the line that is being played
let at = -1; // the number of the line that the keyboard is on
let following = true;
let wanted = null; // a time to play from, until the recording is known
let scrolled = 0; // when we scrolled, which is no wish of the reader's

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

// Said to a screen reader after what somebody did, and at no other time: the recording speaks for itself.
const say = (text) => {
  by("aloud").textContent = text;
};

// The last line that begins no later than a time; -1 before the first.
const lineAt = (seconds) => {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

// Lines out of sight have only a guessed height: what is far is gone to at once, and looked for again when heights are known.
const show = (element, tries = 8) => {
  const { top, bottom } = element.getBoundingClientRect();
  const far = calm.matches || bottom < -innerHeight || top > 2 * innerHeight;
  scrolled = performance.now();
  element.scrollIntoView({ block: "center", behavior: far ? "instant" : "smooth" });
  if (far && tries > 0) {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const box = element.getBoundingClientRect();
        const inSight = box.top > 0 && box.bottom < innerHeight;
        if (following && element === lines[now] && !inSight) show(element, tries - 1);
      }),
    );
  }
};

const follow = (on) => {
  following = on;
  followButton.setAttribute("aria-pressed", String(on));
  if (on && now >= 0) show(lines[now]);
};

const mark = (seconds) => {
  by("head").style.setProperty("--at", Math.min(1, Math.max(0, seconds / duration)));
  const next = lineAt(seconds + 0.05);
  if (next === now) return;
  if (now >= 0) lines[now].removeAttribute("aria-current");
  now = next;
  markAround();
  if (now < 0) return;
  lines[now].setAttribute("aria-current", "true");
  if (following) show(lines[now]);
};

const seek = (seconds, { play = null } = {}) => {
  const time = Math.min(duration, Math.max(0, seconds));
  if (!media) return mark(time);
  if (media.readyState === 0) {
    wanted = time;
    media.load();
  } else {
    media.currentTime = time;
  }
  if (play) media.play().catch(() => {});
  mark(time);
};

const fromHash = () => {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
};

// The keyboard's place in the transcript: one stop of the tabulator, arrows go on from there.
const stand = (number, { focus = true } = {}) => {
  const line = lines[number];
  if (!line) return;
  if (at >= 0) lines[at].querySelector(".at").tabIndex = -1;
  else if (lines[0]) lines[0].querySelector(".at").tabIndex = -1;
  at = number;
  const link = line.querySelector(".at");
  link.tabIndex = 0;
  if (focus) {
    scrolled = performance.now();
    link.focus();
  }
};

// A point is checked where it stands: what was said around it opens below it, and the summary stays in sight.

const numbers = new Map(lines.map((line, number) => [line.dataset.u, number]));
const MOST_AROUND = 8; // passages that open below a point; the transcript has the rest

const speakerOf = (number) => {
  let told = number;
  while (told > 0 && !lines[told].classList.contains("told")) told -= 1;
  return lines[told].querySelector(".who")?.textContent ?? "";
};

const markAround = () => {
  for (const told of document.querySelectorAll(".around p[data-n]")) {
    told.classList.toggle("playing", Number(told.dataset.n) === now);
  }
};

const closeAround = () => {
  document.querySelector(".around")?.remove();
  document.querySelector(".point.here")?.classList.remove("here");
};

const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
};

const openAround = (point) => {
  const { top } = point.getBoundingClientRect();
  closeAround();
  // What closes above it does not move what was clicked.
  scrollBy({ top: point.getBoundingClientRect().top - top, behavior: "instant" });
  point.classList.add("here");
  const heard = point.dataset.heard.split(" ").map((id) => numbers.get(id)).filter((n) => n !== undefined);
  if (!heard.length) heard.push(Math.max(0, lineAt(Number(point.dataset.t) + 0.05)));
  const from = Math.max(0, Math.min(...heard) - 1);
  const to = Math.min(lines.length - 1, Math.max(...heard) + 1, from + MOST_AROUND - 1);
  const around = document.createElement("div");
  around.className = "around";
  for (let number = from; number <= to; number += 1) {
    const told = document.createElement("p");
    told.dataset.n = number;
    told.lang = transcript.lang;
    told.classList.toggle("heard", heard.includes(number));
    const who = document.createElement("b");
    who.textContent = `${speakerOf(number)}: `;
    const words = [...lines[number].querySelector("p").childNodes].map((node) => node.cloneNode(true));
    told.append(who, ...words);
    around.append(told);
  }
  const buttons = document.createElement("div");
  buttons.className = "tools";
  buttons.lang = "en";
  buttons.append(button("Read on", readOn), button("Close", () => leaveAround(point)));
  around.append(buttons);
  point.append(around);
  markAround();
  following = false;
  followButton.setAttribute("aria-pressed", "false");
};

const leaveAround = (point) => {
  closeAround();
  media?.pause();
  point.querySelector("a.at").focus();
};

const readOn = () => {
  const point = document.querySelector(".point.here");
  const number = now >= 0 || !point ? now : lineAt(Number(point.dataset.t));
  closeAround();
  stand(Math.max(0, number));
  follow(true);
};

const jump = (step) => {
  if (!points.length) return;
  const here = media ? (wanted ?? media.currentTime) : starts[Math.max(0, now)] ?? 0;
  // Several points may be of one moment: from the one that is open on they go in turn.
  const open = points.findIndex(({ point, at }) => point.classList.contains("here") && Math.abs(at - here) <= 0.5);
  const ahead = step > 0 ? points.find(({ at }) => at > here + 0.5) : points.findLast(({ at }) => at < here - 0.5);
  const found = open < 0 ? ahead : points[open + step];
  if (!found) return say(step > 0 ? "No further point" : "No earlier point");
  openAround(found.point);
  seek(found.at);
  found.point.scrollIntoView({ block: "nearest", behavior: calm.matches ? "instant" : "smooth" });
  say(`${clock(found.at)}: ${found.point.querySelector(".what").textContent}`);
};

const toggle = () => {
  if (!media) return;
  if (media.paused) media.play().catch(() => {});
  else media.pause();
};

if (media) {
  media.addEventListener("loadedmetadata", () => {
    if (wanted !== null) media.currentTime = wanted;
    wanted = null;
  });
  media.addEventListener("timeupdate", () => wanted === null && mark(media.currentTime));
  media.addEventListener("error", () => {
    by("unplayable").hidden = false;
  });
  media.addEventListener("seeked", () => mark(media.currentTime));
}

// Clicks: a time plays from there; so does a line, unless somebody marks its words.
document.addEventListener("click", (event) => {
  const time = event.target.closest("a.at");
  const line = event.target.closest(".line[data-t]");
  const point = event.target.closest(".point");
  if (time) {
    event.preventDefault();
    const seconds = Number((line ?? point).dataset.t);
    history.replaceState(null, "", `${location.search}#t=${Math.floor(seconds)}`);
    if (line) stand(lines.indexOf(line), { focus: false });
    if (line) follow(true);
    else openAround(point);
    seek(seconds, { play: true });
    return;
  }
  if (line && !event.target.closest("details, button, a") && getSelection().isCollapsed) {
    stand(lines.indexOf(line), { focus: false });
    seek(Number(line.dataset.t));
    return;
  }
  const correct = event.target.closest("button.correct");
  if (correct) openSpeaker(correct.dataset.speaker, correct.dataset.name);
  if (event.target.closest("button.cancel")) event.target.closest("dialog").close();
});

by("timeline").addEventListener("click", (event) => {
  const picture = event.target.closest("svg");
  if (!picture) return;
  const marked = event.target.closest("[data-t]");
  const box = picture.getBoundingClientRect();
  seek(marked ? Number(marked.dataset.t) : (duration * (event.clientX - box.left)) / box.width);
});

// Whatever brings the keyboard to a passage, the arrows go on from there.
transcript?.addEventListener("focusin", (event) => {
  const number = lines.indexOf(event.target.closest(".line[data-t]"));
  if (number >= 0 && number !== at) stand(number, { focus: false });
});

followButton.addEventListener("click", () => follow(!following));
by("next")?.addEventListener("click", () => jump(1));
by("previous")?.addEventListener("click", () => jump(-1));
by("keys").addEventListener("click", () => by("help").showModal());

// A menu is one that closes: by Escape, and by what is done elsewhere.
const closeMenus = (but = null) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== but) menu.open = false;
  }
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
addEventListener("keydown", (event) => {
  const elsewhere = event.target.closest("dialog, details.menu, input, textarea");
  const opened = event.key === "Escape" && !elsewhere && document.querySelector(".point.here");
  if (opened) leaveAround(opened);
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Who scrolls wants to read elsewhere.
for (const kind of ["wheel", "touchmove"]) {
  addEventListener(kind, () => following && performance.now() - scrolled > 150 && follow(false), { passive: true });
}

const keys = {
  " ": toggle,
  k: toggle,
  j: () => seek((media?.currentTime ?? 0) - 10),
  l: () => seek((media?.currentTime ?? 0) + 10),
  ArrowLeft: () => seek((media?.currentTime ?? 0) - 5),
  ArrowRight: () => seek((media?.currentTime ?? 0) + 5),
  ArrowDown: () => stand(Math.min(lines.length - 1, (at >= 0 ? at : now) + 1)),
  ArrowUp: () => stand(Math.max(0, (at >= 0 ? at : now) - 1)),
  n: () => jump(1),
  p: () => jump(-1),
  r: readOn,
  f: () => {
    follow(!following);
    say(following ? "Following" : "Not following");
  },
  e: () => openEdit(lines[at >= 0 ? at : now]),
  "?": () => by("help").showModal(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, audio, video")) return;
  // What has a meaning on a button or a link keeps it.
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  if (event.key.startsWith("Arrow") && /Up|Down/.test(event.key) && !event.target.closest("#transcript")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Corrections

const textOf = (line) => line.querySelector("p").textContent;

const openEdit = (line) => {
  const dialog = by("edit");
  if (!dialog || !line || line.querySelector("p > em")) return;
  const form = dialog.querySelector("form");
  form.utterance.value = line.dataset.u;
  form.was.value = textOf(line);
  form.at.value = Math.floor(Number(line.dataset.t));
  form.text.value = textOf(line);
  by("edit-at").textContent = clock(Number(line.dataset.t));
  media?.pause();
  dialog.showModal();
  form.text.focus();
};

let people = null; // who a voice can be, asked for once

const listPeople = async (who) => {
  const read = (answer) => (answer.ok ? answer.json() : null);
  const known = await fetch(`${meeting}/people`, { credentials: "same-origin" }).then(read).catch(() => null);
  if (!known) people = null;
  for (const person of known ?? []) {
    who.add(new Option(`${person.name} (@${person.username})`, `user:${person.username}`), who.querySelector('[value="guest"]'));
  }
};

const openSpeaker = (speaker, name) => {
  const dialog = by("speaker");
  const form = dialog.querySelector("form");
  form.speaker.value = speaker;
  form.who.value = "";
  form.guest.value = "";
  by("speaker-name").textContent = name;
  dialog.showModal();
  people ??= listPeople(form.who);
};

// One button for the line that somebody points at or stands on, instead of thousands.
if (by("edit") && transcript) {
  const change = button("Correct", () => openEdit(change.parentElement));
  change.className = "change";
  change.tabIndex = -1;
  const carry = (event) => {
    const line = event.target.closest?.(".line[data-t]");
    if (line && change.parentElement !== line && !line.querySelector("p > em")) line.append(change);
  };
  transcript.addEventListener("pointerover", carry);
  transcript.addEventListener("focusin", carry);
}

addEventListener("hashchange", () => {
  const time = fromHash();
  if (time !== null) seek(time);
});

// What came of a change is said once, what was refused at an address of its own; the page's keeps whose summary it is.
const asked = new URLSearchParams(location.search);
const shownFor = asked.get("for");
if (location.search || location.pathname !== meeting) {
  history.replaceState(null, "", meeting + (shownFor ? `?for=${encodeURIComponent(shownFor)}` : "") + location.hash);
}

// Summaries that are being made: looked for until they are there.
const waitFor = async () => {
  try {
    const answer = await fetch(`${meeting}/busy`, { credentials: "same-origin" });
    if (answer.ok && !(await answer.json())) return location.reload();
  } catch {
    return; // the command was ended
  }
  setTimeout(waitFor, 1500);
};
if ("busy" in document.body.dataset) setTimeout(waitFor, 1500);

const first = fromHash();
if (first !== null) seek(first);
