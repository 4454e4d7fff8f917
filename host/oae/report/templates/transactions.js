// The list of transactions, what is chosen from it, and the chart of the one that is opened.
const TRANSACTIONS = (() => {
  const EACH = 12;
  let before = 0;
  const list = DATA.transactions.map((digits, index) => {
    const [end, id, session, outcome, bytes, after, took, found, shape, ...times] = unpacked(digits);
    const name = `${DATA.ends[end]}-${id}${session ? `.${session + 1}` : ""}`;
    before += after;
    return {name, id, end, outcome: DATA.outcomes[outcome], bytes, begin: before, took, found, shape, times, index};
  });
  const byName = new Map(list.map(transaction => [transaction.name, transaction]));
  const body = document.querySelector("#list tbody"), form = document.getElementById("filter");
  let chosen = list, page = 0, opened = null;

  const last = transaction => transaction.took < 0 ? DATA.span : transaction.begin + transaction.took;
  const took = transaction => transaction.took < 0 ? `open for ${time((DATA.span - transaction.begin) * DATA.unit)}` : time(transaction.took * DATA.unit);
  const slowest = (one, other) => (last(other) - other.begin) - (last(one) - one.begin);
  const ORDERS = {
    "those with findings, then the slowest": (one, other) => (other.found > 0) - (one.found > 0) || slowest(one, other),
    "slowest first": slowest,
    "in order of time": (one, other) => one.begin - other.begin || one.index - other.index,
  };

  const option = name => html("option", {}, name);
  const outcome = html("select", {}, option("all"), ...[...new Set(list.map(transaction => transaction.outcome))].sort().map(option));
  const lane = html("select", {}, option("both"), ...DATA.lanes.map(option));
  const order = html("select", {}, ...Object.keys(ORDERS).map(option));
  const search = html("input", {type: "search", placeholder: "7 or a-7", spellcheck: "false"});
  const findings = html("input", {type: "checkbox"});
  form.append(html("label", {}, "id", search), html("label", {}, "outcome", outcome), html("label", {}, "lane", lane),
    html("label", {}, "order", order), html("label", {}, findings, "only with findings"));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", choose);

  function choose() {
    const wanted = search.value.trim().toLowerCase();
    const named = transaction => !wanted || transaction.name === wanted || String(transaction.id) === wanted
      || (/[^0-9]/.test(wanted) && transaction.name.startsWith(wanted));
    chosen = list.filter(transaction => named(transaction)
      && (outcome.value === "all" || transaction.outcome === outcome.value)
      && (lane.value === "both" || DATA.lanes[transaction.end] === lane.value)
      && (!findings.checked || transaction.found > 0)).sort(ORDERS[order.value]);
    page = 0;
    show();
  }

  function row(transaction) {
    const open = html("button", {type: "button"}, transaction.name);
    open.addEventListener("click", () => { location.hash = `transaction=${transaction.name}`; reveal(); });
    const cells = [html("th", {scope: "row"}, open), html("td", {class: transaction.outcome}, transaction.outcome),
      html("td", {class: "number"}, transaction.bytes.toLocaleString("en")),
      html("td", {class: "number"}, time(transaction.begin * DATA.unit, DATA.unit)),
      html("td", {class: "number"}, took(transaction)), html("td", {class: "FAIL"}, transaction.found ? count(transaction.found, "finding", "findings") : "")];
    return html("tr", transaction === opened ? {"aria-current": "true"} : {}, ...cells);
  }

  function show() {
    const pages = Math.max(1, Math.ceil(chosen.length / EACH));
    body.replaceChildren(...chosen.slice(page * EACH, (page + 1) * EACH).map(row));
    document.getElementById("shown").textContent = `${count(chosen.length, "transaction", "transactions")}, page ${page + 1} of ${pages}`;
    const turn = (name, to) => {
      const button = html("button", {type: "button"}, name);
      button.disabled = to < 0 || to >= pages;
      button.addEventListener("click", () => { page = to; show(); });
      return button;
    };
    document.getElementById("pages").replaceChildren(turn("Previous page", page - 1), turn("Next page", page + 1));
  }

  function reveal() {
    const place = document.getElementById("transaction");
    place.scrollIntoView({block: "nearest"});
    place.focus({preventScroll: true});
  }

  function open(transaction) {
    opened = transaction;
    const turn = (name, to) => to ? html("a", {href: `#transaction=${to.name}`}, name) : null;
    const place = chosen.indexOf(transaction);
    document.getElementById("transaction").replaceChildren(
      html("h3", {}, `Transaction ${transaction.name}: `, html("span", {class: transaction.outcome}, transaction.outcome), `, ${took(transaction)}`),
      html("p", {class: "tools screen small"}, turn("Previous in the list", chosen[place - 1]), turn("Next in the list", chosen[place + 1])),
      html("div", {class: "drawing"}, SEQUENCE.draw(transaction)), SEQUENCE.table(transaction));
    TIMELINE.select(transaction.begin, last(transaction), transaction.name);
    show();
  }

  function follow() {
    const [, name] = location.hash.match(/^#transaction=(.+)$/) ?? [];
    const transaction = name && byName.get(decodeURIComponent(name));
    if (transaction) { open(transaction); reveal(); }
    else if (name) document.getElementById("transaction").replaceChildren(html("p", {}, `The report has no transaction ${decodeURIComponent(name)}.`));
  }

  choose();
  if (list.length) open(chosen[0]);
  addEventListener("hashchange", follow);
  follow();
})();
