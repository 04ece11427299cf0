// Says what went wrong, and what to do about it.

import { button, byId, element } from "./dom.js";
import { rememberKey } from "./service.js";
import { text } from "./texts.js";

let ticking;

export function hideFailure() {
  clearInterval(ticking);
  byId("failure").hidden = true;
}

/** Shows a failure; `retry` is offered where it makes sense, after the time that the service asks for. */
export function showFailure(failure, { retry, choose }) {
  const [title, advice] = failure.advice;
  const keyed = failure.code === "UNAUTHENTICATED";
  const heading = element("h2", { id: "failure-title", tabIndex: -1 }, title);
  byId("failure").replaceChildren(
    heading,
    element("p", {}, advice),
    ...(keyed ? [keyForm(retry)] : []),
    ...(failure.retryable ? [retryButton(failure.retryAfterS, retry)] : []),
    otherButton(choose, !failure.retryable && !keyed),
    failure.code === "INTERNAL" && failure.requestId ? element("p", { className: "quiet" }, text.requestId(failure.requestId)) : "",
  );
  byId("failure").hidden = false;
  heading.focus();
}

function retryButton(waitS, retry) {
  const node = button({ className: "primary" }, text.tryAgain);
  const until = performance.now() + 1000 * waitS;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    node.disabled = left > 0;
    node.textContent = left > 0 ? text.tryAgainIn(left) : text.tryAgain;
    if (left <= 0) clearInterval(ticking);
  };
  clearInterval(ticking);
  ticking = setInterval(tick, 250);
  tick();
  node.addEventListener("click", retry);
  return node;
}

function otherButton(choose, primary) {
  const node = button({ className: primary ? "primary" : "plain" }, text.otherPhoto);
  node.addEventListener("click", choose);
  return node;
}

function keyForm(retry) {
  const input = element("input", { type: "password", autocomplete: "off", required: true });
  const form = element("form", {}, element("label", {}, text.key, input), element("button", { className: "primary" }, text.useKey));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rememberKey(input.value.trim());
    retry();
  });
  return form;
}
