(() => {
  // Passkeys are a browser's business: this fetches the challenge, asks, and sends the answer with an ordinary form.
  const forms = [...document.querySelectorAll("form[data-passkey]")];
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  // What is offered quietly ends before anything is asked for aloud: there is one challenge at a time.
  const offered = new AbortController();
  let quietly = Promise.resolve();
  const challenge = async (form) => {
    const body = new URLSearchParams();
    for (const field of ["name", "intent"]) if (form.elements[field]) body.set(field, form.elements[field].value);
    const answer = await fetch(form.dataset.begin, { method: "POST", body, headers: { accept: "application/json" } });
    const said = await answer.json();
    if (answer.ok) return JSON.parse(said);
    if (said.code === "proof_needed") location.assign("/account/prove?next=" + encodeURIComponent(location.pathname));
    const fields = Array.isArray(said.detail) ? said.detail.map((one) => one.message).join(" ") : said.detail;
    throw new Error(typeof fields === "string" && fields ? fields : "This did not work. Try again.");
  };
  const ask = async (form, more) => {
    const options = await challenge(form);
    return form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...more });
  };
  const send = (form, credential) => {
    form.elements.answer.value = JSON.stringify(credential.toJSON());
    form.submit();
  };
  const say = (form, error) => {
    const gaveUp = ["NotAllowedError", "AbortError"].includes(error.name);
    form.querySelector("[role=status]").textContent = gaveUp ? "No passkey was used. Try again, or choose another way." : error.message;
  };
  for (const form of forms) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      offered.abort();
      await quietly;
      try { send(form, await ask(form)); } catch (error) { say(form, error); }
    });
  }
  // Offered by the browser in the field for the mail address, to whoever has one.
  const quiet = document.querySelector("form[data-passkey=get][data-offer]");
  if (quiet) quietly = (async () => {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    try { send(quiet, await ask(quiet, { mediation: "conditional", signal: offered.signal })); } catch {}
  })();
})()
