"use strict";
// The one script of all pages. The server renders what changes; the script asks for it and puts it in its place.
// A page says what it wants with data-live on the element that changes.

const $ = (selector, within = document) => within.querySelector(selector);
const MOST_TO_WAIT = 700;  // ms for a photo, before the rest is shown without it
const LOST_AFTER = 5;  // s without a connection, before the page says so
const RETRY_AFTER = 3000;  // ms
const RELOAD_EVERY = 60000;  // ms at least, should two servers with other pages answer in turn
const PATIENCE = 15000;  // ms for an answer to what is only asked, as a connection may die without a word

// What went wrong, in the server's words.
class Told extends Error {}

// What the server answers, as text.
async function ask(path, content, more = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": $("meta[name=csrf]").content };
  const posted = { method: "POST", headers, body: JSON.stringify(content), ...more };
  const options = content === undefined ? { signal: AbortSignal.timeout(PATIENCE) } : posted;
  const response = await fetch(path, { redirect: "manual", ...options }).catch(() => {
    throw new Error("The station cannot be reached; try again in a moment.");
  });
  if (response.type === "opaqueredirect") location.assign(`/login?then=${encodeURIComponent(location.pathname + location.search)}`);
  else await keep_up(response);
  const text = await response.text();
  if (!response.ok) throw new Told(text.startsWith("{") ? JSON.parse(text).error : `The server answers ${response.status}.`);
  return text;
}

// Another Andon may have taken the server's place while the page was open. Its HTML needs its own script.
async function keep_up(response) {
  const pages = response.headers.get("Andon-Pages");
  if (!pages || pages === $("meta[name=pages]").content) return;
  const since = Date.now() - Number(sessionStorage.getItem("andon.reloaded"));
  if (since >= 0 && since < RELOAD_EVERY) return;  // less than 0 where the clock was set back
  sessionStorage.setItem("andon.reloaded", Date.now());
  location.reload();
  await new Promise(() => {});  // what was answered is for the page that comes
}

// Put HTML in the place of what is in the element, once its photos are there. Heat maps may come later.
async function show(element, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const photos = [...fresh.querySelectorAll(".picture .photo")].map((one) => fetched(one.getAttribute("href")));
  await Promise.race([Promise.all(photos), pause(MOST_TO_WAIT)]);
  element.replaceChildren(...fresh.childNodes);
  showHeat();
}

// Calls told() for each event of these kinds as it happens, and changed(is_connected) when the connection comes or goes.
// A browser comes back by itself where nobody answers, but not where somebody answers with an error, as a proxy does.
function follow(kinds, told, changed = () => {}) {
  const source = new EventSource("/v1/events");
  for (const kind of kinds) source.addEventListener(kind, told);
  source.onopen = () => changed(true);
  source.onerror = () => {
    changed(false);
    if (source.readyState === EventSource.CLOSED) pause(RETRY_AFTER).then(() => follow(kinds, told, changed));
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Done with when the browser has the picture, whether it can show it or not.
function fetched(address) {
  const picture = new Image();
  picture.src = address;
  return picture.decode().catch(() => {});
}

// One call at a time; of those that come meanwhile only one is made afterwards.
function one_at_a_time(work) {
  let busy = false, again = false;
  return async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      do { again = false; await work(); } while (again);
    } finally {
      busy = false;
    }
  };
}

// A field that keeps its value in this browser.
function remember(field, key) {
  const property = field.type === "checkbox" ? "checked" : "value";
  const kept = localStorage.getItem(key);
  if (kept !== null) field[property] = property === "checked" ? kept === "true" : kept;
  field.addEventListener("change", () => localStorage.setItem(key, field[property]));
}

// As strong as the slider says. The heat map of an OK photo is fetched only when the slider is moved.
const wanted_heat = new Set();
function showHeat(was_moved = false) {
  const slider = $("#heat");
  for (const layer of document.querySelectorAll(".heat")) {
    if (slider) layer.style.opacity = slider.value / 100;
    if (!layer.dataset.href) continue;
    if (was_moved) wanted_heat.add(layer.dataset.href);
    if (wanted_heat.has(layer.dataset.href)) layer.setAttribute("href", layer.dataset.href);
  }
}

