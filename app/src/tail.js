(() => {
  const box = document.querySelector("[data-tail]");
  const [news, over] = box.querySelector("[role=status]").children;
  const counting = box.querySelector(".meta > span");
  let source;
  const stop = (why) => {
    source.close();
    if (why) over.firstElementChild.textContent = why;
    over.hidden = false;
    counting.hidden = true;
  };
  const watch = () => {
    source = new EventSource(box.dataset.tail);
    source.onopen = () => { counting.hidden = false; over.hidden = true; };
    source.onmessage = ({ data }) => { news.textContent = data; news.hidden = false; };
    source.addEventListener("end", ({ data }) => stop(data));
    // Unless it is closed the browser tries again by itself. Until then nothing is counted.
    source.onerror = () => { counting.hidden = true; if (source.readyState === EventSource.CLOSED) stop(); };
  };
  watch();
  addEventListener("pagehide", () => source.close());
  // A page that comes back as it was left goes on.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) watch(); });
})()
