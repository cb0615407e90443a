// The words, which can be corrected.

import { clock, make, signed } from "./dom.js";

const BELIEVED = 0.5; // least probability of a word that is not shown in grey

/** Show the words of every clip; `correct` gets those of a clip that a person changed. */
export function showWords(place, found, { chosen, choose, correct, go }) {
  const kept = document.activeElement?.dataset?.word;
  place.replaceChildren(...found.clips.map((clip) => utterance(clip, found, { chosen, choose, correct, go })));
  if (kept) place.querySelector(`[data-word="${kept}"]`)?.focus();
}

function utterance(clip, found, { chosen, choose, correct, go }) {
  const many = found.clips.length > 1;
  const inputs = clip.words.map((word, i) => field(word, `${clip.clip}-${i}`, go));
  const changed = (more = []) =>
    correct(clip.clip, [...inputs.map((input, i) => ({ ...clip.words[i], word: input.value })), ...more]);
  for (const input of inputs) input.addEventListener("change", () => changed());
  const added = make("input", {
    class: "word new", size: "8", placeholder: "add words", "aria-label": "Add words at the end", maxlength: "200",
    onchange: (event) => event.target.value.trim() && changed([{ word: event.target.value, start_s: null, end_s: null, probability: null }]),
  });
  const doubted = clip.doubted.map((word) => ({ from: word.start_s ?? Infinity, element: doubt(word, clip, correct) }));
  const shown = [...inputs.map((element, i) => ({ from: clip.words[i].start_s ?? 0, element })), ...doubted];
  if (doubted.length) shown.sort((a, b) => a.from - b.from);
  const nothing = clip.words.length ? null : make("span", { class: "hint" }, SOURCES[clip.text_source] ?? "");
  return make(
    "div",
    { class: "utterance" + (many && chosen === clip.clip ? " chosen" : "") },
    many
      ? make("button", { type: "button", class: "time", "aria-pressed": String(chosen === clip.clip), onclick: () => { choose(clip.clip); go(clip.start_s); } }, clock(clip.start_s))
      : null,
    make("span", { class: "words" }, nothing, ...shown.map((each) => each.element), added),
    clip.corrected
      ? make("button", { type: "button", onclick: () => correct(clip.clip, null) }, "Back to what was recognised")
      : null,
  );
}

/** A word that was recognised and is not believed; to press it is to believe it. */
function doubt(word, clip, correct) {
  const believed = () =>
    correct(clip.clip, [...clip.words, word].sort((a, b) => (a.start_s ?? Infinity) - (b.start_s ?? Infinity)));
  const said = `${word.word}: recognised and not believed, no model reads it. Press to believe it.`;
  return make("button", { type: "button", class: "doubted", title: said, "aria-label": said, onclick: believed }, word.word);
}

const SOURCES = {
  none: "No words were recognised.",
  unknown: "Nobody listened for words: the recognizer does not know the language, or there is none.",
};

function field(word, name, go) {
  const unsure = word.probability !== null && word.probability < BELIEVED;
  const times = word.start_s === null ? "" : `${clock(word.start_s)} to ${clock(word.end_s)}`;
  const sure = word.probability === null ? "" : `, recognised with a probability of ${word.probability.toFixed(2)}`;
  const input = make("input", {
    class: "word" + (unsure ? " unsure" : ""), value: word.word, size: Math.max(1, word.word.length), maxlength: "200",
    "data-word": name, "aria-label": `Word ${times}`, title: times + sure, spellcheck: "false", autocomplete: "off",
    onfocus: () => word.start_s !== null && go(word.start_s),
    oninput: (event) => (event.target.size = Math.max(1, event.target.value.length)),
    onkeydown: (event) => {
      if (event.key === "Enter") event.target.blur();
      if (event.key === "Escape") event.target.value = word.word;
    },
  });
  if (word.start_s !== null) {
    input.dataset.from = word.start_s;
    input.dataset.to = word.end_s;
  }
  return input;
}

/** Mark what is said at a time. */
export function markWords(place, time) {
  for (const input of place.querySelectorAll("[data-from]")) {
    input.classList.toggle("now", time >= Number(input.dataset.from) && time < Number(input.dataset.to));
  }
}

/** Colour the words of a clip by what they contributed. */
export function colourWords(place, clip, contributions, range) {
  for (const input of place.querySelectorAll("[data-word]")) {
    input.classList.remove("plus", "minus");
    input.style.removeProperty("--strength");
  }
  if (!contributions) return;
  const most = Math.max(0.05 * (range[1] - range[0]), ...contributions.words.map((part) => Math.abs(part.contribution)));
  const inputs = [...place.querySelectorAll(`[data-word^="${clip}-"]`)];
  if (inputs.length !== contributions.words.length) return;
  contributions.words.forEach((part, i) => {
    inputs[i].classList.add(part.contribution < 0 ? "minus" : "plus");
    inputs[i].style.setProperty("--strength", `${Math.round((100 * Math.abs(part.contribution)) / most)}%`);
    const said = inputs[i].title.split("; ")[0];
    inputs[i].title = `${said}; moved the score by ${signed(part.contribution)}`;
  });
}