function in_words(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

function say(element, sentence) {
  element.textContent = sentence;
  element.hidden = !sentence;
}

const live = {
  line(now) {
    const quiet = $("#quiet"), sound = $("#sound");
    let context = null, since = performance.now(), is_connected = true, lost_at = null, told = "", id = $(".facts").dataset.id, retry = null;

    // Browsers play no sound before somebody has touched the page; then it says so.
    const listen = () => {
      context ??= new AudioContext();
      context.resume();
      $("#silent").hidden = !sound.checked || context.state === "running";
    };
    const beep = () => {
      listen();
      const tone = context.createOscillator(), loudness = context.createGain();
      tone.frequency.value = 880;
      loudness.gain.value = 0.3;
      tone.connect(loudness).connect(context.destination);
      tone.start();
      tone.stop(context.currentTime + 0.4);
    };

    const refresh = one_at_a_time(async () => {
      try {
        await show(now, await ask(now.dataset.from));
        since = performance.now();
        told = "";
        if (is_connected) lost_at = null;
        const facts = $(".facts");
        if (facts.dataset.id !== id && facts.dataset.verdict === "NG" && sound.checked) beep();
        id = facts.dataset.id;
      } catch (error) {
        told = error instanceof Told ? error.message : "";
        lost_at ??= performance.now();
        clearTimeout(retry);
        retry = setTimeout(refresh, RETRY_AFTER);
      }
    });

    // An old green lamp must not be taken for a new one.
    const watch = () => {
      const { silentFor, quietAfter } = $(".facts").dataset;
      const silent = Number(silentFor) + (performance.now() - since) / 1000;
      const is_lost = lost_at !== null && performance.now() - lost_at > LOST_AFTER * 1000;
      const is_quiet = id && silent > Number(quietAfter);
      document.body.classList.toggle("stale", Boolean(is_lost || is_quiet));
      say(quiet, is_lost ? told || "No connection to the station" : is_quiet ? `No photo for ${in_words(silent)}` : "");
    };

    follow(["inspection", "model"], refresh, (now_connected) => {
      is_connected = now_connected;
      if (!is_connected) lost_at ??= performance.now();
      refresh();
    });
    remember($("#heat"), "andon.heat");
    remember(sound, "andon.sound");
    $("#heat").addEventListener("input", () => showHeat(true));
    sound.addEventListener("change", () => { if (sound.checked) beep(); });
    if (sound.checked) listen();
    addEventListener("pointerup", () => pause(300).then(listen));
    setInterval(watch, 500);
    setInterval(refresh, 30000);
    showHeat();
  },

  review(queue) {
    const numbers = crypto.getRandomValues(new Uint32Array(4));
    const sitting = { window: [...numbers].map((one) => one.toString(16)).join("-"), station: queue.dataset.station, skipped: [] };
    const seen = [], decided = [];
    const name = $("#name"), note = $("#note"), trouble = $("#trouble");
    let is_busy = false;
    remember(name, "andon.name");

    const current = () => $("#one")?.dataset.id;
    // What was typed belongs to its photo, and outlasts a login in this window.
    const notes = JSON.parse(sessionStorage.getItem("andon.notes") ?? "{}");
    const keep_note = (id, text) => {
      notes[id] = text || undefined;
      sessionStorage.setItem("andon.notes", JSON.stringify(notes));
    };
    note.addEventListener("input", () => keep_note(current(), note.value));
    const send = async (action, more = {}) => {
      if (is_busy) return false;
      is_busy = true;
      try {
        const content = { ...sitting, by: name.value.trim(), ...more };
        if (!content.by) throw new Error("Give your name first, so that it stands beside what you say.");
        await show(queue, await ask(`/review/${action}`, content));
        note.value = notes[current()] ?? "";
        say(trouble, "");
        return true;
      } catch (error) {
        say(trouble, error.message);
        return false;
      } finally {
        is_busy = false;
      }
    };

    const decide = async (verdict) => {
      const id = current();
      if (!id || !(await send("say", { inspection_id: id, verdict, note: note.value }))) return;
      keep_note(id, "");
      decided.push(id);
      seen.push(id);
    };
    const skip = async () => {
      const id = current();
      if (!id) return;
      sitting.skipped = [...sitting.skipped.filter((one) => one !== id), id].slice(-500);
      if (await send("next")) seen.push(id);
    };
    const before = async () => {
      const id = seen.pop();
      if (id && !(await send("show", { inspection_id: id }))) seen.push(id);
    };
    const undo = async () => {
      const id = decided.pop();
      if (!id) say(trouble, "There is nothing to take back in this window.");
      else if (!(await send("undo", { inspection_id: id }))) decided.push(id);
      else if (seen.lastIndexOf(id) >= 0) seen.splice(seen.lastIndexOf(id), 1);
    };

    const keys = { o: () => decide("OK"), n: () => decide("NG"), " ": skip, ArrowRight: skip, ArrowLeft: before, u: undo, Backspace: undo };
    document.addEventListener("keydown", (event) => {
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const is_undo = (event.ctrlKey || event.metaKey) && key === "z";
      if (event.target.matches("input:not([type=range])")) { if (key === "Enter" || key === "Escape") event.target.blur(); return; }
      if (event.repeat || !(is_undo || (key in keys && !event.ctrlKey && !event.metaKey && !event.altKey))) return;
      event.preventDefault();
      (is_undo ? undo : keys[key])();
    });
    for (const button of document.querySelectorAll("[data-key]")) {
      button.addEventListener("click", () => { button.blur(); keys[button.dataset.key](); });
    }
    const look = () => ask("/healthz").catch(() => {});  // whether it is still the same Andon that answers
    follow(["inspection"], () => { if ($("#done")) send("next"); }, (is_connected) => { if (is_connected) look(); });
    addEventListener("pagehide", () => ask("/review/leave", { ...sitting, by: name.value || "-", skipped: [] }, { keepalive: true }));
    send("next");
  },

  // What runs in the background; when it is done, the page shows what came of it.
  work(element) {
    const look = async () => {
      if (!$("[data-running]", element)) return;
      try {
        await show(element, await ask("/models/work"));
        if (!$("[data-running]", element)) return location.reload();
      } catch (error) {
        // the station may be there again a second later
      }
      setTimeout(look, 1000);
    };
    setTimeout(look, 500);
  },

  threshold(form) {
    const chart = $("#chart"), ng = $("#ng"), band = $("#band"), with_band = $("#with_band"), what = $("#what");
    const low = Number(chart.dataset.low), high = Number(chart.dataset.high), step = (high - low) / 1000;
    const at_first = [ng.value, band.value, with_band.checked].join();

    const ask_what = one_at_a_time(async () => {
      const wanted = new URLSearchParams({ model: $("#model").value, threshold: ng.value });
      if (with_band.checked) wanted.set("review", band.value);
      try {
        await show(what, await ask(`/threshold/what?${wanted}`));
        say($("#trouble"), "");
      } catch (error) {
        say($("#trouble"), error.message);
      }
    });
    const draw = () => {
      for (const [slider, name] of [[ng, "ng"], [band, "review"]]) {
        for (const line of chart.querySelectorAll(`.bound.${name}`)) {
          const x = 1000 * (slider.value - low) / (high - low);
          line.setAttribute("x1", x);
          line.setAttribute("x2", x);
          line.toggleAttribute("hidden", slider === band && !with_band.checked);
        }
      }
      band.disabled = !with_band.checked;
      $("#ng_from").textContent = Number(ng.value).toPrecision(4);
      $("#review_from").textContent = with_band.checked ? Number(band.value).toPrecision(4) : "no score";
      if ($("#save")) $("#save").disabled = at_first === [ng.value, band.value, with_band.checked].join();
    };
    // The line that was not moved makes room.
    const moved = (slider) => {
      if (slider === band && Number(band.value) > ng.value - step) ng.value = Number(band.value) + step;
      if (Number(band.value) > ng.value - step) band.value = ng.value - step;
      draw();
      ask_what();
    };

    for (const slider of [ng, band]) {
      slider.addEventListener("input", () => moved(slider));
      slider.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -20, PageUp: 20 }[event.key];
        if (!by) return;
        event.preventDefault();
        slider.value = Number(slider.value) + by * step;
        moved(slider);
      });
    }
    with_band.addEventListener("change", () => moved(ng));
    $("select#model")?.addEventListener("change", (event) => location.assign(`/threshold?model=${encodeURIComponent(event.target.value)}`));

    let dragged = null;
    const drag = (event) => {
      const { left, width } = chart.getBoundingClientRect();
      const score = low + (high - low) * (event.clientX - left) / width;
      const is_band = with_band.checked && Math.abs(score - band.value) < Math.abs(score - ng.value);
      dragged ??= is_band ? band : ng;
      dragged.value = score;
      moved(dragged);
    };
    chart.addEventListener("pointerdown", (event) => {
      chart.setPointerCapture(event.pointerId);
      drag(event);
      dragged.focus();
    });
    chart.addEventListener("pointermove", (event) => { if (dragged) drag(event); });
    for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { dragged = null; });
    draw();
  },
};

// A nearest patch that cannot be shown leaves no broken picture behind.
document.addEventListener("error", ({ target }) => { if (target.matches?.(".nearest img")) target.closest("figure").hidden = true; }, true);
for (const field of document.querySelectorAll("[data-submit]")) field.addEventListener("change", () => field.form.submit());
for (const element of document.querySelectorAll("[data-live]")) live[element.dataset.live](element);
