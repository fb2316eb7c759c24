// Opens the link of an exercise mail in a window as large as a phone; without it, in this window.
for (const link of document.querySelectorAll("a[data-phone]")) {
  link.addEventListener("click", (event) => {
    if (innerWidth < 700) return;
    if (window.open(link.href, "_blank", "popup,width=390,height=844")) event.preventDefault();
  });
}
