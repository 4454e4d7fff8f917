// The sequence chart of a transaction: time runs down, but long waits are drawn short.
const SEQUENCE = (() => {
  const WIDTH = 1080, HOSTS = [130, 950], ENDS = [360, 720], TOP = 44, ROW = 17;
  const OUT = [-1, 1];  // away from the middle

  // What happened, with absolute times: the shape says what, the transaction when.
  function story(transaction) {
    const items = [];
    let now = transaction.begin, next = 0;
    for (const number of unpacked(DATA.shapes[transaction.shape])) {
      const [what, end, ...more] = DATA.moments[number];
      now += transaction.times[next++];
      const item = {what, end, at: now};
      if (what === "frame") {
        [item.operation, item.fate, item.copies] = more;
        item.heard = item.copies.map(told => ({at: now + transaction.times[next++], told}));
      } else {
        [item.text, item.state] = more;
      }
      items.push(item);
    }
    return items;
  }

  // Rows that an item takes at its lifeline: an arrow to the host has its text above it.
  const high = item => ({frame: 0, step: 1})[item.what] ?? 1.6;

  // y of every moment: a row for each label at one side, and a little more for a longer wait.
  function places(items) {
    const rows = new Map();
    const need = (at, side, high) => {
      const sides = rows.get(at) ?? [0, 0];
      sides[side] += high;
      rows.set(at, sides);
    };
    for (const item of items) {
      need(item.at, item.end, high(item));
      for (const heard of item.heard ?? []) need(heard.at, 1 - item.end, 0);
    }
    let y = TOP + 22, before = null;
    const found = new Map();
    for (const at of [...rows.keys()].sort((one, other) => one - other)) {
      if (before !== null) y += Math.min(64, 5 * Math.log2(1 + (at - before) * DATA.unit / 16));
      found.set(at, y);
      y += ROW * Math.max(...rows.get(at), .6);
      before = at;
    }
    return {found, bottom: y + 14};
  }

  function arrow(x1, y1, x2, y2, attributes) {
    const angle = Math.atan2(y2 - y1, x2 - x1), wing = side => `${x2 - 9 * Math.cos(angle + side)} ${y2 - 9 * Math.sin(angle + side)}`;
    return svg("g", attributes, line(x1, y1, x2, y2, {class: "stroke", "stroke-width": 1.6}),
      svg("path", {d: `M${wing(.4)}L${x2} ${y2}L${wing(-.4)}`, class: "stroke", "stroke-width": 1.6}));
  }

  // A cross where a frame was lost.
  const cross = (x, y) => svg("path", {d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: "bad stroke", "stroke-width": 2.4});

  function frame(sheet, item, y, labels) {
    const from = ENDS[item.end], to = ENDS[1 - item.end], tone = "ab"[item.end], begin = y(item.at);
    const name = item.operation + (item.fate ? `, ${item.fate}` : "");
    if (item.heard.length === 0) {
      const middle = from + (to - from) * .55;
      sheet.append(line(from, begin, middle, begin + 8, {class: `${tone} stroke`, "stroke-width": 1.6, "stroke-dasharray": "5 4"}), cross(middle, begin + 8));
      labels.push(text((from + middle) / 2, begin - 2, name, {"text-anchor": "middle", class: "halo"}));
    }
    item.heard.forEach((heard, copy) => {
      const bad = heard.told !== "";
      sheet.append(arrow(from, begin, to, y(heard.at), {class: bad ? "bad" : tone, "stroke-dasharray": bad || copy ? "5 4" : "none"}));
      const told = [copy ? `${item.operation}, once more` : name, heard.told].filter(Boolean).join(", ");
      const part = copy ? .68 : .5;
      labels.push(text(from + (to - from) * part, begin + (y(heard.at) - begin) * part - 4, told, {"text-anchor": "middle", class: "halo"}));
    });
  }

  // Which state the slot of each end was in, as a bar on its lifeline.
  function states(sheet, items, y, bottom) {
    for (const end of [0, 1]) {
      const steps = items.filter(item => item.end === end && item.state);
      steps.forEach((item, index) => {
        const until = index + 1 < steps.length ? y(steps[index + 1].at) : bottom;
        const tone = {COMMITTED: "good", ABORTED: "open", REVERSING: "open"}[item.state] ?? "rest";
        if (item.state !== "IDLE" && until > y(item.at))
          sheet.append(svg("rect", {x: ENDS[end] - 4, y: y(item.at), width: 8, height: until - y(item.at), class: `${tone} fill`}, title(item.state)));
      });
    }
  }

  function draw(transaction) {
    const items = story(transaction), {found, bottom} = places(items), y = at => found.get(at);
    const sheet = svg("svg", {viewBox: `0 0 ${WIDTH} ${bottom + 8}`, width: WIDTH, height: bottom + 8, role: "img",
      "aria-label": `Sequence chart of ${transaction.name}; the table below says the same`});
    for (const end of [0, 1]) {
      sheet.append(line(HOSTS[end], TOP, HOSTS[end], bottom, {class: "axis", "stroke-dasharray": "2 4"}),
        text(HOSTS[end], TOP - 12, `host of ${DATA.ends[end]}`, {"text-anchor": "middle"}),
        line(ENDS[end], TOP, ENDS[end], bottom, {class: "axis"}),
        text(ENDS[end], TOP - 12, end === transaction.end ? `${DATA.ends[end]}, initiator` : `${DATA.ends[end]}, responder`, {"text-anchor": "middle", "font-weight": 700, class: `${"ab"[end]} fill`}));
    }
    states(sheet, items, y, bottom);
    const labels = [], taken = new Map();
    for (const item of items) {
      if (item.what === "frame") { frame(sheet, item, y, labels); continue; }
      const key = `${item.end} ${item.at}`, row = taken.get(key) ?? 0;
      taken.set(key, row + high(item));
      const where = y(item.at) + (row + high(item) - 1) * ROW, x = ENDS[item.end], out = OUT[item.end];
      const anchor = item.end === 0 ? "end" : "start";
      if (item.what === "step") {
        sheet.append(svg("circle", {cx: x, cy: where, r: 3, fill: "currentColor"}));
        labels.push(text(x + out * 10, where + 4, item.text, {"text-anchor": anchor, class: "halo"}));
      } else {
        const inward = item.what === "in", host = HOSTS[item.end];
        sheet.append(arrow(inward ? host : x, where, inward ? x : host, where, {class: "rest"}));
        labels.push(text((host + x) / 2, where - 3, item.text, {"text-anchor": "middle", "font-weight": 600, class: "halo"}));
      }
    }
    let last = -99;
    for (const [at, where] of found) {
      if (where - last < 13) continue;
      last = where;
      sheet.append(text(2, where + 4, `+${time((at - transaction.begin) * DATA.unit)}`, {class: "faint"}));
    }
    sheet.append(...labels);
    return sheet;
  }

  function rows(transaction) {
    const told = [];
    for (const item of story(transaction)) {
      const who = DATA.ends[item.end];
      if (item.what !== "frame") {
        const where = item.what === "step" ? who : `host of ${who}`;
        told.push([item.at, where, item.text + (item.state ? ` (now ${item.state})` : "")]);
        continue;
      }
      told.push([item.at, who, [`sends ${item.operation}`, item.fate].filter(Boolean).join(", ")]);
      for (const heard of item.heard)
        told.push([heard.at, DATA.ends[1 - item.end], [`receives ${item.operation}`, heard.told].filter(Boolean).join(", ")]);
    }
    told.sort((one, other) => one[0] - other[0]);
    return told.map(([at, who, what]) => html("tr", {}, html("td", {class: "number"}, time((at - transaction.begin) * DATA.unit, DATA.unit)), html("td", {}, who), html("td", {}, what)));
  }

  const table = transaction => html("details", {}, html("summary", {}, "The same as a table"),
    html("table", {class: "narrow"},
      html("thead", {}, html("tr", {}, html("th", {scope: "col", class: "number"}, "after"), html("th", {scope: "col"}, "where"), html("th", {scope: "col"}, "what"))),
      html("tbody", {}, ...rows(transaction))));

  return {draw, table};
})();
