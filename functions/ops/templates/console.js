(() => {
  "use strict";
  const every = 30000;
  const say = (text) => { const place = document.getElementById("ruhe"); if (place) place.textContent = text; };
  const refresh = async () => {
    if (document.hidden) return;
    const answer = await fetch("/ops", { credentials: "same-origin", headers: { "X-Refresh": "1" } });
    if (answer.status === 401) { location.reload(); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("stand");
    if (!fresh) { say(" · nicht aktuell: der Dienst antwortet mit " + answer.status); return; }
    const here = document.activeElement && document.activeElement.id;
    const done = document.querySelector("#stand > .done");
    if (done) done.remove();
    document.getElementById("stand").replaceWith(document.adoptNode(fresh));
    say(" · aktualisiert sich alle 30 s");
    const again = here && document.getElementById(here);
    if (again) again.focus({ preventScroll: true });
  };
  if (!document.getElementById("stand")) return;
  say(" · aktualisiert sich alle 30 s");
  setInterval(() => refresh().catch(() => say(" · nicht aktuell: keine Verbindung")), every);
})();
