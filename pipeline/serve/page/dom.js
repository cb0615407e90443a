// Elements, and numbers as people read them.

export const $ = (id) => document.getElementById(id);

/** Make an element. Text is text: nothing of a video becomes markup. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** Make an element of a drawing. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, attributes, children);
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
}

export function signed(value, digits = 2) {
  if (value === null) return "–";
  const shown = Math.abs(value).toFixed(digits);
  return Number(shown) === 0 ? shown : (value < 0 ? "−" : "+") + shown;
}

export const percent = (share) => `${Math.round(100 * share)} %`;

export function clock(seconds) {
  const tenths = Math.round(10 * Math.max(0, seconds)); // first, or 59.97 s were 0:60.0
  const shown = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${shown}`;
}

export const NAMES = { text: "words", audio: "voice", vision: "face" };
export const MODALITIES = ["text", "audio", "vision"];

/** Call a function once there has been no call for a while. */
export function calm(wait_ms, call) {
  let timer = 0;
  return (...said) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...said), wait_ms);
  };
}
