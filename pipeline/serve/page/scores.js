// What the models say, side by side.

import { MODALITIES, NAMES, clock, make, percent, signed } from "./dom.js";

const NEUTRAL = 1 / 12; // of the range of labels, around 0

function word(value, [low, high]) {
  if (Math.abs(value) < NEUTRAL * (high - low)) return "neutral";
  return value > 0 ? "positive" : "negative";
}

/** Show the answers to a question; `before` are those that they are compared with. */
export function showScores(place, about, scores, before, clip) {
  place.replaceChildren(...scores.map((score, i) => card(about.models[i], score, was(before, i, clip), clip)));
}

/** What a model said before: of the video, and of the clip that is explained now. */
function was(before, model, clip) {
  if (!before) return { answer: null, score: null, contributions: null };
  const score = before.scores[model];
  return { score, answer: score.clips[clip], contributions: before.clip === clip ? score.contributions : null };
}

function card(model, score, before, clip) {
  const one = score.clips.length === 1;
  const answer = score.clips[clip];
  const value = one ? answer.prediction : score.prediction;
  const was = (one ? before.answer : before.score)?.prediction ?? null;
  const card = make("article", { class: "card" }, make("h3", {}, model.name));
  if (value === null) {
    card.append(make("p", { class: "big" }, "no score"), make("p", { class: "hint" }, "Nothing is left that this model could read."));
    return card;
  }
  const moved = differs(value, was);
  card.append(
    make(
      "p",
      { class: "big", "data-score": value.toFixed(4) },
      signed(value),
      " ",
      make("small", {}, word(value, model.label_range)),
    ),
    scale(model, value, one ? answer : null, moved ? was : null),
  );
  const told = [];
  if (moved) told.push(`moved by ${signed(value - was)} from ${signed(was)}`);
  if (!one && score.spread !== null) told.push(`mean over ${score.clips.length} utterances, weighted by duration; spread ${score.spread.toFixed(2)}`);
  if (one && answer.low !== null && model.interval_level) told.push(`${percent(model.interval_level)} interval ${signed(answer.low)} … ${signed(answer.high)}, confidence ${answer.confidence.toFixed(2)}`);
  if (answer.w !== null) {
    const from = differs(answer.w, before.answer?.w ?? null) ? ` from ${before.answer.w.toFixed(2)}` : "";
    told.push(`w, how complete it takes the words to be: ${answer.w.toFixed(2)}${from}`);
  }
  else if (model.w_withheld) told.push(model.w_withheld);
  card.append(make("ul", { class: "told" }, ...told.map((text) => make("li", {}, text))));
  card.append(shares(model, answer, score.contributions, before.contributions, one ? "" : ` (utterance ${clip + 1})`));
  return card;
}

/** Whether a value has moved as far as its two digits show. */
const differs = (value, was) => was !== null && Math.abs(value - was) >= 0.005;

function scale(model, value, answer, was) {
  const [low, high] = model.label_range;
  const place = (x) => `${(100 * (Math.min(Math.max(x, low), high) - low)) / (high - low)}%`;
  const bar = make("div", { class: "scale", role: "img", "aria-label": `${signed(value)} on a scale from ${low} to ${high}` });
  const put = (kind, from, to = null) => {
    const mark = make("span", { class: kind });
    mark.style.left = place(from);
    if (to !== null) mark.style.width = `calc(${place(to)} - ${place(from)})`;
    bar.append(mark);
  };
  put("zero", 0);
  if (answer && answer.low !== null) put("interval", answer.low, answer.high);
  if (was !== null) put("was", was);
  put("value", value);
  return make("div", {}, bar, make("div", { class: "ends hint" }, make("span", {}, String(low)), make("span", {}, `+${high}`)));
}

function shares(model, answer, contributions, before, whose) {
  const [low, high] = model.label_range;
  const rows = MODALITIES.map((m) => {
    const moved = contributions ? contributions.modalities[m] : null;
    const bar = make("span", { class: "bar" });
    if (moved !== null) {
      const part = make("span", { class: moved < 0 ? "minus" : "plus" });
      const wide = Math.min(50, (100 * Math.abs(moved)) / (high - low));
      part.style.width = `${wide}%`;
      part.style.left = moved < 0 ? `${50 - wide}%` : "50%";
      bar.append(part);
    }
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, NAMES[m]),
      make("td", {}, percent(answer.observed[m])),
      make("td", { class: "wide" }, bar),
      make("td", { class: "number" }, moved === null ? "" : signed(moved), from(moved, before?.modalities[m] ?? null)),
    );
  });
  return make(
    "table",
    { class: "shares" },
    make("caption", { class: "unseen" }, `Observed and contributed${whose}`),
    make(
      "thead",
      {},
      make("tr", {}, make("th", { scope: "col" }, ""), make("th", { scope: "col" }, "read"), make("th", { scope: "col", colspan: "2" }, `moved the score by${whose}`)),
    ),
    make("tbody", {}, ...rows),
  );
}

const from = (moved, was) => (moved !== null && differs(moved, was) ? make("small", {}, `from ${signed(was)}`) : null);

/** Say what a model did not read, as it reads so much of a clip at most. */
export function unread(score, found) {
  if (!score) return [];
  const told = [];
  for (const answer of score.clips) {
    for (const [m, end] of Object.entries(answer.read_s)) {
      told.push(`${score.model} reads only the first ${end === null ? "part" : clock(end)} of the ${NAMES[m]}${found.clips.length > 1 ? ` of what begins at ${clock(answer.start_s)}` : ""}.`);
    }
  }
  return told.slice(0, 6);
}
