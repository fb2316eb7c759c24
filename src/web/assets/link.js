// Carries the token of a mailed link from the fragment into the form, out of the address bar, and sends it.
// Without this script the reader types the code; a script that comes late disturbs nothing typed.
(() => {
  const token = location.hash.slice(1);
  const form = document.getElementById("open");
  if (!token || !form) return;
  history.replaceState(null, "", location.pathname);
  if (document.getElementById("code").value !== "") return;
  document.getElementById("token").value = token.slice(0, 200);
  form.hidden = true;
  document.getElementById("opening").hidden = false;
  form.submit();
})();
