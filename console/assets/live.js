// Replaces what changes on a page when the database announces it. Every page works without this script.
"use strict";
const regions = document.querySelectorAll("[data-live]");
if (regions.length > 0 && "EventSource" in window) {
  // The pause after each load: a busy database announces more than a person reads.
  const PAUSE = 1000;
  // The pause while there is no answer, or no stream.
  const LONG_PAUSE = 5000;
  const pause = (length) => new Promise((wake) => setTimeout(wake, length));
  const notice = document.getElementById("away");

  // Says why the page is not current; its content stays, and with it what a person has written.
  const say = (reason, signIn) => {
    notice.replaceChildren(reason + " This page tries again. ");
    if (signIn) {
      const link = document.createElement("a");
      link.href = signIn;
      link.textContent = "Sign in again";
      notice.append(link);
    }
    notice.hidden = false;
  };

  // Loads the page again. Returns whether it is current.
  const loadOnce = async () => {
    let answer, page;
    try {
      answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Loads-Again": "1" } });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch (error) {
      say("The console does not answer.");
      return false;
    }
    if (answer.redirected) {
      // The session has ended: the sign-in leads back here.
      location.reload();
      return true;
    }
    if (answer.status !== 200) {
      const heading = page.querySelector("h1");
      const link = page.querySelector("a[href^='/sign-in']");
      say(heading ? heading.textContent : "The page cannot be loaded.", link && link.getAttribute("href"));
      return false;
    }
    const fresh = page.querySelectorAll("[data-live]");
    if (fresh.length !== regions.length) {
      // The question was decided: the page has another form.
      location.reload();
      return true;
    }
    notice.hidden = true;
    const focused = document.activeElement ? document.activeElement.id : "";
    regions.forEach((region, place) => region.replaceChildren(...fresh[place].childNodes));
    if (focused) {
      const again = document.getElementById(focused);
      if (again) again.focus();
    }
    return true;
  };

  let isLoading = false;
  let isOutdated = false;
  const load = async () => {
    isOutdated = true;
    if (isLoading) return;
    isLoading = true;
    while (isOutdated) {
      isOutdated = false;
      const isCurrent = await loadOnce();
      if (!isCurrent) isOutdated = true;
      await pause(isCurrent ? PAUSE : LONG_PAUSE);
    }
    isLoading = false;
  };

  const listen = () => {
    const events = new EventSource("/live");
    events.addEventListener("message", load);
    // A change between the page and its stream, or while the stream was lost, was not announced here.
    events.addEventListener("open", load);
    events.addEventListener("error", async () => {
      // The page says why the stream is lost.
      load();
      // The browser connects again by itself, unless the console has refused the stream.
      if (events.readyState === EventSource.CLOSED) {
        await pause(LONG_PAUSE);
        listen();
      }
    });
  };
  listen();
}
