// The keys go to the browser from the first one on: textual.js waits for a click, and tells of a focus only where the
// socket stands, so the focus is given once the first picture is there.
window.addEventListener("load", () => {
  const keys = document.querySelector(".xterm-helper-textarea");
  new MutationObserver((_, watch) => {
    if (!document.body.classList.contains("-first-byte")) return;
    watch.disconnect();
    keys.blur();
    keys.focus();
  }).observe(document.body, { attributeFilter: ["class"] });
});
