// Binding this device to an ID: the invitation, a name for the device, the password.

import { reasonOf } from "./approval.js";
import { CallFailed, enrol } from "./calls.js";
import { element, show, write } from "./screens.js";
import { text } from "./texts.js";

const CODE = /^[A-Za-z0-9_-]{16,128}$/;

let invitation = "";
let enrolled = () => {};

/** Return the code in *given*, a link or a code; "" when there is none. */
export function codeOf(given) {
  const trimmed = given.trim();
  const mark = trimmed.lastIndexOf("#");
  const link = mark < 0 ? "" : (new URLSearchParams(trimmed.slice(mark + 1)).get("enrol") ?? "");
  const code = mark < 0 ? trimmed.replaceAll(/\s/g, "") : link;
  return CODE.test(code) ? code : "";
}

/** Ask for what the enrolment with *code* needs; *done* gets {id, trial}. */
export function invite(code, done) {
  invitation = code;
  enrolled = done;
  write("enrol-error", "");
  show("enrol");
}

/** Let the person give a link or a code; *done* as for invite. */
export function welcome(done, canGoBack) {
  enrolled = done;
  element("welcome-cancel").hidden = !canGoBack;
  write("welcome-error", "");
  show("welcome");
}

function problem(error) {
  if (error.code === "throttled") return "device.error.throttled";
  if (error.code === "wrong_password") return "device.error.password";
  if (error.code === "code_invalid") return "device.error.code";
  return reasonOf(error);
}

element("welcome-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = codeOf(element("welcome-code").value);
  if (code) invite(code, enrolled);
  else write("welcome-error", text("device.welcome.bad_code"));
});

element("enrol-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (document.body.dataset.busy) return;
  document.body.dataset.busy = "true";
  write("enrol-error", "");
  const password = element("enrol-password");
  try {
    const result = await enrol(invitation, element("enrol-name").value.trim(), password.value);
    invitation = "";
    element("welcome-form").reset();
    element("enrol-form").reset();
    enrolled(result);
  } catch (error) {
    if (error instanceof CallFailed) {
      write("enrol-error", text(problem(error), { seconds: error.retryAfter }));
    } else {
      write("enrol-error", text("device.unfit.title")); // the key could not be made or kept
    }
    password.value = "";
    password.focus();
  } finally {
    delete document.body.dataset.busy;
  }
});
