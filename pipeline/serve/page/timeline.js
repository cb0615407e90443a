// The timeline: what was observed of each modality, what it contributed, and where the video is.

import { $, MODALITIES, NAMES, clock, draw, make, signed } from "./dom.js";

const LEFT = 52; // of the bands, for their names
const BAND = 46; // height of one
const NAMED = 16; // of the line of words above their band
const GAP = 6;
const AXIS = 20;

/** A timeline in an element; `go` is called with a time, `choose` with a stretch or null. */
export function timeline(place, { go, choose, toggle }) {
  let data = null;
  let time = 0;
  let stretch = null; // chosen: [from, to]
  let cursor = null;
  const svg = draw("svg", { role: "slider", tabindex: "0", "aria-label": "Time in the video", "aria-describedby": "timeline-help" });
  place.replaceChildren(svg);
  new ResizeObserver(() => render()).observe(place);

  const width = () => Math.max(240, place.clientWidth);
  const x = (t) => LEFT + ((width() - LEFT - 4) * t) / data.duration_s;
  const at = (event) => {
    const inside = event.clientX - svg.getBoundingClientRect().left - LEFT;
    return Math.min(data.duration_s, Math.max(0, (inside * data.duration_s) / (width() - LEFT - 4)));
  };

  function render() {
    if (!data) return;
    const tracks = [];
    let y = 2;
    if (data.clips.length > 1) {
      tracks.push(scoreTrack(y));
      y += BAND + GAP;
    }
    for (const m of MODALITIES) {
      if (m === "text") {
        tracks.push(words(y));
        y += NAMED;
      }
      tracks.push(band(m, y));
      y += BAND + GAP;
    }
    tracks.push(axis(y));
    if (stretch) {
      tracks.push(draw("rect", { class: "stretch", x: x(stretch[0]), y: 0, width: Math.max(1, x(stretch[1]) - x(stretch[0])), height: y }));
    }
    cursor = draw("line", { class: "cursor", y1: 0, y2: y });
    svg.replaceChildren(patterns(), ...tracks, cursor);
    svg.setAttribute("width", width());
    svg.setAttribute("height", y + AXIS);
    svg.setAttribute("aria-valuemin", "0");
    svg.setAttribute("aria-valuemax", data.duration_s.toFixed(1));
    point();
  }

  function point() {
    if (!cursor) return;
    const place = x(Math.min(time, data.duration_s));
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    svg.setAttribute("aria-valuenow", time.toFixed(1));
    svg.setAttribute("aria-valuetext", clock(time) + (stretch ? `, ${clock(stretch[0])} to ${clock(stretch[1])} chosen` : ""));
  }

  function band(m, y) {
    const group = draw("g", { class: `band ${m}` });
    group.append(draw("text", { x: 0, y: y + BAND / 2 + 4 }, NAMES[m]));
    group.append(draw("rect", { class: "ground", x: LEFT, y, width: width() - LEFT - 4, height: BAND, rx: 3 }));
    for (const part of data.bands[m]) {
      const wide = Math.max(0.5, x(part.end_s) - x(part.start_s));
      group.append(
        draw("rect", { class: part.what, x: x(part.start_s), y: y + BAND - 8, width: wide, height: 8 }, draw("title", {}, `${NAMES[m]}: ${part.what.replace("_", " ")}, ${clock(part.start_s)} to ${clock(part.end_s)}`)),
      );
      if (part.what === "left_out") group.append(draw("rect", { class: "veil", x: x(part.start_s), y, width: wide, height: BAND - 8 }));
    }
    const parts = data.contributions ? (m === "text" ? data.contributions.words : data.contributions[m]) : [];
    const most = data.most || 1;
    const middle = y + (BAND - 8) / 2;
    for (const part of parts) {
      if (part.start_s === null || !part.observed) continue;
      const high = Math.min(1, Math.abs(part.contribution) / most) * ((BAND - 10) / 2);
      group.append(
        draw(
          "rect",
          { class: part.contribution < 0 ? "minus" : "plus", x: x(part.start_s) + 0.5, width: Math.max(1, x(part.end_s) - x(part.start_s) - 1), y: part.contribution < 0 ? middle : middle - high, height: Math.max(0.6, high) },
          draw("title", {}, `${part.text || NAMES[m]}, ${clock(part.start_s)}: moved the score by ${signed(part.contribution)}`),
        ),
      );
    }
    group.append(draw("line", { class: "middle", x1: LEFT, x2: width() - 4, y1: middle, y2: middle }));
    return group;
  }

  function words(y) {
    const group = draw("g", {});
    let free = 0;
    for (const clip of data.clips) {
      for (const word of clip.words) {
        if (word.start_s === null) continue;
        const from = x(word.start_s);
        const room = 6.4 * word.word.length;
        if (from < free || from + room > width()) continue; // there is no room for it
        group.append(draw("text", { class: "word", x: from, y: y + 12 }, word.word));
        free = from + room + 4;
      }
    }
    return group;
  }

  function scoreTrack(y) {
    const group = draw("g", { class: "band score" }, draw("text", { x: 0, y: y + BAND / 2 + 4 }, "score"));
    const [low, high] = data.range;
    const level = (value) => y + BAND - ((value - low) / (high - low)) * BAND;
    group.append(draw("rect", { class: "ground", x: LEFT, y, width: width() - LEFT - 4, height: BAND, rx: 3 }));
    group.append(draw("line", { class: "middle", x1: LEFT, x2: width() - 4, y1: level(0), y2: level(0) }));
    for (const answer of data.answers ?? []) {
      if (answer.prediction === null) continue;
      const top = Math.min(level(answer.prediction), level(0));
      group.append(
        draw(
          "rect",
          { class: answer.prediction < 0 ? "minus" : "plus", x: x(answer.start_s), width: Math.max(1, x(answer.end_s) - x(answer.start_s) - 1), y: top, height: Math.max(1, Math.abs(level(answer.prediction) - level(0))) },
          draw("title", {}, `${clock(answer.start_s)} to ${clock(answer.end_s)}: ${signed(answer.prediction)}`),
        ),
      );
    }
    return group;
  }

  function axis(y) {
    const group = draw("g", { class: "axis" });
    const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
    const step = steps.find((s) => x(s) - x(0) >= 48) ?? 600;
    for (let t = 0; t <= data.duration_s + 1e-6; t += step) {
      if (x(t) > width() - 12) break;
      group.append(draw("line", { x1: x(t), x2: x(t), y1: y - 3, y2: y + 2 }), draw("text", { x: x(t), y: y + 14 }, clock(t)));
    }
    return group;
  }

  let pressed = null;
  svg.addEventListener("pointerdown", (event) => {
    if (!data) return;
    pressed = at(event);
    svg.setPointerCapture(event.pointerId);
    svg.focus();
  });
  svg.addEventListener("pointermove", (event) => {
    if (pressed === null || Math.abs(at(event) - pressed) < data.duration_s / 100) return;
    select(Math.min(pressed, at(event)), Math.max(pressed, at(event)));
  });
  svg.addEventListener("pointerup", (event) => {
    if (pressed === null) return;
    if (Math.abs(at(event) - pressed) < data.duration_s / 100) {
      select(null);
      go(at(event));
    }
    pressed = null;
  });
  svg.addEventListener("keydown", (event) => {
    if (!data) return;
    const step = event.ctrlKey ? 5 : 0.5;
    const way = { ArrowLeft: -step, ArrowRight: step, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === " ") toggle();
    else if (event.key === "Escape") select(null);
    else if (way === undefined) return;
    else {
      const to = Math.min(data.duration_s, Math.max(0, time + way));
      if (event.shiftKey) {
        const anchor = stretch ? (Math.abs(time - stretch[0]) < Math.abs(time - stretch[1]) ? stretch[1] : stretch[0]) : time;
        select(Math.min(anchor, to), Math.max(anchor, to));
      }
      go(to);
    }
    event.preventDefault();
  });

  function select(from, to) {
    stretch = from === null || to - from < 0.05 ? null : [Math.round(from * 10) / 10, Math.round(to * 10) / 10];
    render();
    choose(stretch);
  }

  return {
    show: (shown) => {
      data = shown;
      render();
    },
    clear: () => select(null),
    move: (to) => {
      time = to;
      if (data) point();
    },
  };
}

function patterns() {
  const hatch = draw("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("line", { class: "hatch", x1: 0, x2: 0, y1: 0, y2: 5 }));
  return draw("defs", {}, hatch);
}

/** What the colours mean. */
export function showLegend() {
  $("legend").replaceChildren(
    ...[
      ["observed", "observed"], ["missing", "missing"], ["left_out", "left out by you"],
      ["plus", "moved the score up"], ["minus", "moved it down"],
    ].map(([kind, text]) => make("li", {}, make("span", { class: `key ${kind}`, "aria-hidden": "true" }), text)),
  );
}
