// Asks the browser for a passkey and sends its answer with the form. The forms are hidden without this script:
// there is no other way to speak with an authenticator. Whoever has no scripts signs in with password and code.
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

  async function create(options) {
    const { extensions, ...asked } = options.publicKey;
    const publicKey = {
      ...asked,
      challenge: bytes(asked.challenge),
      user: { ...asked.user, id: bytes(asked.user.id) },
      excludeCredentials: known(asked.excludeCredentials),
      extensions: { credProps: true },
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      id: made.id, rawId: text(made.rawId), type: made.type, extensions: {},
      response: {
        attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON),
        transports: made.response.getTransports?.() ?? [],
      },
    };
  }

  async function get(options) {
    const { extensions, ...asked } = options.publicKey;
    const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
    const given = await navigator.credentials.get({ publicKey });
    const { authenticatorData, clientDataJSON, signature, userHandle } = given.response;
    return {
      id: given.id, rawId: text(given.rawId), type: given.type, extensions: {},
      response: {
        authenticatorData: text(authenticatorData),
        clientDataJSON: text(clientDataJSON),
        signature: text(signature),
        userHandle: userHandle ? text(userHandle) : null,
      },
    };
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const { answer, challenge, csrf } = form.elements;
    const problem = form.querySelector("[data-problem]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (answer.value) return;
      event.preventDefault();
      problem.hidden = true;
      try {
        const asked = await fetch(form.dataset.passkey, { method: "POST", body: new URLSearchParams({ csrf: csrf.value }) });
        if (!asked.ok) throw new Error(String(asked.status));
        const { id, options } = await asked.json();
        answer.value = JSON.stringify(await (form.dataset.kind === "new" ? create(options) : get(options)));
        challenge.value = id;
        form.submit();
      } catch {
        // Closed by its owner, too slow, or none there: said in words, and the button works again.
        answer.value = "";
        problem.hidden = false;
        problem.focus();
      }
    });
  }
})();
