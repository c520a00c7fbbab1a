// Loads the page again when the template or its input has changed.
const shown = JSON.stringify(document.body.dataset.version);
const look = async () => {
  try {
    const now = (await (await fetch("/version", { cache: "no-store" })).text()).trim();
    if (now !== shown) location.reload();
  } catch {
    return; // the preview was ended; the page stays as it is
  }
};
setInterval(look, 500);
