// The button that prints is there where a script can print; a link to #print prints at once.
for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
if (location.hash === "#print") {
  window.addEventListener("load", () => window.print());
}
