(() => {
  const box = document.querySelector("[data-tail]");
  const [said, more] = box.querySelectorAll("p");
  const link = said.querySelector("a");
  const source = new EventSource(box.dataset.tail);
  source.onmessage = ({ data }) => { link.textContent = data; link.hidden = false; };
  source.addEventListener("end", ({ data }) => { source.close(); more.textContent = data; });
  addEventListener("pagehide", () => source.close());
})()
