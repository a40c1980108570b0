// Replaces what changes on a page when the database announces it. Every page works without this script.
"use strict";
const regions = document.querySelectorAll("[data-live]");
if (regions.length > 0 && "EventSource" in window) {
  let isLoading = false;
  let isOutdated = false;
  const load = async () => {
    isOutdated = true;
    if (isLoading) return;
    isLoading = true;
    while (isOutdated) {
      isOutdated = false;
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Loads-Again": "1" } });
        if (answer.redirected || answer.status === 503) {
          location.reload();
          return;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelectorAll("[data-live]");
        if (fresh.length !== regions.length) {
          // The question was decided: the page has another form.
          location.reload();
          return;
        }
        const focused = document.activeElement ? document.activeElement.id : "";
        regions.forEach((region, place) => region.replaceChildren(...fresh[place].childNodes));
        if (focused) {
          const again = document.getElementById(focused);
          if (again) again.focus();
        }
      } catch (error) {
        // The stream below connects again, and the next announcement loads again.
        break;
      }
    }
    isLoading = false;
  };
  const events = new EventSource("/live");
  events.addEventListener("message", load);
  // A change between the page and its stream, or while the stream was lost, was not announced here.
  events.addEventListener("open", load);
  events.addEventListener("error", () => {
    // The console refuses the stream: the page says why.
    if (events.readyState === EventSource.CLOSED) load();
  });
}
