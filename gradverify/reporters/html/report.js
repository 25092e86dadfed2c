// Filters the table of cases by text; everything else works without a script.
(() => {
  const search = document.getElementById("search");
  if (!search) return;
  const rows = Array.from(document.querySelectorAll("#cases tbody tr"));
  const words = rows.map((row) => row.textContent.toLowerCase());
  const found = document.getElementById("found");
  document.getElementById("searching").hidden = false;
  const show = () => {
    const wanted = search.value.toLowerCase().trim();
    rows.forEach((row, place) => { row.hidden = !words[place].includes(wanted); });
    const many = rows.filter((row) => row.getClientRects().length).length;
    found.textContent = wanted ? many + " of " + rows.length + " cases" : "";
  };
  search.addEventListener("input", show);
  search.form.addEventListener("change", show);
  search.form.addEventListener("submit", (event) => event.preventDefault());
})();
