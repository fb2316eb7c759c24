// Lets what each phone of the exercise hears be heard, once somebody asked for it: the sounds that a bridge would play,
// one after the other; where there are none, the voice of this browser. The sentences stand on the page as well.
const button = document.querySelector("[data-sound]");
if (button) {
  const voice = window.speechSynthesis;
  const player = new Audio();
  const said = new Map();
  let waiting = [];
  let speaking = false;
  let on = false;

  const next = () => {
    const line = waiting.shift();
    speaking = Boolean(line);
    if (!line) return;
    if (line.at) {
      player.src = line.at;
      player.play().catch(next);
      return;
    }
    const words = new SpeechSynthesisUtterance(line.text);
    words.lang = document.documentElement.lang;
    words.onend = next;
    words.onerror = next;
    voice.speak(words);
  };
  player.addEventListener("ended", next);

  const say = () => {
    for (const line of document.querySelectorAll("[data-say]")) {
      const { leg, say: number, soundAt: at } = line.dataset;
      if ((said.get(leg) ?? "") === number) continue;
      said.set(leg, number);
      if (!on || !(at || voice)) continue;
      // What a phone has not heard yet is out of date as soon as it hears something new.
      waiting = waiting.filter((other) => other.leg !== leg);
      waiting.push({ leg, at, text: line.textContent });
    }
    if (!speaking) next();
  };

  const hush = () => {
    waiting = [];
    speaking = false;
    player.pause();
    voice?.cancel();
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    on = !on;
    button.setAttribute("aria-pressed", String(on));
    if (on) said.clear();
    else hush();
    say();
  });
  document.addEventListener("htmx:after:settle", say);
  say();
}
