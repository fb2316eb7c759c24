// Says aloud what each phone of the exercise hears, with the voice of this browser, once somebody asked for it. The
// sentences stand on the page as well.
const button = document.querySelector("[data-sound]");
const voice = window.speechSynthesis;
if (button && voice) {
  const said = new Map();
  let on = false;
  const say = () => {
    for (const line of document.querySelectorAll("[data-say]")) {
      const { leg, say: number } = line.dataset;
      if ((said.get(leg) ?? "") === number) continue;
      said.set(leg, number);
      if (!on) continue;
      const words = new SpeechSynthesisUtterance(line.textContent);
      words.lang = line.lang || document.documentElement.lang;
      voice.speak(words);
    }
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    on = !on;
    button.setAttribute("aria-pressed", String(on));
    if (on) said.clear();
    else voice.cancel();
    say();
  });
  document.body.addEventListener("htmx:afterSettle", say);
  say();
}
