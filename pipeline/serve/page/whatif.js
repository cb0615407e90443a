// What models do not get to read: modalities, stretches of time, a share of everything.

import { $, MODALITIES, NAMES, clock, make, percent } from "./dom.js";

/** Switches, slider and stretches; `changed` is called whenever one of them changes. */
export function whatIf(changed) {
  const form = $("without");
  let spans = [];
  const given = MODALITIES.map((m) =>
    make("input", { type: "checkbox", id: `give-${m}`, checked: true, onchange: changed }),
  );
  const rate = make("input", { type: "range", id: "rate", min: "0", max: "1", step: "0.05", value: "0", "aria-describedby": "rate-said" });
  const said = make("output", { id: "rate-said", for: "rate" }, percent(0));
  rate.addEventListener("input", () => {
    said.textContent = percent(rate.value);
    changed();
  });
  const list = make("ul", { class: "spans" });
  const from = make("input", { type: "number", id: "from", min: "0", step: "0.1", value: "0" });
  const to = make("input", { type: "number", id: "to", min: "0", step: "0.1", value: "1" });
  const of = make("select", { id: "of", "aria-label": "Of what" }, make("option", { value: "" }, "everything"), ...MODALITIES.map((m) => make("option", { value: m }, NAMES[m])));
  const add = (span) => {
    spans.push(span);
    show();
    changed();
  };

  function show() {
    list.replaceChildren(
      ...spans.map((span, i) =>
        make(
          "li",
          {},
          `${clock(span.start_s)} to ${clock(span.end_s)}: ${span.modalities ? NAMES[span.modalities[0]] : "everything"} left out `,
          make("button", { type: "button", "aria-label": `Put ${clock(span.start_s)} to ${clock(span.end_s)} back`, onclick: () => { spans.splice(i, 1); show(); changed(); } }, "Put back"),
        ),
      ),
    );
  }

  form.replaceChildren(
    make("fieldset", { class: "choice" }, make("legend", {}, "The models read"), ...MODALITIES.map((m, i) => make("label", {}, given[i], ` ${NAMES[m]}`))),
    make("p", {}, make("label", { for: "rate" }, "Missing by chance: "), said, make("br"), rate),
    make(
      "fieldset",
      {},
      make("legend", {}, "A stretch of time"),
      make("label", { for: "from" }, "from "), from, make("label", { for: "to" }, " to "), to, " s, ", of, " ",
      make("button", { type: "button", onclick: () => {
        const span = { start_s: Number(from.value), end_s: Number(to.value) };
        if (!(span.start_s < span.end_s)) return to.setCustomValidity("behind the beginning") || to.reportValidity();
        to.setCustomValidity("");
        add(of.value ? { ...span, modalities: [of.value] } : span);
      } }, "Leave out"),
      list,
    ),
    make("p", {}, make("button", { type: "button", id: "all-back", onclick: () => { reset(); changed(); } }, "Everything back")),
  );
  form.addEventListener("submit", (event) => event.preventDefault());

  function reset() {
    spans = [];
    given.forEach((box) => (box.checked = true));
    rate.value = 0;
    said.textContent = percent(0);
    show();
  }

  return {
    reset,
    add,
    /** What is left out, as the API takes it. */
    question: () => ({
      without: MODALITIES.filter((_, i) => !given[i].checked),
      spans,
      missing_rate: Number(rate.value),
    }),
    anything: () => given.some((box) => !box.checked) || spans.length > 0 || Number(rate.value) > 0,
  };
}

/** Offer to leave out a stretch that was chosen on the timeline; null: none is. */
export function offerStretch(stretch, leave) {
  $("chosen").hidden = !stretch;
  if (!stretch) return;
  const [start_s, end_s] = stretch;
  const button = (text, span) => make("button", { type: "button", onclick: () => leave(span) }, text);
  $("chosen").replaceChildren(
    `${clock(start_s)} to ${clock(end_s)}: `,
    button("Leave it out", { start_s, end_s }),
    ...MODALITIES.map((m) => button(`only its ${NAMES[m]}`, { start_s, end_s, modalities: [m] })),
  );
}
