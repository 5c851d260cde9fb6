"use strict";
(() => {
  const tools = document.getElementById("tools");
  if (!tools) return;
  const rows = JSON.parse(document.getElementById("rows").textContent);
  const home = document.getElementById("cards");
  const cards = new Map(rows.map((row) => [row, document.getElementById("a" + row.order)]));
  const filter = document.getElementById("filter");
  const sort = document.getElementById("sort");
  const count = document.getElementById("count");
  const falling = new Set(["match", "score", "length"]);

  function compare(key) {
    const sign = falling.has(key) ? -1 : 1;
    return (one, other) => {
      const a = one[key], b = other[key];
      if (a === null || b === null) return (a === null) - (b === null) || one.order - other.order;
      const less = typeof a === "string" ? a.localeCompare(b) : a - b;
      return sign * less || one.order - other.order;
    };
  }

  function arrange() {
    const part = document.createDocumentFragment();
    for (const row of [...rows].sort(compare(sort.value))) part.append(cards.get(row));
    home.append(part);
  }

  function sift() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const [row, card] of cards) {
      card.hidden = !words.every((word) => row.words.includes(word));
      left += !card.hidden;
    }
    count.textContent = left === rows.length ? `${left} shown` : `${left} of ${rows.length} shown`;
  }

  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  sort.addEventListener("change", arrange);
  filter.addEventListener("input", sift);
  if (sort.value !== "order") arrange();
  sift();
})();
