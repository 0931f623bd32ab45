// A button with data-copies copies what stands in the field of that id, and says so beside it.
for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // not over https, or not allowed: it is selected, and the keyboard copies it
  }
  button.parentElement.querySelector("[aria-live]").textContent = button.dataset.copied;
});
