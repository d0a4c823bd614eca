"use strict";
// The one script of all pages. A page says what it wants with data-live on an element.

const andon = {
  // A request to the API; what went wrong is an Error with the server's sentence.
  async ask(path, options = {}) {
    const csrf = document.querySelector("meta[name=csrf]").content;
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf, ...options.headers };
    const response = await fetch(path, { ...options, headers });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    return content;
  },

  // Calls told(event) for each event of these kinds as it happens.
  follow(kinds, told) {
    const source = new EventSource("/v1/events");
    for (const kind of kinds) source.addEventListener(kind, (message) => told(JSON.parse(message.data)));
    return source;
  },
};

const live = {
  // The lamp and the last photo. While one is fetched, only the newest of those that come meanwhile is fetched next.
  line() {
    let wanted = null, busy = false;
    const show = async () => {
      if (busy) return;
      busy = true;
      while (wanted) {
        const id = wanted;
        wanted = null;
        try {
          showInspection(await andon.ask(`/v1/inspections/${id}`));
        } catch (error) {
          console.warn(error);
        }
      }
      busy = false;
    };
    andon.follow(["inspection"], (event) => { wanted = event.subject; show(); });
  },
};

function showInspection({ row, photo_kept }) {
  const lamp = document.getElementById("lamp");
  lamp.className = `lamp ${row.verdict}`;
  lamp.textContent = row.verdict;
  document.getElementById("part").textContent = row.part_id ?? "";
  const reasons = row.reasons.map((reason) => Object.assign(document.createElement("li"), { textContent: reason }));
  document.getElementById("reasons").replaceChildren(...reasons);
  const photo = document.getElementById("photo");
  photo.hidden = !photo_kept;
  if (photo_kept) photo.src = `/v1/inspections/${row.inspection_id}/photo?size=view`;
}

for (const element of document.querySelectorAll("[data-live]")) live[element.dataset.live]();
