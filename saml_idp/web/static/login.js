// The password and the name page: show the password, count a delay down, send only once.

const show = document.getElementById("show");
const password = document.getElementById("password");
if (show && password) {
  show.hidden = false;
  show.addEventListener("click", () => {
    const visible = password.type === "password";
    password.type = visible ? "text" : "password";
    show.textContent = visible ? show.dataset.hide : show.dataset.show;
    show.setAttribute("aria-label", visible ? show.dataset.hideLabel : show.dataset.showLabel);
    password.focus();
  });
}

const form = document.getElementById("login");
const submit = document.getElementById("submit");
const label = submit.textContent;
let sent = false;

form.addEventListener("submit", (event) => {
  if (sent) {
    event.preventDefault();
    return;
  }
  sent = true;
  if (password) password.type = "password"; // no browser offers to keep it as plain text
  submit.textContent = submit.dataset.busy;
  submit.setAttribute("aria-disabled", "true");
});

// Back from a later page: the form can be sent again.
window.addEventListener("pageshow", () => {
  sent = false;
  submit.textContent = label;
  submit.removeAttribute("aria-disabled");
});

const delay = document.querySelector("[data-retry-after]");
if (delay) {
  const until = performance.now() + Number(delay.dataset.retryAfter) * 1000;
  const quiet = document.createElement("span"); // counts for the eye; the ear hears start and end
  quiet.setAttribute("aria-live", "off");
  delay.replaceChildren(quiet);
  submit.disabled = true;
  const tick = () => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    if (seconds > 0) {
      quiet.textContent = delay.dataset.text.replace("{seconds}", String(seconds));
      setTimeout(tick, 1000);
    } else {
      delay.textContent = delay.dataset.over;
      delay.classList.remove("bad");
      submit.disabled = false;
    }
  };
  tick();
}
